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

/** The reply that a jar's cookies go out with. */
export interface CookieReply {
  /** Can cookies still be set? */
  isOpen(): boolean
  /** Called at the first change, so that the reply is seen to. */
  changed(): void
}

/**
 * The cookies of one request, and those that its reply will set. Whoever sends the reply takes them
 * when its headers go out; from then on the jar is closed.
 */
export class CookieJar {
  readonly #settings: CookieSettings
  readonly #header: string | undefined
  readonly #reply: CookieReply | undefined
  #parsed: Readonly<Record<string, string | undefined>> | undefined
  readonly #set = new Map<string, string>()
  #isTaken = false

  constructor(header: string | undefined, settings: CookieSettings, reply?: CookieReply) {
    this.#settings = settings
    this.#header = header
    this.#reply = reply
  }

  /** Does what is set now go out with the reply? */
  get isOpen(): boolean {
    return !this.#isTaken && (this.#reply?.isOpen() ?? true)
  }

  /** `suffix` tells the cookies of one app apart; the session's is ''. */
  get(suffix: string): string | undefined {
    return this.received(this.nameOf(suffix))
  }

  /** A cookie that is not the app's own to name. */
  received(name: string): string | undefined {
    return Object.hasOwn(this.#received, name) ? this.#received[name] : undefined
  }

  /** The suffixes received that begin with `prefix`, and their values. */
  list(prefix: string): Array<{ suffix: string; value: string }> {
    const start = this.nameOf(prefix)
    const base = this.nameOf('').length
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

  /** A cookie that is not the app's own to name, with attributes of its own. */
  setForeign(name: string, value: string, attributes: SerializeOptions): void {
    this.#change(name, serialize(name, value, attributes))
  }

  /** Takes back what was to be set under names that begin so. */
  revert(start: string): void {
    for (const name of this.#set.keys()) {
      if (name.startsWith(start)) this.#set.delete(name)
    }
  }

  /** The `Set-Cookie` values for the reply, once; closes the jar. */
  take(): string[] {
    const changes = [...this.#set.values()]
    this.#set.clear()
    this.#isTaken = true
    return changes
  }

  get settings(): CookieSettings {
    return this.#settings
  }

  /** Most requests never ask. */
  get #received(): Readonly<Record<string, string | undefined>> {
    return (this.#parsed ??= this.#header ? parse(this.#header) : {})
  }

  #write(suffix: string, value: string, lifetime: SerializeOptions): void {
    const name = this.nameOf(suffix)
    const { secure } = this.#settings
    this.#change(name, serialize(name, value, { path: '/', httpOnly: true, secure, ...lifetime }))
  }

  #change(name: string, cookie: string): void {
    if (this.#set.size === 0) this.#reply?.changed()
    this.#set.set(name, cookie)
  }

  /** The whole name of a cookie. */
  nameOf(suffix: string): string {
    const { name, secure } = this.#settings
    return `${secure ? '__Host-' : ''}${name}${suffix}`
  }
}
