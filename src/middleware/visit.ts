import { ConfigError, UserRequiredError } from '../errors.ts'
import type { ResponseCache } from '../cache/index.ts'
import { type GrantOwner, type SessionOwner, userOwner } from '../oauth/grant-owner.ts'
import type { RecordHome } from '../oauth/record-home.ts'
import { missingScope, normalizeScope } from '../oauth/scope.ts'
import type { LoginUrlOptions, Visitor } from '../oauth/token-handler.ts'
import type { CookieJar } from '../sessions/cookie-jar.ts'
import type { Session, SessionHandle } from '../sessions/session.ts'
import type { TokenPlace } from '../sessions/token-place.ts'
import type { App } from './app.ts'
import type { HeaderReader } from './fetch-metadata.ts'
import { withQuery } from './with-query.ts'

/** One request of a visitor, in the terms of no framework. */
export interface VisitSource {
  readonly method: string
  /** As the browser sees it: public origin, and the path with whatever it is mounted under. */
  readonly url: URL
  readonly header: HeaderReader
  readonly jar: CookieJar
  readonly session: Session
  /** Where the app is mounted, '' at the root. */
  readonly mountPath: string
  /** A posted form, small. */
  form(): Promise<URLSearchParams>
  /** What the option `user` says. */
  user(): unknown
  cache(): ResponseCache | undefined
  /** Called when the reply begins to depend on who is asking. */
  used(): void
}

/** A visitor's request to an app: whose grants it can use, and how they log in. */
export class Visit implements Visitor {
  readonly app: App
  readonly source: VisitSource
  #tokens: TokenPlace | undefined
  #home: RecordHome | undefined

  constructor(app: App, source: VisitSource) {
    this.app = app
    this.source = source
  }

  async owner(): Promise<GrantOwner | undefined> {
    this.source.used()
    if (this.app.connects) {
      const id = await this.user()
      return id === undefined ? undefined : userOwner(id)
    }
    // A place that is not there is told before anybody logs in for nothing.
    const { home } = this
    const handle = this.source.session.read()
    return handle && { kind: 'session', ...handle, home }
  }

  /** Whom a handle stands for; the records are where this request brings them along, if it does. */
  ownerOf(handle: SessionHandle): SessionOwner {
    return { kind: 'session', ...handle, home: this.home }
  }

  /** Over the place for tokens; `undefined`: records are in the store. */
  get home(): RecordHome | undefined {
    const { tokens } = this
    return (this.#home ??= tokens && this.app.homeIn(tokens))
  }

  /** The place for tokens that the request brings along, where the app wants them there. */
  get tokens(): TokenPlace | undefined {
    const { tokensInRequest: wanted } = this.app
    if (!wanted) return undefined
    this.#tokens ??= wanted.open(this.source)
    if (this.#tokens) return this.#tokens
    throw new ConfigError(
      `tokenStore is ${wanted.name}, but there is no session of express-session: put app.use(session(...)) before app.use(auth).`,
    )
  }

  /** The app's user; throws `UserRequiredError` where there is none. `undefined` without the option. */
  async requireUser(provider: string): Promise<string | undefined> {
    const user = await this.user()
    if (user === undefined && this.app.connects) throw new UserRequiredError(provider)
    return user
  }

  /** The app's user, asked for anew each time: the app's login may come after behalf. */
  async user(): Promise<string | undefined> {
    if (!this.app.connects) return undefined
    const id = await this.source.user()
    return id === undefined || id === null ? undefined : userOwner(id).id
  }

  /** The path under which the routes are reached from outside. */
  get routes(): string {
    return `${this.source.mountPath}${this.app.configuration.basePath}`
  }

  /** Only `returnTo` stands in the open; it is checked when it comes back. The rest is sealed. */
  loginUrl(provider: string, options: LoginUrlOptions): string {
    const { returnTo, ...rest } = options
    const extra = normalizeScope(rest.scope)
    checkOptional(this.app, provider, extra)
    const query: Record<string, string> = {}
    if (extra.length > 0 || rest.prompt || rest.loginHint || rest.maxAge !== undefined) {
      const request = Buffer.from(JSON.stringify({ ...rest, scope: extra }))
      const sealed = this.app.keyRing.seal('login url', provider, request)
      query['request'] = Buffer.from(sealed).toString('base64url')
    }
    if (returnTo !== undefined && returnTo !== '/') query['returnTo'] = returnTo
    return withQuery(`${this.routes}/${provider}/login`, query)
  }
}

/** Throws a `ConfigError` for scopes that the provider is not configured for. */
export function checkOptional(app: App, name: string, extra: readonly string[]): void {
  const { scope, optionalScope } = app.accesses.get(name)!.provider
  const unknown = missingScope([...scope, ...optionalScope], extra)
  if (unknown.length === 0) return
  throw new ConfigError(
    `The scope ${unknown.join(' ')} is not in providers.${name}.scope or .optionalScope; add it to optionalScope.`,
  )
}
