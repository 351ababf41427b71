import { addToDigits } from './counter.ts'
import { checkAmount, checkKey, checkPrefix, checkValue, lifetime } from './limits.ts'
import { Evictable, type EvictableOptions } from './memory/evictable.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'

/** How much {@link memoryStore} keeps of what was written by `set`. */
export interface MemoryStoreOptions extends EvictableOptions {}

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
 * was last written by `compareAndSwap` or `increment` (leases, tombstones, token records, counters)
 * stays until it expires or is deleted.
 *
 * Throws a `ConfigError` for bounds that are not positive integers, and a share beyond 0 to 1.
 */
export function memoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options)
}

class MemoryStore implements Store {
  readonly reach = 'process'
  readonly durable = true
  readonly maxValueBytes: number
  readonly #evictable: Evictable<Entry>
  readonly #kept = new Map<string, Entry>()
  #sweep = this.#kept.entries()
  #writes = 0

  constructor(options: MemoryStoreOptions) {
    this.#evictable = new Evictable('memoryStore', options)
    this.maxValueBytes = this.#evictable.maxBytes
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return this.#read(key)
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    this.#write(key, value, options)
  }

  async delete(key: string): Promise<boolean> {
    return this.#delete(key)
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const found = this.#live(key)
    const entry = this.#entry(value, options)
    if (found?.version !== version) return undefined
    this.#keep(key, entry)
    return entry?.version ?? this.#nextVersion()
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    if (this.#live(key)?.version !== version) return false
    this.#remove(key)
    return true
  }

  async *keys(prefix: string): AsyncGenerator<string, void, undefined> {
    checkPrefix(prefix)
    for (const key of this.#names(prefix)) if (this.#live(key)) yield key
  }

  async clear(prefix: string): Promise<void> {
    checkPrefix(prefix)
    for (const key of this.#names(prefix)) this.#remove(key)
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    return keys.map((key) => this.#read(key))
  }

  atHand(keys: readonly string[]): ReadonlyArray<StoredValue | undefined> {
    return keys.map((key) => this.#found(key))
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    options?: SetOptions,
  ): Promise<void> {
    for (const [key, value] of entries) this.#write(key, value, options)
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    return keys.filter((key) => this.#delete(key)).length
  }

  async increment(key: string, by: number, { ttl }: SetOptions = {}): Promise<number> {
    checkAmount(by)
    const found = this.#live(key)
    const sum = addToDigits(found?.value, by)
    const entry = this.#entry(Buffer.from(String(sum)), { ttl })
    this.#keep(key, entry && found ? { ...entry, expiresAt: found.expiresAt } : entry)
    return sum
  }

  async ttl(key: string): Promise<number | undefined> {
    const entry = this.#live(key)
    return entry && (entry.expiresAt - performance.now()) / 1000
  }

  async expire(key: string, ttl: number): Promise<boolean> {
    const lives = lifetime(ttl)
    const entry = this.#live(key)
    if (entry) entry.expiresAt = performance.now() + lives
    return entry !== undefined
  }

  /** Nothing was opened; the entries go when the store itself is let go of. */
  async close(): Promise<void> {}

  #read(key: string): StoredValue | undefined {
    const entry = this.#live(key)
    return entry && { value: new Uint8Array(entry.value), version: entry.version }
  }

  #live(key: string): Entry | undefined {
    checkKey(key)
    return this.#found(key)
  }

  #found(key: string): Entry | undefined {
    const entry = this.#kept.get(key) ?? this.#evictable.get(key)
    if (!entry || entry.expiresAt > performance.now()) return entry
    this.#remove(key)
    return undefined
  }

  #write(key: string, value: Uint8Array, options: SetOptions | undefined): void {
    checkKey(key)
    const entry = this.#entry(value, options)
    this.#kept.delete(key)
    if (entry) this.#evictable.set(key, entry, entry.value.byteLength)
    else this.#evictable.delete(key)
    this.#sweepSome()
  }

  /** Is not evicted, unlike what {@link MemoryStore.#write} leaves. */
  #keep(key: string, entry: Entry | undefined): void {
    this.#evictable.delete(key)
    if (entry) this.#kept.set(key, entry)
    else this.#kept.delete(key)
    this.#sweepSome()
  }

  #entry(value: Uint8Array, { ttl, transfer = false }: SetOptions = {}): Entry | undefined {
    checkValue(value, this.maxValueBytes)
    const lives = lifetime(ttl)
    if (lives === 0) return undefined
    const expiresAt = performance.now() + lives
    const own = transfer ? value : new Uint8Array(value)
    return { value: own, version: this.#nextVersion(), expiresAt }
  }

  #nextVersion(): string {
    this.#writes += 1
    return String(this.#writes)
  }

  #delete(key: string): boolean {
    const found = this.#live(key) !== undefined
    this.#remove(key)
    return found
  }

  #remove(key: string): void {
    this.#kept.delete(key)
    this.#evictable.delete(key)
  }

  #names(prefix: string): string[] {
    const names = [...this.#kept.keys(), ...this.#evictable.keys()]
    return names.filter((key) => key.startsWith(prefix))
  }

  /** Goes on where the last write stopped, so that no write pays for the whole map. */
  #sweepSome(): void {
    if (this.#kept.size === 0) return
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
