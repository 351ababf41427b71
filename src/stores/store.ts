/** What {@link Store.get} finds: the bytes, and the version they were written under. */
export interface StoredValue {
  value: Uint8Array
  version: string
}

/** How long a value lives. */
export interface SetOptions {
  /**
   * Seconds, fractions allowed; without it the value does not expire. Zero or less stores nothing
   * (what was there is gone), `NaN` throws a `RangeError`.
   */
  ttl?: number | undefined
}

/**
 * The seam that everything kept rests on: token records, login transactions, stored responses.
 *
 * A store keeps bytes under a key and gives every write a version. A version is never used twice
 * for a key, also not after the key was deleted, and an entry that has expired counts as absent in
 * every condition. Leases, set-if-absent and optimistic updates need nothing more.
 *
 * Keys that behalf makes match `[a-z0-9:_-]{1,120}`.
 */
export interface Store {
  get(key: string): Promise<StoredValue | undefined>
  /** Writes whatever was there before, under a new version. */
  set(key: string, value: Uint8Array, options?: SetOptions): Promise<void>
  /** Tells whether there was something to delete. */
  delete(key: string): Promise<boolean>
  /**
   * Writes only if the key still has `version`; `undefined` means that it must be absent.
   * Gives the new version, or `undefined` when it was not so and nothing was written.
   */
  compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined>
  /** Deletes only if the key still has `version`. */
  compareAndDelete(key: string, version: string): Promise<boolean>
  /** Lets go of what the store itself opened; a client that was handed in stays open. */
  close(): Promise<void>
  /** Over how far a comparison is atomic. */
  readonly reach: 'process' | 'host' | 'cluster'
  /** `false` where entries may be dropped before their time. */
  readonly durable: boolean
  /** The largest value it takes, in bytes. */
  readonly maxValueBytes: number
}
