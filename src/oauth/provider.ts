import type { CacheRules } from '../cache/rules.ts'
import { ConfigError } from '../errors.ts'
import type { RateLimitedBy } from './cooldowns.ts'
import { sendingAtOnce } from './presentation.ts'
import { normalizeScope } from './scope.ts'
import type { TokenResponse } from './token-set.ts'

/** How this app proves itself at the token endpoint (RFC 7591 section 2). */
export type ClientAuthentication = 'client_secret_basic' | 'client_secret_post' | 'none'

/** Who the user is, as far as the provider tells. */
export interface Profile {
  /** The user's stable id at the provider; never an e-mail address or a name. */
  subject: string
  name?: string | undefined
  email?: string | undefined
  picture?: string | undefined
  /** ISO 3166-1 alpha-2; catalogues differ by it. */
  country?: string | undefined
}

/** What every provider takes; a preset takes the same names to override what it sets. */
export interface ProviderOptions {
  /** The client id that the provider gave this app. Presets read it from the environment. */
  clientId?: string | undefined
  /** The client secret; without one the app is a public client. Presets read the environment. */
  clientSecret?: string | undefined
  /** Default `client_secret_basic` with a secret, else `none`. */
  clientAuthentication?: ClientAuthentication | undefined
  /** The scopes asked for at login; a list, or text with commas or spaces. */
  scope?: string | readonly string[] | undefined
  /** Scopes that a login may ask for in addition (`requireLogin`, `loginUrl`). */
  optionalScope?: string | readonly string[] | undefined
  /** The authorization server's issuer identifier (RFC 8414, RFC 9207). */
  issuer?: string | undefined
  authorizationEndpoint?: string | undefined
  tokenEndpoint?: string | undefined
  /** Where tokens are revoked at logout (RFC 7009). */
  revocationEndpoint?: string | undefined
  /** Where the user's profile is read after a login: a URL, or a path below `apiBaseUrl`. */
  userInfo?: string | undefined
  /** What relative paths given to the client are resolved against. */
  apiBaseUrl?: string | undefined
  /** The origins that may be sent a token. Default: the origin of `apiBaseUrl`. */
  apiOrigins?: readonly string[] | undefined
  /** Added to the authorization request; the names that OAuth itself uses are refused. */
  authorizationParameters?: Readonly<Record<string, string>> | undefined
  /** The redirect URI registered at the provider. Default: `<baseUrl><basePath>/<name>/callback`. */
  redirectUri?: string | undefined
  /** Makes the profile from the provider's user info and token response. */
  profile?:
    | ((userInfo: Readonly<Record<string, unknown>>, tokens: TokenResponse) => Profile)
    | undefined
  /** How long replies of this API may be reused; see the response cache. */
  rules?: CacheRules | undefined
  /** Where the next page of a list stands. Default `body`: its field `next`, as Spotify has it. */
  paging?: Paging | undefined
  /**
   * Whom the API's 429 is about: all users of this app (`client`, as at Spotify), or the one whose
   * call it was. Until its `Retry-After` is over, they are not called. Default `grant`.
   */
  rateLimitedBy?: RateLimitedBy | undefined
  /** What goes to the provider's endpoints and to its API. Default: the global `fetch`. */
  fetch?: typeof fetch | undefined
}

/** Finds the next page: in the body's field `next`, in the `Link` header (RFC 8288), or by a function. */
export type Paging = 'body' | 'link' | ((page: unknown, response: Response) => string | undefined)

/** A provider as a preset describes it; `behalf()` checks and completes it. */
export interface ProviderDefinition extends ProviderOptions {
  /** The environment variables of the client begin with it: `SPOTIFY` reads `SPOTIFY_CLIENT_ID`. */
  readonly environment?: string | undefined
  /** Metadata comes from the issuer (OpenID Connect Discovery, RFC 8414). */
  readonly discovery?: boolean | undefined
  /** Seconds from authorization to the end of the refresh token, where refreshing does not extend it. */
  readonly refreshTokenLifetime?: number | undefined
  /** Says what is wrong with a redirect URI that this provider would refuse. */
  readonly checkRedirectUri?: ((uri: URL) => string | undefined) | undefined
}

/** A provider ready for use: checked, complete, its lists normalised. */
export interface Provider {
  readonly name: string
  readonly definition: ProviderDefinition
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string | undefined
  readonly clientAuthentication: ClientAuthentication
  readonly scope: readonly string[]
  readonly optionalScope: readonly string[]
  readonly apiBaseUrl: URL | undefined
  readonly apiOrigins: readonly string[]
  readonly userInfo: URL | undefined
  readonly fetch: typeof fetch
}

const ownParameters = new Set([
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'state',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'request',
  'request_uri',
])

/** Checks a provider's definition; throws a `ConfigError` that says what to change. */
export function resolveProvider(
  name: string,
  definition: ProviderDefinition,
  fallbackFetch: typeof fetch,
): Provider {
  const complain = (what: string) => new ConfigError(`providers.${name}: ${what}`)
  const { environment, apiBaseUrl } = definition
  const clientId = definition.clientId ?? fromEnvironment(environment, 'CLIENT_ID')
  const clientSecret = definition.clientSecret ?? fromEnvironment(environment, 'CLIENT_SECRET')
  if (!clientId) {
    const variable = environment ? ` or set ${environment}_CLIENT_ID` : ''
    throw complain(`clientId is missing; pass it${variable}.`)
  }
  const clientAuthentication =
    definition.clientAuthentication ?? (clientSecret ? 'client_secret_basic' : 'none')
  if (clientAuthentication !== 'none' && !clientSecret) {
    throw complain(`clientAuthentication ${clientAuthentication} needs a clientSecret.`)
  }
  for (const parameter of Object.keys(definition.authorizationParameters ?? {})) {
    if (ownParameters.has(parameter)) {
      throw complain(`authorizationParameters must not set ${parameter}; behalf sets it.`)
    }
  }
  const api = apiBaseUrl === undefined ? undefined : apiUrl(apiBaseUrl, complain)
  return {
    name,
    definition,
    issuer: checkEndpoints(definition, complain),
    clientId,
    clientSecret: clientAuthentication === 'none' ? undefined : clientSecret,
    clientAuthentication,
    scope: normalizeScope(definition.scope),
    optionalScope: normalizeScope(definition.optionalScope),
    apiBaseUrl: api,
    apiOrigins: (definition.apiOrigins ?? (api ? [api.origin] : [])).map(
      (origin) => secureUrl(origin, 'apiOrigins', complain).origin,
    ),
    userInfo: userInfoUrl(definition.userInfo, api, complain),
    fetch: definition.fetch ? sendingAtOnce(definition.fetch) : fallbackFetch,
  }
}

type Complain = (what: string) => ConfigError

function fromEnvironment(prefix: string | undefined, name: string): string | undefined {
  return prefix === undefined ? undefined : process.env[`${prefix}_${name}`]
}

function checkEndpoints(definition: ProviderDefinition, complain: Complain): string {
  const { issuer, discovery, authorizationEndpoint, tokenEndpoint, revocationEndpoint } = definition
  if (issuer !== undefined) secureUrl(issuer, 'issuer', complain)
  if (discovery) {
    if (issuer === undefined) throw complain('issuer is missing; it is where discovery begins.')
    return issuer
  }
  if (!authorizationEndpoint) throw complain('authorizationEndpoint is missing.')
  if (!tokenEndpoint) throw complain('tokenEndpoint is missing.')
  secureUrl(tokenEndpoint, 'tokenEndpoint', complain)
  if (revocationEndpoint) secureUrl(revocationEndpoint, 'revocationEndpoint', complain)
  const { origin } = secureUrl(authorizationEndpoint, 'authorizationEndpoint', complain)
  return issuer ?? origin
}

function apiUrl(text: string, complain: Complain): URL {
  const url = secureUrl(text, 'apiBaseUrl', complain)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

function userInfoUrl(
  text: string | undefined,
  api: URL | undefined,
  complain: Complain,
): URL | undefined {
  if (text === undefined) return undefined
  if (!URL.canParse(text, api?.href)) throw complain(`userInfo '${text}' is not a URL.`)
  return secureUrl(new URL(text, api).href, 'userInfo', complain)
}

/** RFC 9700 section 2.6: end-to-end TLS; plain http only to this very machine, for development. */
function secureUrl(text: string, option: string, complain: Complain): URL {
  if (!URL.canParse(text)) throw complain(`${option} '${text}' is not a URL.`)
  const url = new URL(text)
  if (url.username || url.password) throw complain(`${option} must not contain credentials.`)
  if (url.protocol === 'https:') return url
  if (url.protocol === 'http:' && isLoopback(url) && process.env['NODE_ENV'] !== 'production') {
    return url
  }
  throw complain(
    `${option} must be an https URL (http is possible for 127.0.0.1, [::1] and localhost, outside production).`,
  )
}

/** RFC 8252 section 7.3: the hosts that never leave the machine. */
export function isLoopback(url: URL): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname)
}
