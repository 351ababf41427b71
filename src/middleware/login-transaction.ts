import { hash } from 'node:crypto'
import { RetiredSecretError } from '../errors.ts'
import type { KeyRing } from '../key-ring.ts'
import type { LoginSecrets } from '../oauth/authorization-server.ts'
import type { CookieJar } from '../sessions/cookie-jar.ts'

/** What is kept between authorization request and response, sealed in a cookie of its own. */
export interface LoginTransaction extends LoginSecrets {
  provider: string
  /** The issuer that the user was sent to (RFC 9700 section 4.4: mix-up). */
  issuer: string
  redirectUri: string
  returnTo: string
  /** What was asked for. */
  scope: readonly string[]
  /** The app's user who began it; another one must not finish it. */
  user?: string | undefined
  /** The session in which it began, if there was one: the grants of another one are not added to. */
  session?: string | undefined
  startedAt: number
}

/** Seconds that a login may take. */
export const loginLifetime = 600
/** The browser keeps it for longer, so that one that is too late is told apart from one that is lost. */
const cookieLifetime = 3600

const prefix = '.t.'
const maxTransactions = 10
const maxCookieBytes = 4_096

/**
 * The logins that a browser has under way, one cookie each, so that several tabs finish in any
 * order. Nothing of them is kept on the server.
 */
export class LoginTransactions {
  readonly #jar: CookieJar
  readonly #keyRing: KeyRing

  constructor(jar: CookieJar, keyRing: KeyRing) {
    this.#jar = jar
    this.#keyRing = keyRing
  }

  /** The oldest ones make room: at most ten, and 4 KB of cookies in all. */
  begin(transaction: LoginTransaction): void {
    const suffix = suffixOf(transaction)
    const sealed = this.#keyRing.seal('login', suffix, Buffer.from(JSON.stringify(transaction)))
    const value = Buffer.from(sealed).toString('base64url')
    this.#jar.set(suffix, value, cookieLifetime)
    const older = this.#jar.list(prefix).toSorted((a, b) => (a.suffix < b.suffix ? 1 : -1))
    let bytes = value.length
    for (const [index, cookie] of older.entries()) {
      bytes += cookie.value.length
      if (index + 1 >= maxTransactions || bytes > maxCookieBytes) this.#jar.delete(cookie.suffix)
    }
  }

  /**
   * The transaction of this browser with that state; also one that has expired. Throws a
   * `RetiredSecretError` for one that another secret has sealed: another process may have it already.
   */
  find(state: string): LoginTransaction | undefined {
    const end = `.${hashOf(state)}`
    const cookie = this.#jar.list(prefix).find(({ suffix }) => suffix.endsWith(end))
    if (!cookie) return undefined
    const sealed = Buffer.from(cookie.value, 'base64url')
    const opened = this.#keyRing.open('login', cookie.suffix, sealed)
    if (!opened.ok && opened.reason === 'unknown-key') throw new RetiredSecretError()
    if (!opened.ok) return undefined
    const transaction = JSON.parse(Buffer.from(opened.value).toString()) as LoginTransaction
    return transaction.state === state ? transaction : undefined
  }

  end(transaction: LoginTransaction): void {
    this.#jar.delete(suffixOf(transaction))
  }
}

/** How many logins a browser has under way, whether or not they can still be finished. */
export function loginsUnderWay(jar: CookieJar): number {
  return jar.list(prefix).length
}

/** Twelve hexadecimal digits that tell the login from the browser's others. */
export function nameOf({ state }: LoginTransaction): string {
  return hashOf(state)
}

/** Begins with the time, so that names sort by age without being opened. */
function suffixOf({ startedAt, state }: LoginTransaction): string {
  return `${prefix}${Math.floor(startedAt / 1000).toString(36)}.${hashOf(state)}`
}

function hashOf(state: string): string {
  return hash('sha256', state, 'hex').slice(0, 12)
}
