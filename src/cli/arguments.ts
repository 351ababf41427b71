import { parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

/** Reads options that all take a value, and nothing but them. */
export function readArguments<N extends string>(
  args: string[],
  names: readonly N[],
): Partial<Record<N, string>> {
  return readAll(args, names, []).options
}

/**
 * Reads `places` by their order, `names` with their values and `flags` without; the first must all be
 * there.
 */
export function readAll<N extends string, F extends string = never>(
  args: string[],
  names: readonly N[],
  places: readonly string[],
  flags: readonly F[] = [],
): { options: Partial<Record<N, string>>; flags: ReadonlySet<F>; positionals: string[] } {
  const options = Object.fromEntries([
    ...names.map((name) => [name, { type: 'string' as const }] as const),
    ...flags.map((name) => [name, { type: 'boolean' as const }] as const),
  ])
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    if (positionals.length !== places.length) {
      const [extra] = positionals.slice(places.length)
      throw new Error(
        extra
          ? `Unexpected argument '${extra}'.`
          : `Missing: ${places.slice(positionals.length).join(' ')}.`,
      )
    }
    const set = new Set(flags.filter((name) => (values as Record<string, unknown>)[name] === true))
    return { options: values as Partial<Record<N, string>>, flags: set, positionals }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee behalf --help.`)
  }
}
