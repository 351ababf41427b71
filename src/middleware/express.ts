import type { IncomingMessage, ServerResponse } from 'node:http'
import { ConfigError } from '../errors.ts'
import { normalizeScope } from '../oauth/scope.ts'
import { processState } from '../process-state.ts'
import type { App } from './app.ts'
import { Behalf, type Health, type JobOptions } from './behalf.ts'
import { type Context, contextFor } from './context.ts'
import { ExpressSource } from './express-source.ts'
import type { Grants } from './grants.ts'
import { sendResponse, webRequest } from './node-http.ts'
import type { BehalfOptions, Providers } from './options.ts'
import { admit } from './require-login.ts'
import { respond } from './routes.ts'
import { Visit } from './visit.ts'

export { responseCache } from '../cache/index.ts'

/**
 * Tells TypeScript of your app's providers, once:
 *
 *     declare module 'behalf/express' { interface Register { behalf: typeof auth } }
 *
 * With `names: { api: 'upstream' }` the names on the request are yours.
 */
// oxlint-disable-next-line typescript/no-empty-object-type -- apps augment it
export interface Register {}

type Registered<Key extends string, Otherwise> =
  Register extends Record<Key, infer T> ? T : Otherwise
type RegisteredProviders =
  Registered<'behalf', unknown> extends { readonly '~providers'?: infer P extends Providers }
    ? P
    : Providers
type NameOf<Key extends string> =
  Registered<'names', object> extends Record<Key, infer N extends string> ? N : Key
type RequestContext = {
  // oxlint-disable-next-line typescript/no-unnecessary-type-arguments -- the default is for an app that has not registered
  [Key in keyof Context as NameOf<Key>]: Context<RegisteredProviders>[Key]
}

declare global {
  // oxlint-disable-next-line typescript/no-namespace -- it is how Express's request is extended
  namespace Express {
    // oxlint-disable-next-line typescript/no-empty-object-type -- it adds what it extends
    interface Request extends RequestContext {}
  }
}

/** The names of the registered providers. */
// oxlint-disable-next-line typescript/no-duplicate-type-constituents -- they differ once an app has registered
type ProviderName = keyof RegisteredProviders & string

/** What the option `user` is given: Express's request, loosely typed to keep the types from a circle. */
/* oxlint-disable typescript/no-explicit-any -- `req.user` is whatever the app's login makes it */
export type UserRequest = IncomingMessage & {
  readonly user?: any
  readonly session?: any
  readonly [property: string]: any
}
/* oxlint-enable typescript/no-explicit-any */

/** Options of {@link behalf}. */
export type ExpressOptions<P extends Providers> = BehalfOptions<P, UserRequest>

type Next = (error?: unknown) => void

/** Express middleware in the terms of node:http, so that it leaves `req.params` alone. */
export type Middleware = (req: IncomingMessage, res: ServerResponse, next: Next) => void

/** What {@link behalf} makes: middleware, and the same things outside a request. */
export interface ExpressBehalf<P extends Providers = Providers> extends Middleware {
  readonly '~providers'?: P
  /** `api` and `tokens` of a request that has passed the middleware, typed. */
  context: (req: IncomingMessage) => Context<P>
  /** See {@link Behalf.forUser}. */
  forUser: (userId: string, options?: JobOptions) => Promise<Context<P>>
  /** See {@link Behalf.forSubject}. */
  forSubject: Behalf<P>['forSubject']
  /** See {@link Behalf.forApp}. */
  forApp: Behalf<P>['forApp']
  /** See {@link Behalf.grants}. */
  readonly grants: Grants
  /** See {@link Behalf.health}. */
  health: () => Promise<Health>
  /** What is behind it: the core on web-standard requests. */
  readonly core: Behalf<P>
  /** See {@link Behalf.ready}. */
  ready: () => Promise<void>
  /** See {@link Behalf.close}. */
  close: (options?: { timeout?: number | undefined }) => Promise<void>
}

/**
 * The middleware: answers `/auth/...`, and puts `req.api` and `req.tokens` on every other request.
 * Mount it after the session and before the routes. Takes options, or what `createBehalf` made.
 *
 * Throws a `ConfigError` that says what to change, for unsafe or incomplete options.
 */
export function behalf<const P extends Providers>(
  source: ExpressOptions<P> | Behalf<P>,
): ExpressBehalf<P> {
  const core = source instanceof Behalf ? source : new Behalf<P>(source)
  const [home] = core.origins
  if (home === undefined) {
    throw new ConfigError(
      "baseUrl is missing; set it to the app's public origin, or set BEHALF_BASE_URL.",
    )
  }
  // A core was made for web-standard requests, and so was its option `user`.
  const identify = (req: IncomingMessage) =>
    core.identify(source instanceof Behalf ? webRequest(req, home) : req)
  const middleware: Middleware = (req, res, next) => {
    const arrive = (app: App) => pass(core, app, new ExpressSource(app, identify, req, res), next)
    const { running } = core
    if (running) void arrive(running)
    else core.app().then(arrive).catch(next)
  }
  return Object.assign(middleware, {
    context: (req: IncomingMessage) => attached(req).context as Context<P>,
    forUser: (userId: string, options?: JobOptions) => core.forUser(userId, options),
    forSubject: core.forSubject.bind(core),
    forApp: core.forApp.bind(core),
    grants: core.grants,
    health: () => core.health(),
    core,
    ready: () => core.ready(),
    close: (options?: { timeout?: number | undefined }) => core.close(options),
  })
}

/**
 * Guards a route: who has not logged in at the provider, or has granted less than `scope`, is sent
 * to the login and comes back; requests that are no navigations get 401 or 403 JSON with `loginUrl`.
 */
export function requireLogin(
  provider: ProviderName,
  options: { scope?: string | readonly string[] | undefined } = {},
): Middleware {
  const scope = normalizeScope(options.scope)
  return (req, res, next) => {
    const guard = async () => {
      const { visit } = attached(req)
      const refusal = await admit(visit, provider, scope)
      if (refusal) await sendResponse(res, refusal)
      else next()
    }
    guard().catch(next)
  }
}

async function pass(
  core: Pick<Behalf, 'route'>,
  app: App,
  source: ExpressSource,
  next: Next,
): Promise<void> {
  const { request, response } = source
  try {
    const visit = new Visit(app, source)
    const route = core.route(app, source.path, source.mountPath)
    if (!route) {
      attach(request, visit)
      return next()
    }
    await sendResponse(response, await respond(route, visit))
  } catch (error) {
    next(error)
  }
}

interface Attached {
  visit: Visit
  context: Context
}

/** Beside the request: whoever logs one has no business with the app's configuration. */
const attachments = processState('attachments', () => new WeakMap<IncomingMessage, Attached>())

function attach(req: IncomingMessage, visit: Visit): void {
  const context = contextFor(visit.app, visit, { cache: () => visit.source.cache() })
  attachments.set(req, { visit, context })
  const { names } = visit.app.configuration
  Object.assign(req, { [names.api]: context.api, [names.tokens]: context.tokens })
}

function attached(req: IncomingMessage): Attached {
  const found = attachments.get(req)
  if (found) return found
  throw new ConfigError('The request has not passed behalf(): put app.use(auth) before the routes.')
}
