import { parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

/** Reads options that all take a value, and nothing but them. */
export function readArguments<N extends string>(
  args: string[],
  names: readonly N[],
): Partial<Record<N, string>> {
  return readAll(args, names, []).options
}

/** Reads `places` by their order and `names` by their names; the former must all be there. */
export function readAll<N extends string>(
  args: string[],
  names: readonly N[],
  places: readonly string[],
): { options: Partial<Record<N, string>>; positionals: string[] } {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
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
    return { options: values as Partial<Record<N, string>>, positionals }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee behalf --help.`)
  }
}
