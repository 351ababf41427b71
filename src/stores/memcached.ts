import { UnsupportedOperationError } from '../errors.ts'
import { addToDigits } from './counter.ts'
import { checkAmount, checkKey, checkPrefix, checkValue, lifetime } from './limits.ts'
import { lost, untilWon } from './memcached/contest.ts'
import { Distribution } from './memcached/distribution.ts'
import { MemcachedNames } from './memcached/names.ts'
import type { MemcachedPlace } from './memcached/names.ts'
import { MemcachedEntry, largestHead } from './memcached/record.ts'
import { MemcachedServer } from './memcached/server.ts'
import type { Found, MemcachedSession } from './memcached/session.ts'
import { memcachedSettings } from './memcached/settings.ts'
import type { MemcachedStoreOptions } from './memcached/settings.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'
import { newVersion } from './version.ts'

export type { MemcachedStoreOptions }

/**
 * Keeps everything in memcached (1.6.10 or later): one server, or several that share the keys. It
 * speaks the meta protocol over plain TCP with a client of its own, so that no package is needed
 * and none can be handed in; the network must be private.
 *
 * Entries may be dropped at any time, so that it is not `durable`. The keys of a server that is away
 * fail; they are not moved to others, from which old values would come back later. All processes
 * must name the same servers.
 *
 * Lifetimes go by the server's clock. memcached tells it in whole seconds: within one the process's
 * own clock is used, so that a wrong clock moves the end of a lifetime by up to 4 s.
 *
 * There are no `keys`. `clear` takes `''` for the whole namespace, or a whole first segment of keys
 * up to and including its colon, which each have an entry on every server that no process may lose;
 * where it is evicted, all that it stands for is gone. Any other prefix throws an
 * `UnsupportedOperationError`. Clearing fails, and has happened on some servers only, while one is
 * away.
 *
 * Throws a `ConfigError` for a bad option.
 */
export function memcachedStore(
  source: string | URL | MemcachedStoreOptions,
  options: MemcachedStoreOptions = {},
): Store {
  return new MemcachedStore(source, options)
}

class MemcachedStore implements Store {
  readonly reach = 'cluster'
  readonly durable = false
  readonly maxValueBytes: number
  readonly #names: MemcachedNames
  readonly #servers: readonly MemcachedServer[]
  readonly #distribution: Distribution<MemcachedServer>

  constructor(source: string | URL | MemcachedStoreOptions, options: MemcachedStoreOptions) {
    const { servers, namespace, maxValueBytes } = memcachedSettings(source, options)
    const largestReply = maxValueBytes + largestHead
    const names = new MemcachedNames(namespace)
    const all = servers.map((address) => new MemcachedServer(address, names, largestReply))
    const addresses = servers.map(({ host, port }) => `${host}:${port}`)
    this.maxValueBytes = maxValueBytes
    this.#names = names
    this.#servers = all
    this.#distribution = new Distribution(
      all.map((server, index) => [addresses[index] ?? '', server] as const),
    )
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkKey(key)
    const place = this.#names.place(key)
    const session = this.#session(place) ?? (await this.#open(place))
    const { record } = await session.find(place)
    return record && { value: record.value, version: record.version }
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const { place, entry, lives } = this.#write(key, value, options)
    const session = this.#session(place) ?? (await this.#open(place))
    if (lives === 0) await session.remove(place)
    else await session.set(place, entry, lives)
  }

  async delete(key: string): Promise<boolean> {
    return this.#contend(key, async ({ session, place, cas, record }) => {
      if (!record) return false
      return (await session.remove(place, cas)) || lost
    })
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const { entry, lives } = this.#write(key, value, options)
    return this.#contend(key, async (found) => {
      if (found.record?.version !== version) return undefined
      return (await this.#replace(found, entry, lives)) ? entry.version : lost
    })
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    return this.#contend(key, async ({ session, place, cas, record }) => {
      if (record?.version !== version) return false
      return (await session.remove(place, cas)) || lost
    })
  }

  async clear(prefix: string): Promise<void> {
    checkPrefix(prefix)
    if (!/^(?:[^:]*:)?$/.test(prefix)) throw notClearable()
    const cleared = this.#servers.map(async (server) => {
      const session = server.session ?? (await server.open())
      await session.invalidate(prefix)
    })
    await Promise.all(cleared)
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    keys.forEach(checkKey)
    return Promise.all(keys.map((key) => this.get(key)))
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    options?: SetOptions,
  ): Promise<void> {
    for (const [key, value] of entries) this.#check(key, value)
    const last = [...new Map(entries)]
    await Promise.all(last.map(([key, value]) => this.set(key, value, options)))
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    keys.forEach(checkKey)
    const deleted = await Promise.all([...new Set(keys)].map((key) => this.delete(key)))
    return deleted.filter(Boolean).length
  }

  async increment(key: string, by: number, options?: SetOptions): Promise<number> {
    checkAmount(by)
    const lives = lifetime(options?.ttl)
    return this.#contend(key, async (found) => {
      const { record, session } = found
      const sum = addToDigits(record?.value, by)
      if (!record && lives === 0) return sum
      const expiresAt = record?.expiresAt ?? session.now() + lives
      const entry = this.#entry(found.place, newVersion(), Buffer.from(String(sum)))
      return (await session.replace(found, entry, expiresAt)) ? sum : lost
    })
  }

  async ttl(key: string): Promise<number | undefined> {
    const { session, record } = await this.#find(key)
    return record && Math.max(0, record.expiresAt - session.now()) / 1000
  }

  async expire(key: string, ttl: number): Promise<boolean> {
    const lives = lifetime(ttl)
    return this.#contend(key, async (found) => {
      const { place, record } = found
      if (!record) return false
      const entry = this.#entry(place, record.version, record.value)
      return (await this.#replace(found, entry, lives)) || lost
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()))
  }

  #session({ name }: MemcachedPlace): MemcachedSession | undefined {
    return this.#distribution.serverOf(name).session
  }

  #open({ name }: MemcachedPlace): Promise<MemcachedSession> {
    return this.#distribution.serverOf(name).open()
  }

  /** Finds what is going to be compared, and replaced in the same session. */
  async #find(key: string): Promise<Found> {
    checkKey(key)
    const place = this.#names.place(key)
    const session = this.#session(place) ?? (await this.#open(place))
    return session.findToWrite(place)
  }

  #contend<T>(key: string, write: (found: Found) => Promise<T | typeof lost>): Promise<T> {
    return untilWon(() => this.#find(key), write)
  }

  /** Tells whether nobody else was quicker. */
  async #replace(found: Found, entry: MemcachedEntry, lives: number): Promise<boolean> {
    const { session, place, cas, record } = found
    if (lives > 0) return session.replace(found, entry, session.now() + lives)
    return record ? session.remove(place, cas) : true
  }

  /** Copies, because the caller may change its buffer before it is sent. */
  #write(
    key: string,
    value: Uint8Array,
    options: SetOptions | undefined,
  ): { place: MemcachedPlace; entry: MemcachedEntry; lives: number } {
    this.#check(key, value)
    const lives = lifetime(options?.ttl)
    const place = this.#names.place(key)
    return { place, lives, entry: this.#entry(place, newVersion(), value) }
  }

  #entry({ key, segment }: MemcachedPlace, version: string, value: Uint8Array): MemcachedEntry {
    return new MemcachedEntry(key, segment !== '', version, value)
  }

  #check(key: string, value: Uint8Array): void {
    checkKey(key)
    checkValue(value, this.maxValueBytes)
  }
}

function notClearable(): UnsupportedOperationError {
  return new UnsupportedOperationError(
    'clear',
    "memcached cannot list keys; only '' and a whole first segment, up to its first colon, can be cleared",
  )
}
