/** Runs operations on one key after another; those on different keys at the same time. */
export class KeyQueue {
  readonly #last = new Map<string, Promise<void>>()

  async run<T>(key: string, operation: () => Promise<T>): Promise<T> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(operation)
    const settled = result.then(nothing, nothing)
    this.#last.set(key, settled)
    try {
      return await result
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key)
    }
  }
}

function nothing(): void {}
