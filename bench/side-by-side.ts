import { measure } from './measure.mjs'

/** Two ways of doing the same work, and how much longer ours may take. */
export interface Comparison {
  name: string
  bare: () => Promise<unknown>
  ours: () => Promise<unknown>
  /** Ours at most so many times the bare one's time. */
  atMost: number
  /** So many times its value the bar is missed beyond. Defaults to 1. */
  slack?: number
  /** Calls under way at a time. Defaults to 50. */
  atATime?: number
  /** Calls in one round. Defaults to 5,000. */
  calls?: number
}

const rounds = 15

/**
 * Runs both in turns, in one process, and prints the median of the rounds' ratios: what else the
 * machine does falls on both. Gives whether the bar was met.
 */
export async function sideBySide(comparison: Comparison): Promise<boolean> {
  const { name, bare, ours, atMost, slack = 1, atATime = 50, calls = 5_000 } = comparison
  const load = { calls, atATime }
  const ratios: number[] = []
  const perCall: number[] = []
  await measure(bare, load)
  await measure(ours, load)
  for (let round = 0; round < rounds; round += 1) {
    const oursFirst = round % 2 === 0
    const first = await measure(oursFirst ? ours : bare, load)
    const second = await measure(oursFirst ? bare : ours, load)
    const [mine, theirs] = oursFirst ? [first, second] : [second, first]
    ratios.push(mine / theirs)
    perCall.push((mine / calls) * 1000)
  }
  return report(name, { ratio: median(ratios), atMost, microseconds: median(perCall), slack })
}

/** What one line tells. */
interface Outcome {
  ratio: number
  atMost: number
  microseconds: number
  /** So many times its value a bar is missed beyond. Defaults to 1. */
  slack?: number
}

/** Prints one line; gives whether the ratio is within its bar. */
export function report(name: string, outcome: Outcome): boolean {
  const { ratio, atMost, microseconds, slack = 1 } = outcome
  const met = ratio <= atMost * slack
  const columns = [
    name.padEnd(44),
    `${ratio.toFixed(2)} x`.padStart(8),
    `bar ${atMost} x`.padStart(12),
    `${microseconds.toFixed(1)} µs a call`.padStart(18),
    met ? '' : '  MISSED',
  ]
  console.log(columns.join(''))
  return met
}

/** The one in the middle. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)] ?? NaN
}
