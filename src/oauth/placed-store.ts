import { BehalfError, NotPersistableError, StoreUnavailableError } from '../errors.ts'
import type { SetOptions, Store, StoredValue } from '../stores/store.ts'
import { goneMark, isNewest, markBytes, markIn, type PlacedMark, thereMark } from './placed-mark.ts'
import type { HomeOfRequest, HomeValue, RecordHome } from './record-home.ts'
import type { TokenStore } from './token-store.ts'
import { within } from './within.ts'

/** Milliseconds for which the newest value is kept beside its place, also when that has been seen to hold it. */
const keptFor = 900_000
/** Seconds that the place has. */
const deadline = { read: 2, write: 5 }

/** What a place is like. */
export interface PlaceSettings {
  /** Seconds for which a late write could bring back what was deleted. */
  longest: number
  /** For a place that comes with a request: does what is written now still reach it? */
  isOpen?: (() => boolean) | undefined
}

/**
 * A store whose values are kept in a place that cannot compare: a table behind three functions, a
 * session, a browser's cookies. What stands beside it, in a store that can, coordinates.
 *
 * Each write is a comparison beside the place first. The mark it leaves says for as long as the
 * value lives which one is the newest, so that an older copy, however it came back, is never taken
 * for it. The newest value itself stands there until its place has been seen to hold it, and for a
 * quarter of an hour at least: an older copy is healed from it, and one that comes later is
 * outdated. What was deleted leaves a mark too. A value that the store had under the same key before there
 * was a place moves there.
 *
 * A place that the app's table is, is believed where there is no mark. What a request brings along
 * is not, unless the store begins empty in each process.
 */
export class PlacedStore implements RecordHome {
  readonly #place: TokenStore
  readonly #store: Store
  readonly #settings: PlaceSettings

  constructor(place: TokenStore, store: Store, settings: PlaceSettings) {
    this.#place = place
    this.#store = store
    this.#settings = settings
  }

  get reach(): Store['reach'] {
    return this.#store.reach
  }

  get durable(): boolean {
    return this.#store.durable
  }

  get maxValueBytes(): number {
    return this.#store.maxValueBytes - markBytes
  }

  get request(): HomeOfRequest | undefined {
    const { isOpen } = this.#settings
    return isOpen && { keeps: isOpen() || this.#store.reach !== 'process' }
  }

  async get(key: string): Promise<HomeValue | undefined> {
    const seen = await this.#look(key)
    const { mark, placed, version } = seen
    if (mark?.is === 'there') {
      if (placed && isNewest(mark, placed)) {
        return { value: placed, version: await this.#letGo(key, seen, mark) }
      }
      if (!mark.value) return placed && { value: placed, version: version!, isOutdated: true }
      await this.#save(key, textOf(mark.value), secondsLeft(mark)).catch(() => {})
      return { value: mark.value, version: version! }
    }
    if (placed && !mark && this.#believes) return this.#adopt(key, placed, version)
    if (placed) await this.#clear(key)
    return mark ? undefined : this.#movedHere(key)
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    { ttl }: SetOptions = {},
  ): Promise<string | undefined> {
    // The caller may change its bytes while others are waited for.
    const [bytes, text] = [thereMark(value, true, ttl), textOf(value)]
    const expected = version === undefined ? await this.#absence(key) : { version }
    if (!expected) return undefined
    const written = await this.#store.compareAndSwap(beside(key), expected.version, bytes, { ttl })
    if (written === undefined) return undefined
    try {
      await this.#save(key, text, ttl)
    } catch (error) {
      // A new value that has no place is none. Another one is kept beside until it has.
      if (version === undefined) {
        const { longest } = this.#settings
        await this.#store.compareAndSwap(beside(key), written, goneMark, { ttl: longest })
        throw error
      }
      if (error instanceof NotPersistableError) warnOfLength(error)
    }
    return written
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    const { longest } = this.#settings
    const written = await this.#store.compareAndSwap(beside(key), version, goneMark, {
      ttl: longest,
    })
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

  /** Also what a request has not brought along is dead from then on, wherever a copy of it is. */
  async delete(key: string): Promise<boolean> {
    const found = await this.get(key)
    let marked: string | undefined
    while (marked === undefined) {
      const { mark, version } = await this.#look(key)
      // Where nothing is believed without a mark there is nothing to mark.
      if (!mark && !this.#believes) break
      const { longest } = this.#settings
      marked = await this.#store.compareAndSwap(beside(key), version, goneMark, { ttl: longest })
    }
    await this.#clear(key)
    return found !== undefined
  }

  /** The place is the app's, and the store somebody else's: neither is closed here. */
  async close(): Promise<void> {}

  /** Is a value that nothing vouches for the newest? */
  get #believes(): boolean {
    return this.#settings.isOpen === undefined || this.#store.reach === 'process'
  }

  async #look(key: string): Promise<Look> {
    const [stored, text] = await Promise.all([
      this.#store.get(beside(key)),
      this.#ask(deadline.read, () => this.#place.get(key)),
    ])
    const placed = typeof text === 'string' ? Buffer.from(text, 'base64url') : undefined
    return { mark: stored && markIn(stored.value), placed, version: stored?.version }
  }

  /** The version of the mark that says so, if the value is absent. */
  async #absence(key: string): Promise<{ version: string | undefined } | undefined> {
    const { mark, placed, version } = await this.#look(key)
    const isThere =
      mark?.is === 'there'
        ? placed !== undefined || mark.value !== undefined
        : placed !== undefined && !mark && this.#believes
    return isThere ? undefined : { version }
  }

  async #adopt(
    key: string,
    placed: Uint8Array,
    version: string | undefined,
  ): Promise<HomeValue | undefined> {
    const { longest } = this.#settings
    const mark = thereMark(placed, false, longest)
    const marked = await this.#store.compareAndSwap(beside(key), version, mark, { ttl: longest })
    return marked === undefined ? this.get(key) : { value: placed, version: marked }
  }

  /** The place holds it: what is kept beside is needed for copies that are on their way only. */
  async #letGo(key: string, { version }: Look, mark: There): Promise<string> {
    const isNeeded = Date.now() - mark.writtenAt < keptFor
    if (!mark.value || isNeeded) return version!
    const ttl = secondsLeft(mark)
    const rest = thereMark(mark.value, false, ttl)
    const written = this.#store.compareAndSwap(beside(key), version, rest, { ttl })
    return (await written.catch(() => undefined)) ?? version!
  }

  /** What the store itself has under this key is from before it had a place. */
  async #movedHere(key: string): Promise<StoredValue | undefined> {
    const before = await this.#store.get(key)
    if (!before) return undefined
    const { value } = before
    const { isOpen, longest } = this.#settings
    const ttl = isOpen && longest
    const mark = thereMark(value, true, ttl)
    const version = await this.#store.compareAndSwap(beside(key), undefined, mark, { ttl })
    if (version === undefined) return this.get(key)
    await this.#store.compareAndDelete(key, before.version)
    await this.#save(key, textOf(value), ttl).catch(() => {})
    return { value, version }
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
      const answer = operation()
      return answer instanceof Promise ? await within(answer, seconds, failed) : answer
    } catch (error) {
      if (error instanceof BehalfError) throw error
      // oxlint-disable-next-line preserve-caught-error -- it is what must not come along
      throw failed
    }
  }
}

type There = PlacedMark & { is: 'there' }

/** A place and what stands beside it. */
interface Look {
  mark: PlacedMark | undefined
  placed: Uint8Array | undefined
  /** Of the mark, also of one that cannot be read. */
  version: string | undefined
}

function beside(key: string): string {
  return `${key}:beside`
}

function secondsLeft({ endsAt }: There): number | undefined {
  return endsAt === Infinity ? undefined : (endsAt - Date.now()) / 1000
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString('base64url')
}

const told = new Set<string>()

/** Nothing is lost, but the tokens are not where the app wants them. */
function warnOfLength({ code, message }: NotPersistableError): void {
  if (told.has(code)) return
  told.add(code)
  process.emitWarning(`${message} Tokens that are refreshed stay in store meanwhile.`, {
    type: 'BehalfWarning',
    code: 'BEHALF_NOT_PERSISTABLE',
  })
}
