import { ConfigError, StoreUnavailableError, UnsupportedOperationError } from '../errors.ts'
import { emptyStore } from './cache-manager/empty-store.ts'
import { json, unwrap, wrap } from './cache-manager/envelope.ts'
import type { Serializer } from './cache-manager/envelope.ts'
import { escapeKey, escapeNamespace, unescapeKey } from './cache-manager/escaping.ts'
import { Pattern } from './cache-manager/pattern.ts'
import { addToDigits } from './counter.ts'
import { guarded } from './guarded.ts'
import { checkAmount, checkKey, checkSeconds, checkStore } from './limits.ts'
import { deleteMany, each, getMany, setMany } from './many-keys.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'

export type { Serializer }

/** How {@link cacheManager} keeps values. */
export interface CacheManagerOptions {
  /** `false` for a cache in which nothing is ever found. Defaults to `true`. */
  enabled?: boolean | undefined
  /** Seconds that a value lives when nothing else is said; `Infinity` for ever. Defaults to 3600. */
  defaultTtl?: number | undefined
  /** Keeps several caches in one store apart, and from all else there. Defaults to `cache`. */
  namespace?: string | undefined
  /** For all but safe integers, which are kept as their digits. Defaults to JSON. */
  serializer?: Serializer | undefined
  /** Seconds after which an operation is given up. Defaults to 2. */
  timeout?: number | undefined
}

/** How many keys of a list are dealt with at a time. */
const batch = 500
const longestPrefix = 62
/** Of whom all write at the same time, one succeeds each time. */
const mostAttempts = 1_000

/**
 * Gives a key-value cache in any store, for values that have nothing to do with OAuth.
 *
 *     const cache = cacheManager(createStore('redis://localhost'), { namespace: 'quotes' })
 *     await cache.set('stock:ACME', { price: 12.5 }, { ttl: 60 })
 *     await cache.clear('stock:*')
 *
 * Throws a `ConfigError` for a bad option. Operations throw a `StoreUnavailableError` when the store
 * fails, a `RangeError` for a key or a value that cannot be kept, and an
 * `UnsupportedOperationError` for what the backend cannot do at all.
 */
export function cacheManager(store: Store, options: CacheManagerOptions = {}): CacheManager {
  return new CacheManager(store, options)
}

/** What {@link cacheManager} gives. The store stays its owner's to close. */
export class CacheManager {
  readonly #store: Store
  readonly #prefix: string
  readonly #defaultTtl: number
  readonly #serializer: Serializer
  readonly #making = new Map<string, Promise<unknown>>()

  constructor(store: Store, options: CacheManagerOptions) {
    const { enabled = true, namespace = 'cache', serializer = json, timeout = 2 } = options
    if (typeof enabled !== 'boolean') {
      throw new ConfigError('cacheManager: enabled must be true or false.')
    }
    const seconds = checkSeconds('cacheManager: timeout', timeout)
    const deadline = { read: seconds, write: seconds }
    checkStore('cacheManager', store)
    this.#store = enabled ? guarded(store, { name: 'cache', deadline }) : emptyStore
    this.#prefix = prefixOf(namespace)
    this.#defaultTtl = checkTtl(options.defaultTtl ?? 3600)
    this.#serializer = serializer
  }

  /** The value under `key`, or `undefined`. What was stored is not checked against `T`. */
  async get<T = unknown>(key: string): Promise<T | undefined> {
    const name = this.#name(key)
    return this.#value(name, await this.#store.get(name)) as T | undefined
  }

  /** Keeps a value for `ttl` seconds, by default `defaultTtl`; zero or less deletes it. */
  async set(key: string, value: unknown, options?: SetOptions): Promise<void> {
    const name = this.#name(key)
    const wrapped = this.#wrap(name, value)
    this.#making.delete(name)
    await this.#store.set(name, wrapped, this.#lifetime(options))
  }

  /** Tells whether there was something to delete. */
  async delete(key: string): Promise<boolean> {
    const name = this.#name(key)
    this.#making.delete(name)
    return this.#store.delete(name)
  }

  /** Tells whether there is something, without reading it where the backend can tell. */
  async exists(key: string): Promise<boolean> {
    const name = this.#name(key)
    if (this.#store.ttl) return (await this.#store.ttl(name)) !== undefined
    return (await this.#store.get(name)) !== undefined
  }

  /**
   * Deletes all keys that match, by default all of this namespace. In a pattern, such as `stock:*`,
   * `*` stands for any text and everything else for itself.
   */
  async clear(pattern = '*'): Promise<void> {
    const wanted = new Pattern(pattern)
    this.#making.clear()
    if (wanted.isExact) await this.delete(pattern)
    else if (wanted.isPrefix && this.#store.clear) {
      await this.#store.clear(this.#prefix + escapeKey(wanted.prefix))
    } else await this.#deleteMatching(wanted)
  }

  /** The values under many keys, in their order; `undefined` for what is not there. */
  async getMany<T = unknown>(keys: readonly string[]): Promise<Array<T | undefined>> {
    const names = keys.map((key) => this.#name(key))
    const found = await getMany(this.#store, names)
    return names.map((name, index) => this.#value(name, found[index]) as T | undefined)
  }

  /** Keeps many values, given as an object, a `Map` or pairs; not atomic. */
  async setMany(
    entries: Iterable<readonly [key: string, value: unknown]> | Readonly<Record<string, unknown>>,
    options?: SetOptions,
  ): Promise<void> {
    const pairs = Symbol.iterator in entries ? [...entries] : Object.entries(entries)
    const wrapped = pairs.map(([key, value]) => {
      const name = this.#name(key)
      this.#making.delete(name)
      return [name, this.#wrap(name, value)] as const
    })
    await setMany(this.#store, wrapped, this.#lifetime(options))
  }

  /** Tells how many of them there were. */
  async deleteMany(keys: readonly string[]): Promise<number> {
    const names = keys.map((key) => this.#name(key))
    for (const name of names) this.#making.delete(name)
    return deleteMany(this.#store, names)
  }

  /** For each key, whether there is something. */
  async existsMany(keys: readonly string[]): Promise<boolean[]> {
    return each(keys, (key) => this.exists(key))
  }

  /** How many keys match, as {@link CacheManager.clear} understands the pattern. */
  async countKeys(pattern = '*'): Promise<number> {
    const wanted = new Pattern(pattern)
    if (wanted.isExact) return (await this.exists(pattern)) ? 1 : 0
    let count = 0
    for await (const _ of this.#matching(wanted, 'countKeys')) count += 1
    return count
  }

  /**
   * The value under `key`, made and kept when it is not there. Concurrent calls for one key, in this
   * process, wait for one `make`; when it throws, all of them throw. A made `undefined` is not kept,
   * nor what was deleted or written over while it was made. While the store is away each value is made
   * and not kept.
   */
  async getOrSet<T>(key: string, make: () => Promise<T> | T, options?: SetOptions): Promise<T> {
    const found = await passBy(this.get<T>(key))
    if (found !== undefined) return found
    const name = this.#name(key)
    let making = this.#making.get(name) as Promise<T> | undefined
    if (!making) {
      making = this.#make(name, make, options)
      this.#making.set(name, making)
    }
    return making
  }

  /**
   * Adds `by`, an integer, in one atomic step and gives the sum. What is not there begins at 0 and
   * lives for `ttl`, by default `defaultTtl`. Throws a `RangeError` where there is no safe integer.
   */
  async increment(key: string, by = 1, options?: SetOptions): Promise<number> {
    const name = this.#name(key)
    const lifetime = this.#lifetime(options)
    if (this.#store.increment) return this.#store.increment(name, by, lifetime)
    return this.#incrementByComparing(name, by, lifetime)
  }

  /** Keeps a value where there is none, and tells whether it did. */
  async setIfNotExists(key: string, value: unknown, options?: SetOptions): Promise<boolean> {
    const name = this.#name(key)
    const wrapped = this.#wrap(name, value)
    const lifetime = this.#lifetime(options)
    return (await this.#store.compareAndSwap(name, undefined, wrapped, lifetime)) !== undefined
  }

  /** The seconds a value has left: `Infinity` for ever, `undefined` when it is not there. */
  async getTtl(key: string): Promise<number | undefined> {
    if (!this.#store.ttl) throw unsupported('getTtl', 'it does not tell lifetimes')
    return this.#store.ttl(this.#name(key))
  }

  /** Gives a value another lifetime, in seconds, and tells whether it was there. */
  async expire(key: string, ttl: number): Promise<boolean> {
    if (!this.#store.expire) throw unsupported('expire', 'it does not change lifetimes')
    return this.#store.expire(this.#name(key), ttl)
  }

  #name(key: string): string {
    checkKey(key)
    const name = this.#prefix + escapeKey(key)
    if (name.length <= 1024) return name
    throw new RangeError(
      'The key is too long: with its namespace it has 1,024 characters, and what is not of a-z 0-9 : - takes three for each byte.',
    )
  }

  #wrap(name: string, value: unknown): Uint8Array {
    return wrap(name, value, this.#serializer)
  }

  #value(name: string, found: StoredValue | undefined): unknown {
    return found && unwrap(name, found.value, this.#serializer)
  }

  #lifetime(options: SetOptions = {}): SetOptions {
    if (typeof options !== 'object') {
      throw new RangeError('A lifetime is given as { ttl: 60 }, in seconds.')
    }
    return { ttl: options.ttl ?? this.#defaultTtl }
  }

  async #make<T>(name: string, make: () => Promise<T> | T, options?: SetOptions): Promise<T> {
    // One turn later it is known under which promise it is being made.
    await Promise.resolve()
    const making = this.#making.get(name)
    const isWanted = () => this.#making.get(name) === making
    try {
      const value = await make()
      if (value !== undefined && isWanted()) {
        const wrapped = this.#wrap(name, value)
        await passBy(this.#store.set(name, wrapped, this.#lifetime(options)))
      }
      return value
    } finally {
      if (isWanted()) this.#making.delete(name)
    }
  }

  async #incrementByComparing(name: string, by: number, lifetime: SetOptions): Promise<number> {
    checkAmount(by)
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const found = await this.#store.get(name)
      const sum = addToDigits(found?.value, by)
      // Where the backend does not tell what is left, it begins again: never for ever.
      const left = found && this.#store.ttl ? { ttl: await this.#store.ttl(name) } : lifetime
      const digits = Buffer.from(String(sum))
      if (await this.#store.compareAndSwap(name, found?.version, digits, left)) return sum
    }
    throw new StoreUnavailableError(
      `a counter was written by others ${mostAttempts} times in a row`,
    )
  }

  async *#matching(pattern: Pattern, operation: string): AsyncGenerator<string, void> {
    if (!this.#store.keys) throw unsupported(operation, 'it cannot list its keys')
    for await (const name of this.#store.keys(this.#prefix + escapeKey(pattern.prefix))) {
      const key = unescapeKey(name.slice(this.#prefix.length))
      if (key !== undefined && pattern.matches(key)) yield name
    }
  }

  async #deleteMatching(pattern: Pattern): Promise<void> {
    let names: string[] = []
    for await (const name of this.#matching(pattern, 'clear')) {
      names.push(name)
      if (names.length < batch) continue
      await deleteMany(this.#store, names)
      names = []
    }
    await deleteMany(this.#store, names)
  }
}

/** A store that is away has nothing, and keeps nothing. */
async function passBy<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch (error) {
    if ((error as { code?: unknown }).code === 'store_unavailable') return undefined
    throw error
  }
}

function unsupported(operation: string, why: string): UnsupportedOperationError {
  return new UnsupportedOperationError(operation, why)
}

/**
 * The underscore keeps it apart from behalf's own keys, whose namespaces do not begin with one: a
 * cache that is cleared must never take logins with it.
 */
function prefixOf(namespace: string): string {
  if (typeof namespace === 'string' && /^[^\0\p{Surrogate}]+$/u.test(namespace)) {
    const prefix = `_${escapeNamespace(namespace)}:`
    if (prefix.length <= longestPrefix) return prefix
  }
  throw new ConfigError(
    'cacheManager: namespace must be text without NUL, of up to 60 letters and digits (fewer of others).',
  )
}

function checkTtl(ttl: number): number {
  if (typeof ttl === 'number' && ttl > 0) return ttl
  throw new ConfigError(
    'cacheManager: defaultTtl must be a positive number of seconds, or Infinity.',
  )
}
