import type { CacheRules } from '../cache/rules/rules.ts'
import type { ClientKey } from './client-key.ts'
import type { RateLimitedBy } from './cooldowns.ts'
import type { RetryOptions } from './retry.ts'
import type { TokenResponse } from './token-set.ts'

/** How this app proves itself at the token endpoint (RFC 7591 section 2, RFC 7523). */
export type ClientAuthentication =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'private_key_jwt'
  | 'none'

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
  /**
   * Default `private_key_jwt` with a `clientKey`, `client_secret_basic` with a secret, else `none`: a
   * public client, which PKCE protects.
   */
  clientAuthentication?: ClientAuthentication | undefined
  /**
   * The private key for `private_key_jwt` (RFC 7523): a JWK, PEM (PKCS #8), or a `CryptoKey` that may
   * sign. The JWK's `kid` and `alg` are sent along.
   */
  clientKey?: ClientKey | undefined
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
  /** Where authorization requests are pushed to (RFC 9126). */
  pushedAuthorizationRequestEndpoint?: string | undefined
  /** Where a device without a browser begins (RFC 8628). */
  deviceAuthorizationEndpoint?: string | undefined
  /** Where a logout ends the user's session at the provider, see `endSession`. */
  endSessionEndpoint?: string | undefined
  /**
   * Sends the parameters of a login from here to the provider, instead of through the browser (PAR,
   * RFC 9126). Default: where the provider's metadata requires it.
   */
  pushedAuthorizationRequests?: boolean | undefined
  /**
   * Binds tokens to a key of each grant (DPoP, RFC 9449), so that a stolen token is useless without
   * it. The provider and its API must both know it. Default `false`.
   */
  dpop?: boolean | undefined
  /**
   * The resources that tokens are for (RFC 8707), absolute URIs: all are named at login, API calls get
   * a token for the first, `getAccessToken({ resource })` one for another.
   */
  resource?: string | readonly string[] | undefined
  /** Seconds since the user last proved who they are; older, and they do it anew (OpenID Connect). */
  maxAge?: number | undefined
  /**
   * After a logout the browser goes to the provider and ends the session there too (OpenID Connect
   * RP-Initiated Logout 1.0). Default `false`.
   */
  endSession?: boolean | undefined
  /** Where that leads back to, as registered at the provider. Default `<baseUrl>/`. */
  postLogoutRedirectUri?: string | undefined
  /**
   * Where the user's profile is read after a login: a URL, or a path below `apiBaseUrl`; `false`: what
   * the ID token says is enough. Default: the user info endpoint of the provider's metadata.
   */
  userInfo?: string | false | undefined
  /** What stands between scopes in requests and replies. Default a space (RFC 6749 section 3.3). */
  scopeSeparator?: ' ' | ',' | undefined
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
  /**
   * When a GET or HEAD is sent again because of the API's reply, after the wait that its `Retry-After`
   * asks for, or 1 s. All waits of a request together are 2 s at most (`maxWait` of `forUser()`),
   * whatever is set here; `false`: never. Default `{ limit: 2, statusCodes: [429, 503] }`.
   */
  retry?: RetryOptions | false | undefined
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
  /** Errors that it sends with status 200, and the codes of RFC 6749 section 5.2 that they mean. */
  readonly errorsWithSuccess?: Readonly<Record<string, string>> | undefined
  /** The name by which a scope is asked for, where the reply has another one. */
  readonly grantedScope?: ((granted: string) => string) | undefined
  /** The request that ends a token, where there is no revocation endpoint of RFC 7009. */
  readonly revocationRequest?:
    | ((tokens: RevokedTokens, client: RevokingClient) => Request | undefined)
    | undefined
  /** Says what is wrong with a redirect URI that this provider would refuse. */
  readonly checkRedirectUri?: ((uri: URL) => string | undefined) | undefined
}

/** What is to be revoked: a grant's tokens. */
export interface RevokedTokens {
  accessToken: string
  refreshToken?: string | undefined
}

/** Who revokes. */
export interface RevokingClient {
  clientId: string
  clientSecret: string | undefined
}
