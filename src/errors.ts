import { STATUS_CODES } from 'node:http'

/** Every `code` an error of behalf can have; codes never change their meaning. */
export type ErrorCode =
  | 'config_invalid'
  | 'session_order'
  | 'session_not_kept'
  | 'user_required'
  | 'login_required'
  | 'reauth_required'
  | 'insufficient_scope'
  | 'cross_site_request'
  | 'state_missing'
  | 'state_unknown'
  | 'state_expired'
  | 'state_replayed'
  | 'state_provider_changed'
  | 'state_user_changed'
  | 'access_denied'
  | 'callback_invalid'
  | 'provider_unavailable'
  | 'client_misconfigured'
  | 'store_unavailable'
  | 'unsupported_operation'
  | 'repository_mismatch'
  | 'not_persistable'
  | 'origin_not_allowed'
  | 'unexpected_response'
  | 'upstream_error'
  | 'upstream_unavailable'
  | 'rate_limited'
  | 'user_in_shared_cache'

/** Every copy of this module marks its errors with it. */
const isOurs = Symbol.for('behalf.error')

/**
 * The base of every error that behalf throws: a stable `code`, the HTTP `status` it means for the
 * request in which it was thrown, and `headers` for the reply. Express honours both.
 *
 * No message, property or cause holds a token, a code or a secret.
 */
export abstract class BehalfError extends Error {
  /** The class's name, which bundlers shorten otherwise. */
  static readonly kind: string = 'BehalfError'
  abstract readonly code: ErrorCode
  readonly status: number = 500
  readonly headers: Readonly<Record<string, string>> | Headers = {}
  readonly [isOurs] = true
  override get name(): string {
    return (this.constructor as typeof BehalfError).kind
  }

  /**
   * Bundlers load a module several times (Next.js: proxy, pages and routes), and what one copy throws
   * another one catches: errors are of a class by its `kind`.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null || !(isOurs in value)) return false
    // A class of the app's own is only itself.
    if (!Object.hasOwn(this, 'kind'))
      return Object.prototype.isPrototypeOf.call(this.prototype, value)
    return kindsOf(value.constructor).includes(this.kind)
  }
}

function kindsOf(constructor: unknown): unknown[] {
  const kinds: unknown[] = []
  for (let one = constructor; typeof one === 'function'; one = Object.getPrototypeOf(one)) {
    kinds.push((one as { kind?: unknown }).kind)
  }
  return kinds
}

/** The configuration is unsafe or incomplete; the message says what to change. */
export class ConfigError extends BehalfError {
  static override readonly kind: string = 'ConfigError'
  readonly code = 'config_invalid'
}

/** A session middleware runs after behalf, so that the session was not there when it was needed. */
export class SessionOrderError extends BehalfError {
  static override readonly kind: string = 'SessionOrderError'
  readonly code = 'session_order'
  constructor() {
    super(
      'req.session appeared after behalf() had run, so the login would be kept in the wrong place. ' +
        "Put app.use(session(...)) before app.use(auth), or set the option session: 'own'.",
    )
  }
}

/** A login has just finished, but what it put into the browser's session did not come back. */
export class SessionNotKeptError extends BehalfError {
  static override readonly kind: string = 'SessionNotKeptError'
  readonly code = 'session_not_kept'
  constructor(provider: string) {
    super(
      `The login at ${provider} has just finished, but the session it made is not there; logging in again would loop. ` +
        "Check that the browser keeps the session cookie: a 'secure' cookie needs https (or 'trust proxy' behind one), " +
        'and the app must be opened under the host of baseUrl.',
    )
  }
}

/** The option `user` is set and found nobody: the app's own login comes first. */
export class UserRequiredError extends BehalfError {
  static override readonly kind: string = 'UserRequiredError'
  readonly code = 'user_required'
  override readonly status = 401
  constructor(provider: string) {
    super(
      `Connecting ${provider} needs a user who is signed in to the app, and the option user() found none. ` +
        'Sign the user in first; the option signInUrl says where to send them.',
    )
  }
}

/** Nobody is logged in at this provider; `loginUrl` leads there. */
export class LoginRequiredError extends BehalfError {
  static override readonly kind: string = 'LoginRequiredError'
  readonly code = 'login_required'
  override readonly status = 401
  readonly provider: string
  readonly loginUrl: string | undefined
  constructor(provider: string, loginUrl: string | undefined) {
    const what = `No grant for ${provider}: the user has not logged in there, or the grant has ended. `
    const inRequest = `Guard the route with requireLogin('${provider}') (Next.js: login: '${provider}'), or send the user to loginUrl.`
    const inJob =
      'The user has to connect it in the app. forUser() finds the grants of users (option user, assignTo()), not those ' +
      'of sessions; and nobody but its visitor finds what lives in a session or in cookies (option tokenStore).'
    super(what + (loginUrl === undefined ? inJob : inRequest))
    this.provider = provider
    this.loginUrl = loginUrl
  }
}

/** Why a grant can no longer be refreshed. */
export type ReauthReason = 'refresh-expired' | 'revoked' | 'rotation-lost' | 'no-refresh-token'

/** The grant has ended at the provider and only a new login brings it back. */
export class ReauthRequiredError extends BehalfError {
  static override readonly kind: string = 'ReauthRequiredError'
  readonly code = 'reauth_required'
  override readonly status = 401
  readonly provider: string
  readonly reason: ReauthReason
  readonly loginUrl: string | undefined
  constructor(provider: string, reason: ReauthReason, loginUrl: string | undefined) {
    const why = {
      'refresh-expired': 'its refresh token has reached the end of its life',
      revoked: 'the provider no longer accepts its refresh token',
      'rotation-lost': 'its refresh token was used up by a refresh whose answer never came',
      'no-refresh-token': 'its access token has expired and there is no refresh token',
    }[reason]
    super(`The grant for ${provider} has ended: ${why}. The user has to log in again at loginUrl.`)
    this.provider = provider
    this.reason = reason
    this.loginUrl = loginUrl
  }
}

/** The user granted less than the call needs (RFC 6750 section 3.1). */
export class InsufficientScopeError extends BehalfError {
  static override readonly kind: string = 'InsufficientScopeError'
  readonly code = 'insufficient_scope'
  override readonly status = 403
  readonly provider: string
  readonly missing: readonly string[]
  readonly loginUrl: string | undefined
  constructor(provider: string, missing: readonly string[], loginUrl: string | undefined) {
    super(
      `The grant for ${provider} lacks the scope ${missing.join(' ')}. ` +
        'Send the user to loginUrl, which asks for it.',
    )
    this.provider = provider
    this.missing = missing
    this.loginUrl = loginUrl
  }
}

/** A logout or disconnect that does not come from the app's own pages. */
export class CrossSiteRequestError extends BehalfError {
  static override readonly kind: string = 'CrossSiteRequestError'
  readonly code = 'cross_site_request'
  override readonly status = 403
  constructor() {
    super(
      "The request did not prove that it comes from the app's own pages (Sec-Fetch-Site: same-origin, " +
        'or an Origin equal to baseUrl). Post from a form or a fetch() of the app.',
    )
  }
}

/** Why a callback's state was refused. */
export type StateErrorCode = Extract<ErrorCode, `state_${string}`>

/** Why a browser came back without its login, or without the session in which it began. */
export type StateErrorReason =
  | 'other-host'
  | 'plain-http'
  | 'another-login'
  | 'no-cookies'
  | 'no-login-cookie'
  | 'no-session'

const stateMessages: Readonly<Record<StateErrorCode, string>> = {
  state_missing:
    'The callback carries no usable state; it was not reached through a login of this app.',
  state_unknown: 'This browser has no login under way for that state.',
  state_expired: 'The login took too long to come back from the provider; start it again.',
  state_replayed: 'This login has already been finished once.',
  state_provider_changed:
    'The login began at another provider than the one whose callback was called.',
  state_user_changed:
    'The login was begun by another user of the app than the one who is signed in now.',
}

/** The callback does not belong to a login that this browser has under way (RFC 6749 section 10.12). */
export class StateError extends BehalfError {
  static override readonly kind: string = 'StateError'
  readonly code: StateErrorCode
  override readonly status = 400
  /** What is behind the code, as far as the request tells. */
  readonly reason: StateErrorReason | undefined
  constructor(code: StateErrorCode, reason?: StateErrorReason, advice?: string) {
    super([stateMessages[code], advice].filter(Boolean).join(' '))
    this.code = code
    this.reason = reason
  }
}

/** The user, or the provider for them, said no (RFC 6749 section 4.1.2.1, `access_denied`). */
export class AccessDeniedError extends BehalfError {
  static override readonly kind: string = 'AccessDeniedError'
  readonly code = 'access_denied'
  override readonly status = 403
  constructor(provider: string) {
    super(`The user did not grant access at ${provider}.`)
  }
}

/** The callback is not an authorization response that can be used. */
export class CallbackError extends BehalfError {
  static override readonly kind: string = 'CallbackError'
  readonly code = 'callback_invalid'
  override readonly status = 400
  /** The provider's own error code, when it is one of RFC 6749 section 4.1.2.1 or OpenID Connect. */
  readonly error: string | undefined
  constructor(provider: string, reason: string, error?: string) {
    super(`The callback from ${provider} was refused: ${reason}.`)
    this.error = error
  }
}

/** The provider cannot be reached or asked for patience; the tokens are kept. */
export class ProviderUnavailableError extends BehalfError {
  static override readonly kind: string = 'ProviderUnavailableError'
  readonly code = 'provider_unavailable'
  override readonly status = 503
  override readonly headers: Readonly<Record<string, string>>
  /** Seconds until it is asked again: as the provider wants it, or as after a failure; else `undefined`. */
  readonly retryAfter: number | undefined
  constructor(provider: string, what: string, retryAfter?: number) {
    const seconds = Math.ceil(retryAfter ?? 5)
    super(
      `${provider} cannot be used right now: ${what}. Nothing is lost; try again in ${seconds} s.`,
    )
    this.headers = { 'retry-after': String(seconds) }
    this.retryAfter = retryAfter
  }
}

/** The provider refuses this app itself: client id, secret, redirect URI or grant type. */
export class ClientMisconfiguredError extends BehalfError {
  static override readonly kind: string = 'ClientMisconfiguredError'
  readonly code = 'client_misconfigured'
  override readonly status = 502
  /** The error code of RFC 6749 section 5.2. */
  readonly error: string
  constructor(provider: string, error: string) {
    super(
      `${provider} refuses this app (${error}). Check clientId, clientSecret, clientAuthentication and the redirect URI ` +
        "registered there; the users' tokens are kept.",
    )
    this.error = error
  }
}

/** The token store failed or is too slow; nobody is logged out because of it. */
export class StoreUnavailableError extends BehalfError {
  static override readonly kind: string = 'StoreUnavailableError'
  readonly code = 'store_unavailable'
  override readonly status = 503
  override readonly headers: Readonly<Record<string, string>> = { 'retry-after': '2' }
  constructor(what: string) {
    super(`The store cannot be used right now: ${what}. No session is lost; try again.`)
  }
}

/** The store's backend cannot do this at all, such as listing keys on memcached. */
export class UnsupportedOperationError extends BehalfError {
  static override readonly kind: string = 'UnsupportedOperationError'
  readonly code = 'unsupported_operation'
  readonly operation: string
  constructor(operation: string, why: string) {
    super(`This store cannot do ${operation}: ${why}.`)
    this.operation = operation
  }
}

/** A call for several requests that are not all of one and the same repository of the cache. */
export class RepositoryMismatchError extends BehalfError {
  static override readonly kind: string = 'RepositoryMismatchError'
  readonly code = 'repository_mismatch'
  /** The repositories that were found, by name. */
  readonly repositories: readonly string[]
  constructor(repositories: readonly string[]) {
    const found = repositories.length > 1 ? repositories.join(', ') : 'one repository and none'
    super(
      `The requests of one call must be of one repository; these are of ${found}. Nothing was ` +
        'done. Sort them by partition(name).repositories.of(request), and call for each repository.',
    )
    this.repositories = repositories
  }
}

/**
 * Tokens cannot be kept where `tokenStore` says: they are too long for cookies, or the request cannot
 * set any. No refresh token was spent in vain.
 */
export class NotPersistableError extends BehalfError {
  static override readonly kind: string = 'NotPersistableError'
  readonly code = 'not_persistable'
  constructor(why: string, advice: string) {
    super(`The tokens cannot be kept in the place that tokenStore names: ${why}. ${advice}`)
  }
}

/** A token would have gone to a host that is none of the provider's. */
export class OriginNotAllowedError extends BehalfError {
  static override readonly kind: string = 'OriginNotAllowedError'
  readonly code = 'origin_not_allowed'
  constructor(provider: string, what: string) {
    super(
      `The request was not sent: ${what}. A token of ${provider} goes only to its apiOrigins; ` +
        'give a path, or add the origin to apiOrigins of the provider.',
    )
  }
}

/**
 * A value was sealed with a secret that this process does not have (any more): a rolling key change,
 * or a secret that was retired while it was still needed.
 */
export class RetiredSecretError extends StoreUnavailableError {
  static override readonly kind: string = 'RetiredSecretError'
  constructor() {
    super('a value in it was sealed with a secret that this process does not have')
  }
}

/** A reply that is not what its specification says it must be. */
export class UnexpectedResponseError extends BehalfError {
  static override readonly kind: string = 'UnexpectedResponseError'
  readonly code = 'unexpected_response'
  override readonly status = 502
  constructor(provider: string, what: string) {
    super(`${provider} sent an unusable reply: ${what}.`)
  }
}

/** The upstream API answered with a status that is not 2xx. */
export class UpstreamError extends BehalfError {
  static override readonly kind: string = 'UpstreamError'
  readonly code = 'upstream_error'
  override readonly status: number
  /** The reply's headers; a `Headers`, so that Express does not copy them into the app's reply. */
  override readonly headers: Headers
  /** The reply's body: parsed when it is JSON, else its text. */
  readonly body: unknown
  readonly provider: string
  constructor(provider: string, what: string, response: Response, body: unknown) {
    const { status, headers } = response
    // Not in the reply's own words: they may be anything, also the token that it was sent.
    const words = STATUS_CODES[status] ?? ''
    super(`${what} answered ${status}${words && ` ${words}`}${challengeOf(headers)}.`)
    this.provider = provider
    this.status = response.status
    this.headers = response.headers
    this.body = body
  }
}

/**
 * The upstream API wants no calls for a while (429), longer than a request should wait for; the app's
 * own reply may say the same. GET and HEAD have been sent again where the wait was short.
 */
export class RateLimitedError extends BehalfError {
  static override readonly kind: string = 'RateLimitedError'
  readonly code = 'rate_limited'
  override readonly status = 429
  override readonly headers: Readonly<Record<string, string>>
  readonly provider: string
  /** Seconds until the API may be called again; `undefined` where it did not say. */
  readonly retryAfter: number | undefined
  /** The reply's body: parsed when it is JSON, else its text. */
  readonly body: unknown
  constructor(provider: string, what: string, retryAfter: number | undefined, body: unknown) {
    const seconds = retryAfter === undefined ? undefined : Math.ceil(retryAfter)
    const when = seconds === undefined ? 'later' : `in ${seconds} s`
    super(`${what} was answered with 429: ${provider} limits the rate of calls. Try again ${when}.`)
    this.provider = provider
    this.headers = seconds === undefined ? {} : { 'retry-after': String(seconds) }
    this.retryAfter = retryAfter
    this.body = body
  }
}

/** There was no reply of the upstream API, or only a part of one. */
export class UpstreamUnavailableError extends BehalfError {
  static override readonly kind: string = 'UpstreamUnavailableError'
  readonly code = 'upstream_unavailable'
  /** 504 where it took too long (see the option `timeouts`), else 502. */
  override readonly status: number
  constructor(what: string, reason: string, tookTooLong: boolean) {
    super(`${what} has no usable reply: ${reason}. Whether it took effect is not known.`)
    this.status = tookTooLong ? 504 : 502
  }
}

/** RFC 6750 section 3.1: an error code and the scope that is missing, as far as they are well-formed. */
function challengeOf(headers: Headers): string {
  const challenge = headers.get('www-authenticate') ?? ''
  const error = /\berror="?([a-z_]{1,40})"?(?:[\s,]|$)/.exec(challenge)?.[1]
  const scope = /\bscope="([\w .:/-]{1,200})"/.exec(challenge)?.[1]
  if (error === undefined) return ''
  return ` (${error}${scope === undefined ? '' : `; needs ${scope}`})`
}

/** A user's client was asked for where Next.js keeps results for everybody: in 'use cache'. */
export class UserInSharedCacheError extends BehalfError {
  static override readonly kind: string = 'UserInSharedCacheError'
  readonly code = 'user_in_shared_cache'
  constructor(scope: string) {
    super(
      `A user's client was used inside ${scope}, whose results are kept for everybody. Make the call outside of it, ` +
        "where behalf's response cache keeps replies for each user; inside, forApp() calls as the app itself.",
    )
  }
}
