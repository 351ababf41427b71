import type { CookieJar } from './cookie-jar.ts'
import { formatHandle, parseHandle, type Session, type SessionHandle } from './session.ts'

/** A session of behalf's own: the handle is a cookie, everything else is in the store. */
export class OwnSession implements Session {
  readonly #jar: CookieJar
  /** What this request has written, which the cookies it came with do not show. */
  #written: { handle: SessionHandle | undefined } | undefined

  constructor(jar: CookieJar) {
    this.#jar = jar
  }

  read(): SessionHandle | undefined {
    if (this.#written) return this.#written.handle
    const cookie = this.#jar.get('')
    const handle = parseHandle(cookie)
    if (cookie !== undefined && !handle) this.#jar.delete('', this.#jar.settings.sameSite)
    return handle
  }

  async renew(handle: SessionHandle): Promise<void> {
    const { maxAge, sameSite } = this.#jar.settings
    this.#written = { handle }
    this.#jar.set('', formatHandle(handle), maxAge, sameSite)
  }

  async end(): Promise<void> {
    this.#written = { handle: undefined }
    this.#jar.delete('', this.#jar.settings.sameSite)
  }
}
