import type { NextRequest } from 'next/server.js'
import { BehalfError, ConfigError } from '../errors.ts'
import { Behalf, type Health, type JobOptions } from './behalf.ts'
import type { Context } from './context.ts'
import { Grants } from './grants.ts'
import { type ApiHandler, type ApiOptions, apiRoute, type RouteHandler } from './next-api.ts'
import { refuseSharedCache } from './next-cache-scope.ts'
import { coreFor } from './next-core.ts'
import { pageContext, type PageOptions } from './next-page.ts'
import { createProxy, type Proxy } from './next-proxy.ts'
import type { BehalfOptions, Providers } from './options.ts'

export { responseCache } from '../cache/index.ts'
export type { ApiHandler, ApiOptions, RouteHandler } from './next-api.ts'
export type { PageOptions } from './next-page.ts'
export type { Proxy, ProxyHandler } from './next-proxy.ts'

/** The option `user` of this very configuration. */
export type UserOf = (request: Request) => unknown

/** A route handler of behalf's own; outside Next.js, as in tests, it takes any `Request`. */
export type Handler = (request: Request & { nextUrl?: NextRequest['nextUrl'] }) => Promise<Response>

/** What {@link behalf} makes. Each part can be taken out: `export const { handlers, context } = behalf(...)`. */
export interface NextBehalf<P extends Providers = Providers> {
  readonly '~providers'?: P
  /** For `app/auth/[...behalf]/route.ts`: `export const { GET, POST } = handlers`. */
  readonly handlers: { readonly GET: Handler; readonly POST: Handler }
  /**
   * A route handler that gets `{ api, tokens }` as its second argument, and Next's own second one as
   * its third, typed by annotating it: `{ params }: RouteContext<'/api/artist/[id]'>`. With the
   * option `login`, who has not logged in there does not reach it.
   */
  withApi: <Route = unknown>(
    handler: ApiHandler<P, Route>,
    options?: ApiOptions<keyof P & string>,
  ) => RouteHandler<Route>
  /**
   * `{ api, tokens }` of the visitor in a server component, server action or route handler. With the
   * option `login`, who has not logged in there is redirected to the login, and comes back.
   *
   * Throws a `UserInSharedCacheError` inside `'use cache'`.
   */
  context: (options?: PageOptions<keyof P & string>) => Promise<Context<P>>
  /** For `proxy.ts`; pages then know their own path, which is where a login comes back to. */
  readonly proxy: Proxy
  /** See {@link Behalf.forUser}. Throws a `UserInSharedCacheError` inside `'use cache'`. */
  forUser: (userId: string, options?: JobOptions) => Promise<Context<P>>
  /** See {@link Behalf.forSubject}. Throws a `UserInSharedCacheError` inside `'use cache'`. */
  forSubject: Behalf<P>['forSubject']
  /** See {@link Behalf.forApp}. Works inside `'use cache'` too. */
  forApp: Behalf<P>['forApp']
  /** See {@link Behalf.grants}. */
  readonly grants: Grants
  /** See {@link Behalf.ready}. For `instrumentation.ts`; checks the configuration. */
  ready: () => Promise<void>
  /** See {@link Behalf.health}. */
  health: () => Promise<Health>
  /** See {@link Behalf.close}. */
  close: (options?: { timeout?: number | undefined }) => Promise<void>
  /** What is behind it, made at its first use. Throws a `ConfigError` as {@link createBehalf} does. */
  readonly core: Behalf<P>
}

/**
 * behalf for the App Router of Next.js 16. Takes options, or what `createBehalf` made. Nothing is
 * checked or opened before the first request, or {@link NextBehalf.ready}: a build has no secrets.
 */
export function behalf<const P extends Providers>(
  source: BehalfOptions<P> | Behalf<P>,
): NextBehalf<P> {
  const coreOf = source instanceof Behalf ? () => source : coreFor<P>(source)
  // Another configuration that differs in nothing but functions has the same core, and other users.
  const userOf =
    source instanceof Behalf || source.user === undefined
      ? undefined
      : (request: Request) => (source.user as (request: Request) => unknown)(request)
  const answer: Handler = async (request) => {
    const response = await handled(coreOf(), request, userOf)
    return response ?? new Response(null, { status: 404 })
  }
  return {
    handlers: { GET: answer, POST: answer },
    withApi: (handler, options = {}) => apiRoute(coreOf, handler, options, userOf),
    context: (options = {}) => pageContext(coreOf, options, userOf),
    proxy: createProxy(),
    forUser: async (userId, options) => {
      refuseSharedCache()
      return coreOf().forUser(userId, { ...options, used: refuseSharedCache } as JobOptions)
    },
    forSubject: async (provider, subject, options) => {
      refuseSharedCache()
      return coreOf().forSubject(provider, subject, {
        ...options,
        used: refuseSharedCache,
      } as JobOptions)
    },
    forApp: async (provider, options) => coreOf().forApp(provider, options),
    grants: new Grants(async () => coreOf().app()),
    ready: async () => homeOf(coreOf()).ready(),
    health: async () => healthOf(coreOf),
    close: async (options) => coreOf().close(options),
    get core() {
      return coreOf()
    },
  }
}

/** With `trailingSlash: true` Next itself sends every request to a path that ends with one. */
function handled(
  core: Behalf,
  request: Parameters<Handler>[0],
  userOf: UserOf | undefined,
): Promise<Response | undefined> {
  const mountPath = request.nextUrl?.basePath ?? ''
  const path = new URL(request.url).pathname.replace(/(?<=.)\/$/, '')
  return core.handle(request, { mountPath, path, ...(userOf && { user: () => userOf(request) }) })
}

function homeOf<P extends Providers>(core: Behalf<P>): Behalf<P> {
  if (core.origins.length > 0) return core
  throw new ConfigError(
    "baseUrl is missing; set it to the app's public origin, or set BEHALF_BASE_URL.",
  )
}

async function healthOf(coreOf: () => Behalf): Promise<Health> {
  try {
    return await coreOf().health()
  } catch (error) {
    if (!(error instanceof BehalfError)) throw error
    return { ok: false, code: error.code, duration: 0, underWay: 0 }
  }
}
