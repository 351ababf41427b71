/**
 * Makes one of equal reads that are begun in the same turn: of a burst of callers who look for the
 * same, each would take one of the reads that a store may have under way. A turn ends before
 * anything can come back from a store, so that nobody who has waited for a write is given what was
 * read before it.
 */
export class EqualReads<What, Result> {
  readonly #begun = new Map<What, Promise<Result>>()

  /** Joins a read of the same that was begun in this turn. */
  join(what: What, read: () => Promise<Result>): Promise<Result> {
    const begun = this.#begun.get(what)
    if (begun) return begun
    if (this.#begun.size === 0) queueMicrotask(() => this.#begun.clear())
    const result = read()
    this.#begun.set(what, result)
    return result
  }
}
