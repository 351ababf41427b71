/** Runs operations on one key after another; those on different keys at the same time. */
export class KeyQueue {
  /** Who waits for the turn of a key; a key is in it while somebody has its turn. */
  readonly #waiting = new Map<string, Set<() => void>>()

  /**
   * A turn ends when its operation has settled, however long that takes: what is still under way
   * must not overtake a later write. Whoever is aborted while waiting leaves, and never settles.
   */
  async run<T>(key: string, aborted: AbortSignal, operation: () => Promise<T>): Promise<T> {
    await this.#turn(key, aborted)
    try {
      return await operation()
    } finally {
      this.#pass(key)
    }
  }

  async #turn(key: string, aborted: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(key)
    if (!waiting) {
      this.#waiting.set(key, new Set())
      return
    }
    await new Promise<void>((resolve) => {
      waiting.add(resolve)
      aborted.addEventListener('abort', () => waiting.delete(resolve), { once: true })
    })
  }

  #pass(key: string): void {
    const waiting = this.#waiting.get(key)
    for (const next of waiting ?? []) {
      waiting?.delete(next)
      return next()
    }
    this.#waiting.delete(key)
  }
}
