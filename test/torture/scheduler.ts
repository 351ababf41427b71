import { setImmediate as turn } from 'node:timers/promises'
import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'

interface Held {
  name: string
  release: () => void
}

/** Turns of the event loop without any news after which everybody waits for us. */
const quietTurns = 3
/** Milliseconds without news after which something hangs. */
const patience = 10_000

/**
 * Lets what runs at the same time go on one step at a time, in an order that a seed decides: each
 * step is held until it is picked, and the next one is picked when nothing moves any more.
 */
export class Scheduler {
  readonly #held: Held[] = []
  readonly #order: string[] = []
  #random: SeededRandom | undefined
  /** Work that is really under way, such as bytes on a socket. */
  #moving = 0
  #news = 0

  /** The steps in the order in which they were let go. */
  get order(): readonly string[] {
    return this.#order
  }

  /** Waits to be picked; does not wait at all outside of {@link run}. */
  hold(name: string): Promise<void> {
    if (!this.#random) return Promise.resolve()
    this.#news += 1
    return new Promise((release) => {
      this.#held.push({ name, release })
    })
  }

  /** Does the work when it is picked, and gives what came of it when it is picked once more. */
  async through<T>(name: string, work: () => Promise<T>): Promise<T> {
    await this.hold(name)
    this.moves(1)
    try {
      return await work()
    } finally {
      this.moves(-1)
      await this.hold(`${name}, its answer`)
    }
  }

  /** One more is, or is no more, on its way without being held. */
  moves(by: 1 | -1): void {
    this.#moving += by
    this.#news += 1
  }

  /** Runs until `finished` says so and nobody is held; throws when nothing moves for too long. */
  async run(random: SeededRandom, finished: () => boolean): Promise<void> {
    this.#random = random
    this.#order.length = 0
    try {
      while (!finished() || this.#held.length > 0) await this.#step(random)
    } finally {
      this.#random = undefined
      for (const { release } of this.#held.splice(0)) release()
    }
  }

  async #step(random: SeededRandom): Promise<void> {
    await this.#quiet()
    if (this.#held.length === 0) return
    const [picked] = this.#held.splice(random.between(0, this.#held.length - 1), 1)
    this.#order.push(picked!.name)
    picked!.release()
  }

  async #quiet(): Promise<void> {
    const giveUpAt = performance.now() + patience
    for (let quiet = 0; quiet < quietTurns; quiet += 1) {
      const before = this.#news
      await turn()
      if (this.#news !== before || this.#moving > 0) quiet = -1
      if (performance.now() > giveUpAt) {
        throw new Error(`Nothing moves after: ${this.#order.slice(-10).join(' | ')}`)
      }
    }
  }
}
