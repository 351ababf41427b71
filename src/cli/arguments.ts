import { parseArgs } from 'node:util'
import { UsageError } from './usage-error.ts'

/** Reads options that all take a value, and nothing but them. */
export function readArguments<N extends string>(
  args: string[],
  names: readonly N[],
): Partial<Record<N, string>> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]))
  try {
    return parseArgs({ args, options }).values as Partial<Record<N, string>>
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\nSee behalf --help.`)
  }
}
