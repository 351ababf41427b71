import { BehalfError, ConfigError, type ErrorCode } from '../errors.ts'
import { KeyRing } from '../key-ring.ts'
import { type AnyOfSubject, type GrantOwner, userOwner } from '../oauth/grant-owner.ts'
import { App } from './app.ts'
import { type Configuration, configure } from './configuration.ts'
import { type Context, contextFor } from './context.ts'
import type { BehalfOptions, Providers } from './options.ts'
import { Grants } from './grants.ts'
import { routeInWords } from './in-words.ts'
import { respond, type Route, routeAt } from './routes.ts'
import { Visit } from './visit.ts'
import { type Surroundings, WebSource } from './web-request.ts'

/** A day: no job holds on to a call for longer. */
const longestWait = 86_400

/** Options of {@link Behalf.forUser}, `forSubject` and `forApp`. */
export interface JobOptions {
  /**
   * Seconds that a GET or HEAD waits at most, all its waits together; at most a day. What is beyond 2
   * is added to the time-out `total`. Default 2.
   */
  maxWait?: number | undefined
}

/** What {@link Behalf.health} tells. */
export interface Health {
  /** The store answers. */
  ok: boolean
  /** Why not: the code of the error. */
  code?: ErrorCode
  /** Seconds until the store had answered. */
  duration: number
  /** Refreshes and revocations under way. */
  underWay: number
}

/** The core on web-standard `Request` and `Response`; `behalf/express` is thin over it. */
export class Behalf<P extends Providers = Providers> {
  /** Carries the providers' names in the type; never there. */
  declare readonly '~providers'?: P
  readonly #configuration: Configuration
  readonly #options: BehalfOptions<P, never>
  #app: App | undefined
  /** The grants of all users. */
  readonly grants: Grants = new Grants(() => this.app())
  #starting: Promise<App> | undefined

  /** Made by {@link createBehalf}. Throws a `ConfigError` for unsafe or incomplete options. */
  constructor(options: BehalfOptions<P, never>) {
    this.#configuration = configure(options)
    this.#options = options
    const { keyRing } = this.#configuration
    if (keyRing instanceof KeyRing) this.#app = this.#start(keyRing)
  }

  /**
   * Loads what is loaded late, such as secrets, and reaches for the store: a good thing to await
   * before listening. Throws a `ConfigError` or a `StoreUnavailableError`.
   */
  async ready(): Promise<void> {
    await (await this.app()).connect()
  }

  /**
   * Answers a request to one of behalf's routes; `undefined` for any other. Errors become
   * responses: a page for a person, JSON with `code` for a script. Where a framework
   * says so, `path` is what it was asked for, and `mountPath` what stands there before the routes.
   */
  async handle(
    request: Request,
    {
      mountPath = '',
      path = new URL(request.url).pathname,
      ...surroundings
    }: { mountPath?: string; path?: string; user?: () => unknown } = {},
  ): Promise<Response | undefined> {
    const app = await this.app()
    if (!path.startsWith(mountPath)) return undefined
    const route = this.route(app, path.slice(mountPath.length), mountPath)
    if (!route) return undefined
    const visit = this.visit(app, request, { mountPath, ...surroundings })
    const response = await respond(route, visit).catch((error: unknown) =>
      routeInWords(visit, error),
    )
    for (const cookie of visit.source.jar.take()) response.headers.append('set-cookie', cookie)
    return response
  }

  /**
   * The clients and token handlers of the request's visitor. No cookies are set: where tokens live in
   * some, new ones wait in the store for the next request that can.
   */
  async context(request: Request): Promise<Context<P>> {
    const app = await this.app()
    const visit = this.visit(app, request)
    visit.source.jar.take()
    return contextFor(app, visit, { cache: () => app.cache })
  }

  /**
   * The same for a user of the app outside a request: cron jobs, queues, webhooks. They may have the
   * time to wait when an API answers 429 or 503: `maxWait` seconds, default 2. Throws a
   * `ConfigError` for what is no such number, and for an empty id.
   */
  async forUser(userId: string, options?: JobOptions): Promise<Context<P>> {
    return this.#outside(userOwner(userId), options)
  }

  /**
   * The same for whoever a provider calls `subject`, as its webhooks do: with their newest grant,
   * a user's or a session's. Has that provider only.
   */
  async forSubject<Name extends keyof P & string>(
    provider: Name,
    subject: string,
    options?: JobOptions,
  ): Promise<Context<Pick<P, Name>>> {
    const owner = { kind: 'subject', id: userOwner(subject).id } as const
    return this.#outside(owner, options, provider)
  }

  /**
   * The same for the app itself, by client credentials (RFC 6749 section 4.4): its token is kept in
   * the store, for each scope and resource, and shared by all processes. Has that provider only.
   */
  async forApp<Name extends keyof P & string>(
    provider: Name,
    options?: JobOptions,
  ): Promise<Context<Pick<P, Name>>> {
    return this.#outside({ kind: 'app', id: '' }, options, provider)
  }

  /** Whether the store answers, and how much work is under way; for a load balancer. Never throws. */
  async health(): Promise<Health> {
    const startedAt = performance.now()
    try {
      const app = await this.app()
      await app.checkStore()
      return { ok: true, duration: (performance.now() - startedAt) / 1000, underWay: app.underWay }
    } catch (error) {
      const code = error instanceof BehalfError ? error.code : 'unexpected_response'
      const duration = (performance.now() - startedAt) / 1000
      return { ok: false, code, duration, underWay: this.#app?.underWay ?? 0 }
    }
  }

  /**
   * Waits for what is under way (default 5 seconds at most), then closes the store if it was given
   * as a URL; a store that was handed in stays open.
   */
  async close({ timeout = 5 }: { timeout?: number | undefined } = {}): Promise<void> {
    await ((await this.#starting) ?? this.#app)?.close(timeout)
  }

  /** The running app, once its secrets are there. For adapters. */
  async app(): Promise<App> {
    if (this.#app) return this.#app
    this.#starting ??= this.#load().catch((error: unknown) => {
      this.#starting = undefined
      throw error
    })
    return this.#starting
  }

  /** The app's public origins, the main one first. */
  get origins(): readonly string[] {
    return this.#configuration.origins
  }

  /** The running app, when nothing has to be waited for. For adapters. */
  get running(): App | undefined {
    return this.#app
  }

  /** The route at a path below the mount point. For adapters. Throws a `ConfigError` without `baseUrl`. */
  route(app: App, path: string, mountPath = ''): Route | undefined {
    const route = routeAt(app, path, mountPath)
    if (route && this.#configuration.origins.length === 0) {
      throw new ConfigError(
        "baseUrl is missing; set it to the app's public origin, or set BEHALF_BASE_URL.",
      )
    }
    return route
  }

  /** What the option `user` says of a request. For adapters. */
  identify(request: unknown): unknown {
    return this.#options.user?.(request as never)
  }

  async #outside(
    owner: GrantOwner | AnyOfSubject,
    { maxWait, used }: JobOptions & { used?: (() => void) | undefined } = {},
    only?: string,
  ): Promise<Context<P>> {
    if (maxWait !== undefined && !(maxWait >= 0 && maxWait <= longestWait)) {
      throw new ConfigError(`maxWait must be 0 to ${longestWait} seconds.`)
    }
    const app = await this.app()
    if (only !== undefined) app.access(only)
    const use = async () => {
      used?.()
      return owner
    }
    const visitor = { owner: use, loginUrl: () => undefined }
    return contextFor(app, visitor, { cache: () => app.cache, maxWait }, only)
  }

  async #load(): Promise<App> {
    const { keyRing } = this.#configuration
    return (this.#app = this.#start(keyRing instanceof KeyRing ? keyRing : await keyRing()))
  }

  #start(keyRing: KeyRing): App {
    return new App(this.#configuration, this.#options, keyRing)
  }

  /** A visitor's request. For adapters. */
  visit(app: App, request: Request, surroundings: Partial<Surroundings> = {}): Visit {
    const user = () => this.identify(request)
    return new Visit(app, new WebSource(app, request, { user, ...surroundings }))
  }
}

/** Makes the core. Throws a `ConfigError` that says what to change, for unsafe or incomplete options. */
export function createBehalf<const P extends Providers>(options: BehalfOptions<P>): Behalf<P> {
  return new Behalf(options)
}
