import { NotPersistableError } from '../errors.ts'
import type { CookieJar } from './cookie-jar.ts'

/** RFC 6265 section 6.1: 4,096 bytes for a cookie with its name and attributes. */
const chunkLength = 3_600
/** Servers take 8 to 16 KB of headers in all. */
const mostChunks = 3
const prefix = '.t.'

/**
 * Token records in the browser's cookies. A value that is too long for one is spread over several,
 * and the first one says over how many; what does not fit together is none, and the seal is over the
 * whole.
 */
export class CookieTokens {
  readonly #jar: CookieJar
  readonly #changed: () => void
  /** What this request has written, which the cookies it came with do not show. */
  readonly #written = new Map<string, string | undefined>()

  /** `changed` is called when the reply has cookies to set that it had not before. */
  constructor(jar: CookieJar, changed: () => void) {
    this.#jar = jar
    this.#changed = changed
  }

  get(key: string): string | undefined {
    if (this.#written.has(key)) return this.#written.get(key)
    const [, count = '', first = ''] =
      /^(\d)\.(.*)$/.exec(this.#jar.get(chunkOf(key, 0)) ?? '') ?? []
    const chunks = [first]
    for (let index = 1; index < Number(count); index += 1) {
      chunks.push(this.#jar.get(chunkOf(key, index)) ?? '')
    }
    return count === '' || chunks.includes('') ? undefined : chunks.join('')
  }

  /** Throws a `NotPersistableError` for what browsers would not keep. */
  save(key: string, value: string): void {
    const count = Math.ceil(value.length / chunkLength)
    if (count > mostChunks) throw new NotPersistableError(value.length, mostChunks * chunkLength)
    const { maxAge, sameSite } = this.#jar.settings
    for (let index = 0; index < count; index += 1) {
      const chunk = value.slice(index * chunkLength, (index + 1) * chunkLength)
      const text = index === 0 ? `${count}.${chunk}` : chunk
      this.#jar.set(chunkOf(key, index), text, maxAge, sameSite)
    }
    this.#drop(key, count)
    this.#written.set(key, value)
    this.#changed()
  }

  delete(key: string): void {
    this.#drop(key, 0)
    this.#written.set(key, undefined)
    this.#changed()
  }

  /** Chunks of a longer value that was there before. */
  #drop(key: string, from: number): void {
    for (let index = from; index < mostChunks; index += 1) {
      const suffix = chunkOf(key, index)
      if (this.#jar.get(suffix) !== undefined) this.#jar.delete(suffix, this.#jar.settings.sameSite)
    }
  }
}

/** A key ends with a hash; a part of it tells the few records of one browser apart. */
function chunkOf(key: string, index: number): string {
  return `${prefix}${key.slice(-16)}.${index}`
}
