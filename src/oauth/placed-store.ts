import { StoreUnavailableError } from '../errors.ts'
import type { SetOptions, Store, StoredValue } from '../stores/store.ts'
import { sha256 } from './token-record.ts'
import type { TokenStore } from './token-store.ts'
import { within } from './within.ts'

/** Seconds for which the newest value is also kept beside its place. */
const besideTtl = 900
/** Tells the versions of a place from those of the store. */
const ofPlace = 'placed '
/** Seconds that the place has. */
const deadline = { read: 2, write: 5 }
/** What stands beside a place begins with one of these: its newest value follows, or it was deleted. */
const there = Buffer.from([1])
const gone = Buffer.from([0])

/**
 * A store whose values are kept in a place that cannot compare, such as a table behind three
 * functions; what stands beside it, in a store that can, coordinates.
 *
 * Each write is a comparison beside the place first, and stays there for a quarter of an hour: who
 * writes the place later than somebody else is healed at the next read. What was deleted leaves a
 * mark, so that no late write brings it back. A value that the store had under the same key before
 * there was a place moves there.
 */
export class PlacedStore implements Store {
  readonly #place: TokenStore
  readonly #store: Store
  readonly #longest: number

  /** `longest`: seconds for which a late write could bring back what was deleted. */
  constructor(place: TokenStore, store: Store, longest: number) {
    this.#place = place
    this.#store = store
    this.#longest = longest
  }

  get reach(): Store['reach'] {
    return this.#store.reach
  }

  get durable(): boolean {
    return this.#store.durable
  }

  get maxValueBytes(): number {
    return this.#store.maxValueBytes - there.byteLength
  }

  async get(key: string): Promise<StoredValue | undefined> {
    const [newest, placed] = await Promise.all([this.#store.get(beside(key)), this.#placed(key)])
    if (!newest) {
      return placed ? { value: placed, version: placedVersion(placed) } : this.#movedHere(key)
    }
    if (isGone(newest)) {
      if (placed) await this.#clear(key)
      return undefined
    }
    const value = newest.value.subarray(1)
    if (!placed || Buffer.compare(placed, value) !== 0) {
      await this.#save(key, textOf(value), undefined).catch(() => {})
    }
    return { value, version: newest.version }
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    { ttl }: SetOptions = {},
  ): Promise<string | undefined> {
    // The caller may change its bytes while others are waited for.
    const [bytes, text] = [Buffer.concat([there, value]), textOf(value)]
    const written = await this.#replace(key, version, bytes, Math.min(ttl ?? besideTtl, besideTtl))
    if (written === undefined) return undefined
    try {
      await this.#save(key, text, ttl)
    } catch (error) {
      // What was there is healed later; a new value that has no place is none.
      if (version !== undefined) return written
      await this.#store.compareAndSwap(beside(key), written, gone, { ttl: this.#longest })
      throw error
    }
    return written
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    const written = await this.#replace(key, version, gone, this.#longest)
    if (written === undefined) return false
    await this.#clear(key)
    return true
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const copy = new Uint8Array(value)
    let written: string | undefined
    while (written === undefined) {
      written = await this.compareAndSwap(key, (await this.get(key))?.version, copy, options)
    }
  }

  async delete(key: string): Promise<boolean> {
    const found = await this.get(key)
    let marked: string | undefined
    while (marked === undefined) {
      const newest = await this.#store.get(beside(key))
      const ttl = this.#longest
      marked = await this.#store.compareAndSwap(beside(key), newest?.version, gone, { ttl })
    }
    await this.#clear(key)
    return found !== undefined
  }

  /** The place is the app's, and the store somebody else's: neither is closed here. */
  async close(): Promise<void> {}

  async #replace(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    ttl: number,
  ): Promise<string | undefined> {
    if (version !== undefined && !version.startsWith(ofPlace)) {
      return this.#store.compareAndSwap(beside(key), version, value, { ttl })
    }
    const newest = await this.#store.get(beside(key))
    const placed = await this.#placed(key)
    const now = newest ? undefined : placed && placedVersion(placed)
    const isAsExpected = newest && version === undefined ? isGone(newest) : now === version
    if (!isAsExpected) return undefined
    return this.#store.compareAndSwap(beside(key), newest?.version, value, { ttl })
  }

  /** What the store itself has under this key is from before it had a place. */
  async #movedHere(key: string): Promise<StoredValue | undefined> {
    const before = await this.#store.get(key)
    if (!before) return undefined
    const { value } = before
    const version = await this.compareAndSwap(key, undefined, value)
    if (version === undefined) return this.get(key)
    await this.#store.compareAndDelete(key, before.version)
    return { value, version }
  }

  async #placed(key: string): Promise<Uint8Array | undefined> {
    const text = await this.#ask(deadline.read, () => this.#place.get(key))
    return typeof text === 'string' ? Buffer.from(text, 'base64url') : undefined
  }

  async #save(key: string, text: string, ttl: number | undefined): Promise<void> {
    await this.#ask(deadline.write, () => this.#place.save(key, text, { ttl }))
  }

  /** The mark beside it says that it is gone, whether its place can be told now or not. */
  async #clear(key: string): Promise<void> {
    await this.#ask(deadline.write, () => this.#place.delete(key)).catch(() => {})
  }

  /** An error of the app's own code may hold what it was given. */
  async #ask<T>(seconds: number, operation: () => T | Promise<T>): Promise<T> {
    const failed = new StoreUnavailableError('the tokenStore of the app has failed, or is too slow')
    try {
      return await within(Promise.resolve(operation()), seconds, failed)
    } catch {
      throw failed
    }
  }
}

function beside(key: string): string {
  return `${key}:beside`
}

/** The version of a value that nothing stands beside any more. */
function placedVersion(placed: Uint8Array): string {
  return `${ofPlace}${sha256(Buffer.from(placed).toString('latin1'))}`
}

function isGone({ value }: StoredValue): boolean {
  return value[0] !== there[0]
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString('base64url')
}
