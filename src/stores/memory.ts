import { LRUCache } from 'lru-cache'
import { checkCount, checkKey, checkValue, lifetime } from './limits.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'

/** How much {@link memoryStore} keeps of what was written by `set`. */
export interface MemoryStoreOptions {
  /** Bytes of values; the least recently used go first. Defaults to 64 MiB. */
  maxBytes?: number | undefined
  /** Number of values. Defaults to 10,000. */
  maxEntries?: number | undefined
}

interface Entry {
  value: Uint8Array
  version: string
  /** On the clock of `performance.now()`, which does not jump; `Infinity` without a ttl. */
  expiresAt: number
}

/** Two for each write would keep up with it; four also shrinks what has piled up. */
const sweptPerWrite = 4

/**
 * Keeps everything in this process, private to the caller; what is there ends with the process.
 *
 * It is bounded by `maxBytes` and `maxEntries`, and calls itself durable all the same: what may be
 * dropped before its time is only what was last written by `set`, such as cached responses. What
 * was last written by `compareAndSwap` (leases, tombstones, token records) stays until it expires
 * or is deleted.
 *
 * Throws a `ConfigError` for bounds that are not positive integers.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options)
}

class MemoryStore implements Store {
  readonly reach = 'process'
  readonly durable = true
  readonly maxValueBytes: number
  readonly #evictable: LRUCache<string, Entry>
  readonly #kept = new Map<string, Entry>()
  #sweep = this.#kept.entries()
  #writes = 0

  constructor({ maxBytes = 64 * 2 ** 20, maxEntries = 10_000 }: MemoryStoreOptions) {
    this.maxValueBytes = checkCount('memoryStore: maxBytes', maxBytes)
    this.#evictable = new LRUCache({
      max: checkCount('memoryStore: maxEntries', maxEntries),
      maxSize: maxBytes,
      sizeCalculation: ({ value }) => value.byteLength || 1,
    })
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const entry = this.#live(key)
    return entry && { value: new Uint8Array(entry.value), version: entry.version }
  }

  async set(key: string, value: Uint8Array, { ttl }: SetOptions = {}): Promise<void> {
    checkKey(key)
    const entry = this.#entry(value, ttl)
    this.#remove(key)
    if (entry) this.#evictable.set(key, entry)
    this.#sweepSome()
  }

  async delete(key: string): Promise<boolean> {
    const found = this.#live(key) !== undefined
    this.#remove(key)
    return found
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    { ttl }: SetOptions = {},
  ): Promise<string | undefined> {
    const found = this.#live(key)
    const entry = this.#entry(value, ttl)
    if (found?.version !== version) return undefined
    this.#evictable.delete(key)
    if (entry) this.#kept.set(key, entry)
    else this.#kept.delete(key)
    this.#sweepSome()
    return entry?.version ?? this.#nextVersion()
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    if (this.#live(key)?.version !== version) return false
    this.#remove(key)
    return true
  }

  /** Nothing was opened; the entries go when the store itself is let go of. */
  async close(): Promise<void> {}

  #live(key: string): Entry | undefined {
    checkKey(key)
    const entry = this.#kept.get(key) ?? this.#evictable.get(key)
    if (!entry || entry.expiresAt > performance.now()) return entry
    this.#remove(key)
    return undefined
  }

  #entry(value: Uint8Array, ttl: number | undefined): Entry | undefined {
    checkValue(value, this.maxValueBytes)
    const lives = lifetime(ttl)
    if (lives === 0) return undefined
    const expiresAt = performance.now() + lives
    return { value: new Uint8Array(value), version: this.#nextVersion(), expiresAt }
  }

  #nextVersion(): string {
    this.#writes += 1
    return String(this.#writes)
  }

  #remove(key: string): void {
    this.#kept.delete(key)
    this.#evictable.delete(key)
  }

  /** Goes on where the last write stopped, so that no write pays for the whole map. */
  #sweepSome(): void {
    const now = performance.now()
    for (let left = sweptPerWrite; left > 0; left -= 1) {
      const { done, value } = this.#sweep.next()
      if (done) {
        this.#sweep = this.#kept.entries()
        return
      }
      const [key, entry] = value
      if (entry.expiresAt <= now) this.#kept.delete(key)
    }
  }
}
