/**
 * Makes one of equal reads that are begun in the same turn: of a burst of callers who look for the
 * same, each would take one of the reads that a store may have under way. A turn ends before
 * anything can come back from a store, so that nobody who has waited for a write is given what was
 * read before it.
 */
export class EqualReads<Result> {
  readonly #begun = new Map<string, { readonly what: unknown; readonly result: Promise<Result> }>()

  /** Joins a read of that key begun in this turn, if it was for the same `what`. */
  join(key: string, what: unknown, read: () => Promise<Result>): Promise<Result> {
    const equal = this.#begun.get(key)
    if (equal && equal.what === what) return equal.result
    const result = read()
    if (this.#begun.size === 0) queueMicrotask(() => this.#begun.clear())
    this.#begun.set(key, { what, result })
    return result
  }
}
