import { Inputs } from './inputs.ts'
import type { Parser } from './parsers.ts'

/** An input that a parser could not take. */
export interface Broken {
  input: string
  error: unknown
}

/** Gives a parser so many inputs; `undefined` where it took them all. */
export function fuzz(
  { seeds, read }: Parser,
  { inputs, seed, progress }: { inputs: number; seed: string; progress?: (done: number) => void },
): Broken | undefined {
  const made = new Inputs(seeds, seed)
  for (let done = 1; done <= inputs; done += 1) {
    const input = made.next()
    try {
      read(input)
    } catch (error) {
      return { input, error }
    }
    if (done % 100_000 === 0) progress?.(done)
  }
  return undefined
}
