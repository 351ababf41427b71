import { ConfigError, NotPersistableError } from '../errors.ts'
import type { CookieJar } from './cookie-jar.ts'
import type { TokenPlace } from './token-place.ts'

/** The cookies that iron-session reads and sets: the part of Next's `cookies()` that it uses. */
export interface IronCookies {
  get(name: string): { name: string; value: string } | undefined
  set(
    ...cookie: [name: string, value: string, attributes?: object | undefined] | [IronCookie]
  ): void
}

interface IronCookie {
  name: string
  value: string
}

/** iron-session's own function, as far as it is used here. */
export type GetIronSession<Options> = (
  cookies: IronCookies,
  options: Options,
) => Promise<IronSession>

/** A session of iron-session. */
interface IronSession {
  save(): Promise<void>
  tokens?: unknown
}

/** The names begin with the session's own: a copy of iron-session's options is enough to tell it. */
const suffix = '.behalf'

/**
 * Token records in a cookie that iron-session seals, beside the one in which the app has its session:
 * of two who write one cookie in overlapping replies, one loses what it wrote.
 */
export class IronTokens<Options extends { cookieName: string }> implements TokenPlace {
  readonly #jar: CookieJar
  readonly #getIronSession: GetIronSession<Options>
  readonly #options: Options
  #opened: Promise<IronSession> | undefined
  #retained: ReadonlySet<string> | undefined

  constructor(jar: CookieJar, getIronSession: GetIronSession<Options>, options: Options) {
    this.#jar = jar
    this.#getIronSession = getIronSession
    this.#options = { ...options, cookieName: `${options.cookieName}${suffix}` }
  }

  async get(key: string): Promise<string | undefined> {
    const text = tokensOf(await this.#session())[key]
    return typeof text === 'string' ? text : undefined
  }

  save(key: string, value: string): Promise<void> {
    return this.#change(key, value)
  }

  delete(key: string): Promise<void> {
    return this.#change(key, undefined)
  }

  isOpen(): boolean {
    return this.#jar.isOpen
  }

  retain(keys: readonly string[]): void {
    this.#retained = new Set(keys)
  }

  reset(): void {
    this.#retained = undefined
    this.#opened = undefined
    this.#jar.revert(this.#options.cookieName)
  }

  async #change(key: string, value: string | undefined): Promise<void> {
    const session = await this.#session()
    const before = tokensOf(session)
    if (!this.isOpen() || before[key] === value) return
    const all = Object.entries({ ...before, [key]: value })
    const kept = all.filter(([name, text]) => text && (this.#retained?.has(name) ?? true))
    session.tokens = Object.fromEntries(kept)
    try {
      await session.save()
    } catch {
      session.tokens = before
      throw new NotPersistableError(
        'iron-session does not take them; a cookie of its has 4,096 bytes',
        'Use sealedCookie(), which takes more than one, or leave tokenStore out, so that they live in store.',
      )
    }
  }

  #session(): Promise<IronSession> {
    return (this.#opened ??= this.#open((name) => this.#jar.received(name))
      // What it cannot open, and does not forgive, is as good as nothing.
      .catch(() => this.#open(() => undefined))
      .catch(() => {
        throw new ConfigError(
          'ironSession(): iron-session refuses its options; check cookieName and password (32 characters or more).',
        )
      }))
  }

  #open(received: (name: string) => string | undefined): Promise<IronSession> {
    const cookies: IronCookies = {
      get: (name) => {
        const value = received(name)
        return value === undefined ? undefined : { name, value }
      },
      set: (...[first, sealed = '', attributes = {}]) => {
        const given =
          typeof first === 'string' ? { name: first, value: sealed, ...attributes } : first
        const { name, value, ...rest } = given
        this.#jar.setForeign(name, value, rest)
      },
    }
    return this.#getIronSession(cookies, this.#options)
  }
}

function tokensOf({ tokens }: IronSession): Record<string, unknown> {
  return typeof tokens === 'object' && tokens !== null ? { ...tokens } : {}
}
