import type { CookieJar } from './cookie-jar.ts'
import { formatHandle, parseHandle, type Session, type SessionHandle } from './session.ts'

/** A session of behalf's own: the handle is a cookie, everything else is in the store. */
export class OwnSession implements Session {
  readonly #jar: CookieJar
  #handle: SessionHandle | undefined

  constructor(jar: CookieJar) {
    this.#jar = jar
    this.#handle = parseHandle(jar.get(''))
  }

  read(): SessionHandle | undefined {
    return this.#handle
  }

  async renew(handle: SessionHandle): Promise<void> {
    const { maxAge, sameSite } = this.#jar.settings
    this.#handle = handle
    this.#jar.set('', formatHandle(handle), maxAge, sameSite)
  }

  async end(): Promise<void> {
    this.#handle = undefined
    this.#jar.delete('', this.#jar.settings.sameSite)
  }

  get cookies(): readonly string[] {
    return this.#jar.changes
  }
}
