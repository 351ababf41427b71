import { createHash } from 'node:crypto'

/** Random numbers that are the same for the same seed, on every machine. */
export class SeededRandom {
  #state: number

  constructor(seed: string) {
    this.#state = createHash('sha256').update(seed).digest().readUInt32LE(0)
  }

  /** A number from 0 up to, not including, 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** A whole number from `from` to `to`, both included. */
  between(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  /** One of the values. */
  pick<T>(values: readonly T[]): T {
    return values[this.between(0, values.length - 1)]!
  }

  /** As many of the values as asked for, or all, in random order and none twice. */
  sample<T>(values: readonly T[], count: number): T[] {
    const rest = [...values]
    const size = Math.min(count, rest.length)
    for (let at = 0; at < size; at++) {
      const other = this.between(at, rest.length - 1)
      ;[rest[at], rest[other]] = [rest[other]!, rest[at]!]
    }
    return rest.slice(0, size)
  }
}
