import { checkSeconds, isKey } from './limits.ts'
import { getMany } from './many-keys.ts'
import { Evictable } from './memory/evictable.ts'
import { Announcer } from './memory-tier/announcer.ts'
import { type Dropped, everyKey } from './memory-tier/dropped.ts'
import { type Reader, Readers } from './memory-tier/readers.ts'
import { bound } from './optional-operations.ts'
import type { Notices, SetOptions, Store, StoredValue } from './store.ts'

/** How much {@link memoryTier} keeps, and for how long. */
export interface MemoryTierOptions {
  /** Bytes of values. Defaults to 32 MiB. */
  maxBytes?: number | undefined
  /**
   * Seconds for which a value is served without asking the store. Defaults to 60, and is 5 at most
   * while no notices of other processes are heard.
   */
  ttl?: number | undefined
  /** The part of `maxBytes` that one partition may hold once it is full. Defaults to 0.25. */
  partitionShare?: number | undefined
}

/** Seconds for which a process may serve what another one has replaced and could not tell. */
const unheard = 5

/**
 * Puts a bounded memory in front of a store, for what many processes read and few replace: cached
 * responses, not tokens or leases.
 *
 * What was read is served from memory, also that there was nothing. A write goes to the store, then
 * leaves this process' memory, then is told to the others (`notices` of the store), which drop it
 * too; the next read brings it back, with its version. A gap in the notices drops everything. Other
 * processes see a write within milliseconds of its end, and without notices, or in a gap, within 5
 * seconds.
 *
 * A store of reach `process` is given back as it is. Comparisons are the store's own. Throws a
 * `ConfigError` for bounds that are none.
 */
export function memoryTier(store: Store, options: MemoryTierOptions = {}): Store {
  return store.reach === 'process' ? store : new MemoryTier(store, options)
}

/** What was read, also that there was nothing. */
interface Kept {
  readonly found: StoredValue | undefined
  /** On the clock of `performance.now()`. */
  readonly expiresAt: number
}

class MemoryTier implements Store {
  declare readonly keys?: Required<Store>['keys']
  declare readonly clear?: Required<Store>['clear']
  declare readonly setMany?: Required<Store>['setMany']
  declare readonly deleteMany?: Required<Store>['deleteMany']
  declare readonly increment?: Required<Store>['increment']
  declare readonly ttl?: Required<Store>['ttl']
  declare readonly expire?: Required<Store>['expire']
  declare readonly notices?: Required<Store>['notices']
  readonly #store: Store
  readonly #memory: Evictable<Kept>
  readonly #ttl: number
  readonly #readers = new Readers()
  readonly #notices: Notices | undefined
  readonly #announcer: Announcer | undefined
  #stopListening: (() => void) | undefined
  #isHearing = false

  constructor(
    store: Store,
    { maxBytes = 32 * 2 ** 20, ttl = 60, partitionShare }: MemoryTierOptions,
  ) {
    this.#store = store
    this.#memory = new Evictable('memory', { maxBytes, partitionShare })
    this.#ttl = checkSeconds('memory: ttl', ttl)
    this.#notices = store.notices?.(channel)
    this.#announcer = this.#notices && new Announcer(this.#notices)
    this.#addWrites(bound(store))
  }

  /** What changes something, where the store has it. */
  #addWrites(store: ReturnType<typeof bound>): void {
    const { clear, setMany, deleteMany, increment, expire } = store
    const writes: Partial<Store> = {
      ...(clear && { clear: (prefix) => this.#write({ prefix }, () => clear(prefix)) }),
      ...(setMany && {
        setMany: (entries, how) =>
          this.#write({ keys: entries.map(([key]) => key) }, () => setMany(entries, how)),
      }),
      ...(deleteMany && {
        deleteMany: (names) => this.#write({ keys: [...names] }, () => deleteMany(names)),
      }),
      ...(increment && {
        increment: (key, ...by) => this.#write({ keys: [key] }, () => increment(key, ...by)),
      }),
      ...(expire && {
        expire: (key, left) => this.#write({ keys: [key] }, () => expire(key, left)),
      }),
    }
    Object.assign(this, { keys: store.keys, ttl: store.ttl, notices: store.notices, ...writes })
  }

  get reach(): Store['reach'] {
    return this.#store.reach
  }

  get durable(): boolean {
    return this.#store.durable
  }

  get maxValueBytes(): number {
    return this.#store.maxValueBytes
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const kept = this.#kept(key)
    if (kept) return copyOf(kept.found)
    const reader = this.#readers.begin(key)
    try {
      const found = await this.#store.get(key)
      this.#keep(key, found, reader)
      return found
    } finally {
      this.#readers.end(key, reader)
    }
  }

  /** What is not in memory is asked for together. */
  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    const kept = keys.map((key) => this.#kept(key))
    const missing = [...new Set(keys.filter((_, index) => !kept[index]))]
    const found = new Map(missing.length === 0 ? [] : await this.#fetched(missing))
    return keys.map((key, index) => {
      const here = kept[index]
      return here ? copyOf(here.found) : found.get(key)
    })
  }

  atHand(keys: readonly string[]): ReadonlyArray<StoredValue | undefined> | undefined {
    const found: Array<StoredValue | undefined> = []
    for (const key of keys) {
      const kept = this.#kept(key)
      if (!kept) return undefined
      found.push(kept.found)
    }
    return found
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    return this.#write({ keys: [key] }, () => this.#store.set(key, value, options))
  }

  async delete(key: string): Promise<boolean> {
    return this.#write({ keys: [key] }, () => this.#store.delete(key))
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    return this.#write({ keys: [key] }, () =>
      this.#store.compareAndSwap(key, version, value, options),
    )
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    return this.#write({ keys: [key] }, () => this.#store.compareAndDelete(key, version))
  }

  async close(): Promise<void> {
    this.#stopListening?.()
    this.#forget(everyKey)
    await this.#store.close()
  }

  async #fetched(
    keys: readonly string[],
  ): Promise<Array<readonly [string, StoredValue | undefined]>> {
    const readers = keys.map((key) => this.#readers.begin(key))
    try {
      const found = await getMany(this.#store, keys)
      for (const [index, key] of keys.entries()) this.#keep(key, found[index], readers[index]!)
      return keys.map((key, index) => [key, found[index]] as const)
    } finally {
      for (const [index, key] of keys.entries()) this.#readers.end(key, readers[index]!)
    }
  }

  /** Also after a failure: what it has done is not known. */
  async #write<T>(dropped: Dropped, write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } finally {
      this.#drop(dropped)
      await this.#announcer?.tell(dropped)
    }
  }

  #kept(key: string): Kept | undefined {
    this.#stopListening ??= this.#listen()
    const kept = this.#memory.get(key)
    if (!kept || kept.expiresAt > performance.now()) return kept
    this.#memory.delete(key)
    return undefined
  }

  #keep(key: string, found: StoredValue | undefined, reader: Reader): void {
    const bytes = found ? found.value.byteLength + found.version.length : 0
    if (reader.isOutdated || bytes > this.#memory.maxBytes) return
    const ttl = this.#isHearing ? this.#ttl : Math.min(this.#ttl, unheard)
    const expiresAt = performance.now() + ttl * 1000
    this.#memory.set(key, { found: copyOf(found), expiresAt }, bytes)
  }

  #drop(dropped: Dropped): void {
    if ('keys' in dropped) for (const key of dropped.keys) this.#readers.drop(key)
    else this.#readers.dropAll(dropped.prefix)
    this.#forget(dropped)
  }

  #forget(dropped: Dropped): void {
    const keys = 'keys' in dropped ? dropped.keys : this.#beginningWith(dropped.prefix)
    for (const key of keys) this.#memory.delete(key)
  }

  /** A prefix that no key has says nothing that can be understood: it is about all of them. */
  #beginningWith(prefix: string): string[] {
    const keys = [...this.#memory.keys()]
    return isKey(prefix) ? keys.filter((key) => key.startsWith(prefix)) : keys
  }

  #listen(): () => void {
    const dropEverything = () => this.#drop(everyKey)
    const announcer = this.#announcer
    if (!this.#notices || !announcer) return () => {}
    return this.#notices.listen({
      onOpen: () => {
        this.#isHearing = true
        // What was kept until now may have been replaced while nobody listened.
        dropEverything()
        void announcer.tellAgain()
      },
      onGap: () => {
        this.#isHearing = false
        dropEverything()
      },
      onNotice: (notice) => {
        const dropped = announcer.read(notice)
        if (dropped) this.#drop(dropped)
      },
    })
  }
}

const channel = 'dropped'

/** Who reads may change the bytes; what is kept stays. */
function copyOf(found: StoredValue | undefined): StoredValue | undefined {
  return found && { version: found.version, value: new Uint8Array(found.value) }
}
