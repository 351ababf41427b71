import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ResponseCache } from '../cache/index.ts'
import { ConfigError, SessionOrderError, StoreUnavailableError } from '../errors.ts'
import { CookieJar } from '../sessions/cookie-jar.ts'
import {
  ExpressSession,
  isExpressSession,
  type RequestWithSession,
} from '../sessions/express-session.ts'
import { OwnSession } from '../sessions/own-session.ts'
import type { Session } from '../sessions/session.ts'
import type { App } from './app.ts'
import { beforeHeaders } from './before-headers.ts'
import type { HeaderReader } from './fetch-metadata.ts'
import { appendCookies, formOf, headerOf } from './node-http.ts'
import type { VisitSource } from './visit.ts'
import { parsedUrl } from '../parsed-url.ts'

/** What Express adds to Node's request. */
interface ExpressRequest extends IncomingMessage {
  /** The path that the app is mounted under. */
  baseUrl?: string
  originalUrl?: string
  /** Honours Express's setting `trust proxy`. */
  protocol?: string
  hostname?: string
  session?: unknown
  responseCache?: ResponseCache
}

/** An Express request, in the terms of a visit. */
export class ExpressSource implements VisitSource {
  readonly request: ExpressRequest
  readonly response: ServerResponse
  readonly jar: CookieJar
  readonly session: Session
  readonly #app: App
  readonly #identify: (req: IncomingMessage) => unknown

  constructor(
    app: App,
    identify: (req: IncomingMessage) => unknown,
    request: ExpressRequest,
    response: ServerResponse,
  ) {
    this.request = request
    this.response = response
    this.jar = new CookieJar(request.headers.cookie, app.configuration.cookie, {
      isOpen: () => !response.headersSent,
      changed: () => beforeHeaders(response, () => this.#setCookies()),
    })
    this.session = sessionOf(app, request, this.jar)
    // Also where this request's tokens are never asked for, its session is saved.
    if (app.tokensInRequest?.needsSession && this.session !== away) app.tokensInRequest.open(this)
    this.#app = app
    this.#identify = identify
  }

  get method(): string {
    return this.request.method ?? 'GET'
  }

  get url(): URL {
    return publicUrl(this.#app, this.request)
  }

  /** The path below the mount point, as it was sent. */
  get path(): string {
    return (this.request.url ?? '/').split('?', 1)[0]!
  }

  get mountPath(): string {
    return this.request.baseUrl ?? ''
  }

  get header(): HeaderReader {
    return (name) => headerOf(this.request, name)
  }

  form(): Promise<URLSearchParams> {
    return formOf(this.request)
  }

  user(): unknown {
    return this.#identify(this.request)
  }

  cache(): ResponseCache | undefined {
    return cacheOf(this.#app, this.request)
  }

  /** The one place where cookies get into the reply, whatever the app has set meanwhile. */
  #setCookies(): void {
    const cookies = this.jar.take()
    if (cookies.length > 0) keepPrivate(this.response)
    appendCookies(this.response, cookies)
  }

  used(): void {
    const isOwn = this.session instanceof OwnSession
    if (isOwn && this.#app.options.session !== 'own') checkOrder(this.request)
    keepPrivate(this.response)
  }
}

const withSessions = new WeakSet<App>()

function unavailable(): never {
  throw new StoreUnavailableError('express-session has no session; its store is disconnected')
}

const away: Session = {
  read: unavailable,
  renew: async () => unavailable(),
  end: async () => unavailable(),
  get tokens() {
    return unavailable()
  },
}

function sessionOf(app: App, req: ExpressRequest, jar: CookieJar): Session {
  const kind = app.options.session ?? 'auto'
  const found = kind !== 'own' && isExpressSession(req.session)
  if (found) {
    withSessions.add(app)
    return new ExpressSession(req as unknown as RequestWithSession)
  }
  // express-session goes on without a session while its store is disconnected: nobody knows who it is.
  if (kind !== 'own' && withSessions.has(app)) return away
  if (kind !== 'express-session') return new OwnSession(jar)
  throw new ConfigError(
    "session is 'express-session', but req.session is not there: put app.use(session(...)) before app.use(auth).",
  )
}

/** What was set for all replies must not make this one public; what the route sets later still wins. */
function keepPrivate(res: ServerResponse): void {
  const set = String(res.getHeader('cache-control') ?? '')
  if (res.headersSent || /\b(private|no-store)\b/i.test(set)) return
  res.setHeader('cache-control', 'private, no-store')
}

/** The cache that was mounted, before or after behalf; without a store of its own it uses the app's. */
function cacheOf(app: App, req: ExpressRequest): ResponseCache | undefined {
  req.responseCache?.attach(app.configuration.store, app.configuration.rules)
  return req.responseCache ?? app.cache
}

/** A session that has come later would have been the one to use. */
function checkOrder(req: ExpressRequest): void {
  if (isExpressSession(req.session)) throw new SessionOrderError()
}

/**
 * The scheme is the app's own: behind a proxy the request's is not the browser's. The host is the
 * request's, because a login may have to move to the host that its cookies belong to.
 */
function publicUrl(app: App, req: ExpressRequest): URL {
  const home = new URL(app.configuration.origins[0]!)
  const host = forwardedHost(req) ?? req.headers.host ?? home.host
  const { origin } = parsedUrl(`${home.protocol}//${host}`) ?? home
  const path = req.originalUrl ?? req.url ?? '/'
  return (path.startsWith('/') && parsedUrl(`${origin}${path}`)) || new URL(home.origin)
}

/** Express trusts X-Forwarded-Host where it takes its hostname from there. */
function forwardedHost(req: ExpressRequest): string | undefined {
  const forwarded = headerOf(req, 'x-forwarded-host')?.split(',', 1)[0]?.trim()
  const name = forwarded && parsedUrl(`http://${forwarded}`)
  return name && name.hostname === req.hostname ? forwarded : undefined
}
