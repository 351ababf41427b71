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
  /**
   * Hands the bytes over: who calls never changes them again, so that a store in memory may keep them
   * as they are. Defaults to `false`: they are copied.
   */
  transfer?: boolean | undefined
}

/** What a process that listens to {@link Notices} is told. */
export interface NoticeListener {
  /** From now on every notice is heard; it comes again after each gap. */
  onOpen(): void
  /** Notices may be missed, until the next `onOpen`. */
  onGap(): void
  /** What anybody has sent, this process included: foreign input. */
  onNotice(notice: string): void
}

/** Short texts to all processes that use a store, for what they keep of it in memory. */
export interface Notices {
  /** Rejects where it cannot be sent. Who does not listen at this moment never hears of it. */
  send(notice: string): Promise<void>
  /**
   * Listens until the function it gives is called, or the store is closed. Connects in the
   * background, and anew whenever the connection was lost; never throws.
   */
  listen(listener: NoticeListener): () => void
}

/**
 * The seam that everything kept rests on: token records, login transactions, stored responses.
 *
 * A store keeps bytes under a key and gives every write a version. A version is never used twice
 * for a key, also not after the key was deleted, and an entry that has expired counts as absent in
 * every condition. Leases, set-if-absent and optimistic updates need nothing more.
 *
 * A key is well-formed text of 1 to 1,024 bytes (UTF-8) without NUL; any other throws a
 * `RangeError`. Keys that behalf makes match `[a-z0-9:_-]{1,120}`.
 *
 * The operations from `keys` on are there where the backend has them of its own accord; whoever
 * needs one looks, or does without.
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

  /**
   * The keys of this store that begin with `prefix`, which means itself only: nothing in it is a
   * pattern, and the empty one takes all. Each key comes once, in no order; what is written or
   * deleted meanwhile may be among them or not.
   */
  keys?(prefix: string): AsyncIterable<string>
  /** Deletes what begins with `prefix`, as {@link Store.keys} understands it, and nothing else. */
  clear?(prefix: string): Promise<void>
  /** Finds many at once, in the order of `keys`. */
  getMany?(keys: readonly string[]): Promise<Array<StoredValue | undefined>>
  /**
   * As `getMany`, at once, where nothing has to be waited for, such as what is in this process' memory;
   * `undefined` where it would have to be. It is what the store itself holds: neither the bytes nor the
   * objects may be changed. What is no key is absent. A store of reach `process` that has it keeps values
   * nowhere else.
   */
  atHand?(keys: readonly string[]): ReadonlyArray<StoredValue | undefined> | undefined
  /** Writes many at once; not atomic: when it fails, some may have been written. */
  setMany?(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    options?: SetOptions,
  ): Promise<void>
  /** Deletes many at once and tells how many there were. */
  deleteMany?(keys: readonly string[]): Promise<number>
  /**
   * Adds `by`, a safe integer, to the decimal number under `key` in one atomic step and gives the
   * sum; what is absent begins at 0 and lives for `ttl`, what is there keeps its lifetime. `get`
   * finds a counter as its decimal digits, under a new version. Throws a `RangeError`, and changes
   * nothing, where the value is no integer or the sum would not be a safe one.
   */
  increment?(key: string, by: number, options?: SetOptions): Promise<number>
  /** The seconds a value has left: `Infinity` for ever, `undefined` when it is absent. */
  ttl?(key: string): Promise<number | undefined>
  /**
   * Gives what is there another lifetime, as `set` would, and tells whether it was there. The
   * version stays, so that what was read before can still be compared; zero or less deletes.
   */
  expire?(key: string, ttl: number): Promise<boolean>
  /** Notices of one channel, `[a-z0-9_-]{1,64}`, of this store's namespace. */
  notices?(channel: string): Notices
}
