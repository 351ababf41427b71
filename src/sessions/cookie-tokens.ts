import { hash } from 'node:crypto'
import { NotPersistableError } from '../errors.ts'
import type { CookieJar } from './cookie-jar.ts'
import type { TokenPlace } from './token-place.ts'

/** Not the `.t.` of logins under way. */
const prefix = '.g.'
/** RFC 6265 section 6.1: 4,096 bytes for a cookie; its name and value get this much of them. */
const cookieLength = 3_900
/** Bytes of all token cookies of a browser: proxies take 8 KB for a header line, and the app has cookies of its own. */
const mostBytes = 7_000
const mostChunks = 2
const chunk = /^([1-9])\.([\w-]{8})\.([\w-]+)$/

/**
 * Token records in the browser's cookies. A value that is too long for one is spread over several;
 * each says over how many, and which value it is a part of, so that what is left of another is never
 * put together with it. The seal is over the whole.
 */
export class CookieTokens implements TokenPlace {
  readonly #jar: CookieJar
  /** What this request has written, which the cookies it came with do not show. */
  readonly #written = new Map<string, string | undefined>()
  #retained: ReadonlySet<string> | undefined

  constructor(jar: CookieJar) {
    this.#jar = jar
  }

  /** What cannot be put together is cleared. */
  get(key: string): string | undefined {
    const value = this.#value(nameOf(key))
    if (value === undefined && this.isOpen()) this.#drop(nameOf(key), 0)
    return value
  }

  save(key: string, value: string, { ttl }: { ttl: number | undefined }): void {
    const name = nameOf(key)
    if (!this.isOpen() || this.#value(name) === value) return
    const chunks = this.#chunksOf(name, value)
    this.#checkRoom(name, chunks)
    const { maxAge, sameSite } = this.#jar.settings
    const age = Math.floor(Math.min(ttl ?? maxAge, maxAge))
    for (const [suffix, text] of chunks) this.#jar.set(suffix, text, age, sameSite)
    this.#drop(name, chunks.length)
    this.#written.set(name, value)
  }

  delete(key: string): void {
    if (!this.isOpen()) return
    this.#drop(nameOf(key), 0)
    this.#written.set(nameOf(key), undefined)
  }

  isOpen(): boolean {
    return this.#jar.isOpen
  }

  retain(keys: readonly string[]): void {
    this.#retained = new Set(keys.map(nameOf))
    for (const name of this.#names()) {
      if (!this.#retained.has(name)) this.#drop(name, 0)
    }
  }

  reset(): void {
    this.#retained = undefined
    this.#written.clear()
    this.#jar.revert(this.#jar.nameOf(prefix))
  }

  #value(name: string): string | undefined {
    if (this.#written.has(name)) return this.#written.get(name)
    const parts: string[] = []
    let whole = ''
    for (let index = 0, count = 1; index < count; index += 1) {
      const [, total, value, part] = chunk.exec(this.#jar.get(suffixOf(name, index)) ?? '') ?? []
      if (part === undefined || Number(total) > mostChunks) return undefined
      if (index === 0) [count, whole] = [Number(total), value!]
      else if (value !== whole || Number(total) !== count) return undefined
      parts.push(part)
    }
    return parts.join('')
  }

  #chunksOf(name: string, value: string): Array<[suffix: string, text: string]> {
    const tag = hash('sha256', value, 'base64url').slice(0, 8)
    const room = cookieLength - this.#bytesOf(suffixOf(name, 0), `1.${tag}.`)
    const count = Math.ceil(value.length / room)
    return Array.from({ length: count }, (_, index) => [
      suffixOf(name, index),
      `${count}.${tag}.${value.slice(index * room, (index + 1) * room)}`,
    ])
  }

  #checkRoom(name: string, chunks: ReadonlyArray<[suffix: string, text: string]>): void {
    const others = [...this.#names()].filter((one) => one !== name && this.#stays(one))
    const all = [...chunks, ...others.flatMap((one) => this.#cookiesOf(one))]
    const bytes = all.reduce((sum, [suffix, text]) => sum + this.#bytesOf(suffix, text), 0)
    if (bytes <= mostBytes && chunks.length <= mostChunks) return
    throw new NotPersistableError(
      `they need ${bytes} bytes, and cookies that hold them have ${mostBytes}`,
      'Leave tokenStore out, so that they live in store.',
    )
  }

  #bytesOf(suffix: string, text: string): number {
    return this.#jar.nameOf(suffix).length + text.length
  }

  #stays(name: string): boolean {
    return this.#retained?.has(name) ?? true
  }

  /** Of a record that has cookies, with those that this reply will set. */
  #cookiesOf(name: string): Array<[suffix: string, text: string]> {
    if (this.#written.has(name)) {
      const value = this.#written.get(name)
      return value === undefined ? [] : this.#chunksOf(name, value)
    }
    const start = `${prefix}${name}.`
    return this.#jar.list(start).map(({ suffix, value }) => [suffix, value])
  }

  #names(): Set<string> {
    const received = this.#jar.list(prefix).map(({ suffix }) => suffix.split('.')[2]!)
    return new Set([...received, ...this.#written.keys()])
  }

  /** Chunks of a longer value that was there before. */
  #drop(name: string, from: number): void {
    const { sameSite } = this.#jar.settings
    const start = `${prefix}${name}.`
    for (const { suffix } of this.#jar.list(start)) {
      if (Number(suffix.slice(start.length)) >= from) this.#jar.delete(suffix, sameSite)
    }
    // What this very reply was about to set.
    for (let index = from; index < mostChunks; index += 1) {
      const suffix = suffixOf(name, index)
      if (this.#written.get(name) !== undefined) this.#jar.delete(suffix, sameSite)
    }
  }
}

/** A key ends with a hash of whose it is, and at which provider: 64 bits of it tell a browser's few apart. */
function nameOf(key: string): string {
  return key.slice(-16)
}

function suffixOf(name: string, index: number): string {
  return `${prefix}${name}.${index}`
}
