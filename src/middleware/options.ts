import type { ResponseCacheMiddleware } from '../cache/index.ts'
import type { EventListener } from '../events.ts'
import type { OnMissingGrant } from '../oauth/missing-grants.ts'
import type { Profile, ProviderDefinition } from '../oauth/provider.ts'
import type { TokenStore } from '../oauth/token-store.ts'
import type { Grant } from '../oauth/token-handler.ts'
import type { TokensInRequest } from '../sessions/token-place.ts'
import type { Store } from '../stores/store.ts'
import type { SecretOption } from './secret.ts'

/** The app's providers by name; `session`, `refresh` and `logout` are reserved. */
export type Providers = Readonly<Record<string, ProviderDefinition>>

/** What `onLogin` is told: a login that the provider has confirmed and nothing has stored yet. */
export interface LoginEvent {
  provider: string
  grant: Grant
  profile: Profile
  /** The app's user, where the option `user` is set. */
  user: string | undefined
  /** The callback's request, without the query that held the code; `undefined` for a device's login. */
  request: Request | undefined
}

/**
 * Time limits, in seconds. `connect`, `headers` and `idle` are those of Node's own `fetch`: with the
 * option `fetch`, or a global dispatcher of the app's own (a proxy), these keep to theirs.
 */
export interface Timeouts {
  /** Until there is a connection, TLS included. Default 3. */
  connect?: number | undefined
  /** From a request to the headers of its reply. Default 10. */
  headers?: number | undefined
  /** Between two parts of a reply's body. Default 10. */
  idle?: number | undefined
  /** An exchange with an API, its body included. Default 30. */
  total?: number | undefined
  /** A request to an authorization server, its body included. Default 10. */
  token?: number | undefined
  /**
   * After so long another process may take over a refresh that has not ended; until then nobody else
   * presents its refresh token. Default `token` + 12; with less than `token` + 9 a slow store may
   * cost a login.
   */
  lease?: number | undefined
}

/** Options of `behalf()` and `createBehalf()`. `R` is the request that `user` is given. */
export interface BehalfOptions<P extends Providers = Providers, R = Request> {
  /**
   * The app's public origin, such as `https://app.example.com`, or a list that the request's host
   * is checked against. Redirect URIs come from it only. Default: `BEHALF_BASE_URL`.
   */
  baseUrl?: string | readonly string[] | undefined
  /** Where the routes live. Default `/auth`; apps with a login of their own use `/connect`. */
  basePath?: string | undefined
  /**
   * Secrets of 32 bytes or more, newest first: the first seals, all open. Default: `BEHALF_SECRET`;
   * in development one is made and kept in `.behalf/`.
   */
  secret?: SecretOption | undefined
  /** Where everything lives, a store or its URL. Default: `BEHALF_STORE`; memory in development. */
  store?: Store | string | undefined
  /**
   * Takes a store that may drop entries before their time (memcached, Redis with `durable: false`)
   * for logins and tokens too: whoever's entry goes has to log in again. Default `false`.
   */
  allowVolatile?: boolean | undefined
  /**
   * Where token records are kept, sealed, when not in `store`: `inSession()`, `ironSession()` or
   * `sealedCookie()` of `behalf/sessions`, or an object of the app's own with `get`, `save` and
   * `delete`. `store` then coordinates, so that all processes must share it. Default: `store`.
   */
  tokenStore?: TokenStore | TokensInRequest | undefined
  /** First part of every key in the store, `[a-z0-9][a-z0-9_-]{0,31}`. Default `behalf`. */
  namespace?: string | undefined
  providers: P
  /**
   * The app's own signed-in user. With it a provider is connected to that user, from whichever
   * session; without it a grant belongs to the session in which the login took place.
   */
  user?(request: R): string | undefined | null | Promise<string | undefined | null>
  /**
   * Where the visitor's handle is carried: `express-session`, a cookie of behalf's `own`, or
   * `auto`: express-session where it has run. Default `auto`.
   */
  session?: 'auto' | 'express-session' | 'own' | undefined
  /** The cookies: first part of their names (default `behalf`) and `SameSite` (default `lax`). */
  cookie?: { name?: string | undefined; sameSite?: 'lax' | 'strict' | undefined } | undefined
  /** The names on the request. Default `api` and `tokens`. */
  names?: { api?: string | undefined; tokens?: string | undefined } | undefined
  /**
   * Seconds after which a session's grant ends: however it is used (`absolute`, default 30 days), and
   * when nobody uses it (`idle`, default never; uses are noted to a tenth of it).
   */
  grantTtl?: { absolute?: number | undefined; idle?: number | undefined } | undefined
  /** A response cache for all calls; Express may mount it as middleware instead. */
  cache?: ResponseCacheMiddleware | undefined
  /** Where a visitor is sent whom the option `user` does not know; `returnTo` is added. */
  signInUrl?: string | undefined
  /** Where a failed or cancelled callback is sent, with `?code=&provider=`. */
  errorPage?: string | undefined
  /**
   * May look at a login, by a browser or a device, set where it returns to, or refuse it by throwing:
   * nothing is stored then.
   */
  onLogin?(
    login: LoginEvent,
  ): { returnTo?: string | undefined } | void | Promise<{ returnTo?: string | undefined } | void>
  /**
   * Asked for the tokens of a user who has no grant here, for tokens that the app has kept elsewhere
   * until now; what it gives is kept here from then on. Where it gives none, it is asked again after a
   * minute.
   */
  onMissingGrant?: OnMissingGrant | undefined
  /** Receives the events, which `diagnostics_channel` has as `behalf:<type>` too. */
  onEvent?: EventListener | undefined
  /**
   * Keeps work alive after the response, on platforms that freeze the process. Without it a refresh
   * that a request has begun is awaited on AWS Lambda and Vercel, also by who could do without.
   */
  waitUntil?: ((work: Promise<unknown>) => void) | undefined
  /** What goes to the token endpoints and upstream. Default: the global `fetch`. */
  fetch?: typeof fetch | undefined
  /** Time limits, in seconds. */
  timeouts?: Timeouts | undefined
}

/** The options that are called when something happens. */
export const callbacks = ['user', 'onLogin', 'onMissingGrant', 'onEvent', 'waitUntil'] as const
