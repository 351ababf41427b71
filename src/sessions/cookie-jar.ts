import { parse, serialize, type SerializeOptions } from 'cookie'

/** How the app's cookies are written. */
export interface CookieSettings {
  /** First part of every cookie's name. */
  name: string
  sameSite: 'lax' | 'strict'
  /** `__Host-` cookies, for https only. Without it the names differ, so that the two never mix. */
  secure: boolean
  /** Seconds that the browser keeps the session cookie. */
  maxAge: number
}

/** The cookies of one request, and those that its reply will set. */
export class CookieJar {
  readonly #settings: CookieSettings
  readonly #header: string | undefined
  #parsed: Readonly<Record<string, string | undefined>> | undefined
  readonly #set = new Map<string, string>()

  constructor(header: string | undefined, settings: CookieSettings) {
    this.#settings = settings
    this.#header = header
  }

  /** `suffix` tells the cookies of one app apart; the session's is ''. */
  get(suffix: string): string | undefined {
    const name = this.#name(suffix)
    return Object.hasOwn(this.#received, name) ? this.#received[name] : undefined
  }

  /** The suffixes received that begin with `prefix`, and their values. */
  list(prefix: string): Array<{ suffix: string; value: string }> {
    const start = this.#name(prefix)
    const base = this.#name('').length
    return Object.entries(this.#received).flatMap(([name, value]) =>
      name.startsWith(start) && value !== undefined ? [{ suffix: name.slice(base), value }] : [],
    )
  }

  /** `maxAge` in seconds. Lax where a provider's redirect must bring the cookie back. */
  set(suffix: string, value: string, maxAge: number, sameSite: 'lax' | 'strict' = 'lax'): void {
    this.#write(suffix, value, { maxAge, sameSite })
  }

  /** Deletes with the attributes that the cookie was set with; Expires is for clients without Max-Age. */
  delete(suffix: string, sameSite: 'lax' | 'strict' = 'lax'): void {
    this.#write(suffix, '', { maxAge: 0, expires: new Date(0), sameSite })
  }

  /** The `Set-Cookie` values for the reply. */
  get changes(): string[] {
    return [...this.#set.values()]
  }

  get settings(): CookieSettings {
    return this.#settings
  }

  /** Most requests never ask. */
  get #received(): Readonly<Record<string, string | undefined>> {
    return (this.#parsed ??= this.#header ? parse(this.#header) : {})
  }

  #write(suffix: string, value: string, lifetime: SerializeOptions): void {
    const name = this.#name(suffix)
    const { secure } = this.#settings
    this.#set.set(name, serialize(name, value, { path: '/', httpOnly: true, secure, ...lifetime }))
  }

  #name(suffix: string): string {
    const { name, secure } = this.#settings
    return `${secure ? '__Host-' : ''}${name}${suffix}`
  }
}
