import { BehalfError, StoreUnavailableError } from '../errors.ts'
import type { SetOptions, Store, StoredValue } from '../stores/store.ts'
import { sha256 } from './token-record.ts'
import type { TokenStore } from './token-store.ts'

/** Seconds for which the newest value is also kept beside its place. */
const successorTtl = 900
/** What stands beside a place begins with one of these: its newest value follows, or it was deleted. */
const there = Buffer.from([1])
const gone = Buffer.from([0])

/**
 * A store whose values are kept in a place that cannot compare, such as a session; records beside
 * it, in a store that can, coordinate.
 *
 * Each write is a comparison beside the place first, and stays there for a quarter of an hour: a
 * place that was written back with an older value meanwhile (of a session the last writer wins) is
 * healed at the next read. What was deleted leaves a mark for as long as it could have been used, so
 * that no late write brings it back.
 */
export class PlacedStore implements Store {
  readonly #place: TokenStore
  readonly #beside: Store
  readonly #longest: number

  /** `longest`: seconds for which a late write could bring back what was deleted. */
  constructor(place: TokenStore, beside: Store, longest: number) {
    this.#place = place
    this.#beside = beside
    this.#longest = longest
  }

  get reach(): Store['reach'] {
    return this.#beside.reach
  }

  get durable(): boolean {
    return this.#beside.durable
  }

  get maxValueBytes(): number {
    return this.#beside.maxValueBytes - there.byteLength
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const [newest, placed] = await Promise.all([this.#beside.get(key), this.#placed(key)])
    if (!newest) return placed && { value: placed, version: versionOf(placed) }
    if (isGone(newest)) return undefined
    const value = newest.value.subarray(1)
    if (!placed || Buffer.compare(placed, value) !== 0) {
      await this.#save(key, textOf(value), Infinity).catch(() => {})
    }
    return { value, version: besideVersion(newest.version) }
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    { ttl = Infinity }: SetOptions = {},
  ): Promise<string | undefined> {
    // The caller may change its bytes while others are waited for.
    const [bytes, text] = [Buffer.concat([there, value]), textOf(value)]
    const written = await this.#replace(key, version, bytes, Math.min(ttl, successorTtl))
    if (written === undefined) return undefined
    const saving = this.#save(key, text, ttl)
    // A new value that has no place is a login that has failed; any other is healed later.
    await (version === undefined ? saving : saving.catch(() => {}))
    return besideVersion(written)
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    const written = await this.#replace(key, version, gone, this.#longest)
    if (written === undefined) return false
    await this.#clear(key)
    return true
  }

  async set(key: string, value: Uint8Array, { ttl = Infinity }: SetOptions = {}) {
    const [bytes, text] = [Buffer.concat([there, value]), textOf(value)]
    await this.#beside.set(key, bytes, { ttl: Math.min(ttl, successorTtl) })
    await this.#save(key, text, ttl)
  }

  async delete(key: string): Promise<boolean> {
    const found = await this.get(key)
    await this.#beside.set(key, gone, { ttl: this.#longest })
    await this.#clear(key)
    return found !== undefined
  }

  /** The place is the app's, and what is beside it somebody else's: neither is closed here. */
  async close(): Promise<void> {}

  async #replace(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    ttl: number,
  ): Promise<string | undefined> {
    if (version?.startsWith(besideVersion(''))) {
      const expected = version.slice(besideVersion('').length)
      return this.#beside.compareAndSwap(key, expected, value, { ttl })
    }
    const newest = await this.#beside.get(key)
    const placed = await this.#placed(key)
    const now = newest ? undefined : placed && versionOf(placed)
    const isAsExpected = newest && version === undefined ? isGone(newest) : now === version
    if (!isAsExpected) return undefined
    return this.#beside.compareAndSwap(key, newest?.version, value, { ttl })
  }

  async #placed(key: string): Promise<Uint8Array | undefined> {
    const text = await this.#ask(() => this.#place.get(key))
    return typeof text === 'string' ? Buffer.from(text, 'base64url') : undefined
  }

  async #save(key: string, text: string, seconds: number): Promise<void> {
    const ttl = seconds === Infinity ? undefined : seconds
    await this.#ask(() => this.#place.save(key, text, { ttl }))
  }

  /** The mark beside it says that it is gone, whether its place can be told or not. */
  async #clear(key: string): Promise<void> {
    await this.#ask(() => this.#place.delete(key)).catch(() => {})
  }

  /** An error of the app's own code may hold what it was given. */
  async #ask<T>(operation: () => T | Promise<T>): Promise<T> {
    try {
      return await operation()
    } catch (error) {
      if (error instanceof BehalfError) throw error
      // oxlint-disable-next-line preserve-caught-error -- it is what must not come along
      throw new StoreUnavailableError('the tokenStore of the app has failed')
    }
  }
}

/** The version of a value that nothing stands beside any more. */
function versionOf(placed: Uint8Array): string {
  return `placed ${sha256(Buffer.from(placed).toString('latin1'))}`
}

function besideVersion(version: string): string {
  return `beside ${version}`
}

function isGone({ value }: StoredValue): boolean {
  return value[0] !== there[0]
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString('base64url')
}
