import type { IncomingHttpHeaders } from 'node:http'
import type { IdTokenSwitch } from './id-token.ts'
import type { ProviderManner } from './provider-manners.ts'
import type { RawReply } from '../server/raw-reply.ts'

/** What a switch function learns about a token request. */
export interface TokenRequest {
  /** `grant_type` as sent. */
  readonly grantType: string | undefined
  /** The form fields of the request, by their names on the wire. */
  readonly parameters: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
}

/**
 * What the token endpoint does. Only `works`, `slow` and `resets-after` use up the code or refresh
 * token; a function gives the raw reply instead, or `undefined` for the usual one.
 */
export type TokenEndpointSwitch =
  /** Answers as it should. */
  | 'works'
  /** 503 with a JSON error. */
  | 'unavailable'
  /** 502 with an HTML page. */
  | 'bad-gateway'
  /** 429 with `Retry-After`. */
  | 'rate-limited'
  /** 401 `invalid_client`. */
  | 'invalid-client'
  /** The right reply, one byte per second. */
  | 'slow'
  /** Never answers. */
  | 'hangs'
  /** Resets the connection, nothing has happened. */
  | 'resets-before'
  /** Issues (and rotates), then resets the connection: the client cannot know. */
  | 'resets-after'
  /** 307 to another path, which would answer; see `seen.redirectsFollowed`. */
  | 'redirects'
  /** 200 with a body that is no JSON. */
  | 'garbage'
  | ((request: TokenRequest) => RawReply | undefined | Promise<RawReply | undefined>)

/** What goes wrong at the test provider. Set its properties at any time; requests from then on see it. */
export interface ProviderSwitches {
  /** Whether a refresh gives a new refresh token and uses up the old one. Default `true`. */
  rotate: boolean
  /** Whether a used refresh token, presented again, revokes the whole grant. Default `true`. */
  familyRevocation: boolean
  /** Seconds in which a used refresh token gets its successor once more. Default 0. */
  graceWindow: number
  /** Whether a login gives a refresh token. Default `true`. */
  refreshTokenInReply: boolean
  /** The `iss` parameter of authorization responses (RFC 9207). Default `right`. */
  iss: 'right' | 'missing' | 'wrong'
  /** The scope that is granted whatever is asked for. Default what is asked for. */
  grantedScope: readonly string[] | undefined
  /** Lifetime in seconds of new access tokens, or no `expires_in` at all. Default `accessTokenTtl`. */
  expiresIn: number | 'missing' | undefined
  /** Default `works`. */
  tokenEndpoint: TokenEndpointSwitch
  /** Seconds in `Retry-After` of `rate-limited` (default 1) and `unavailable` (default none). */
  retryAfter: number | undefined
  /** Seconds between doing what a token request asks for and the reply. Default 0. */
  delay: number
  /** The metadata documents; a function gets the right metadata. Default `works`. */
  discovery:
    | 'works'
    | 'unavailable'
    | 'hangs'
    | 'redirects'
    | 'wrong-issuer'
    | ((metadata: Readonly<Record<string, unknown>>) => RawReply)
  /** The revocation endpoint. Default `works`. */
  revocation: 'works' | 'unavailable' | 'hangs'
  /** Default `valid`. */
  idToken: IdTokenSwitch
  /** Whose habits it has, where they differ from the specifications. Default `standard`. */
  like: ProviderManner
}

/** The switches of a provider at which nothing goes wrong. */
export function workingProvider(): ProviderSwitches {
  return {
    rotate: true,
    familyRevocation: true,
    graceWindow: 0,
    refreshTokenInReply: true,
    iss: 'right',
    grantedScope: undefined,
    expiresIn: undefined,
    tokenEndpoint: 'works',
    retryAfter: undefined,
    delay: 0,
    discovery: 'works',
    revocation: 'works',
    idToken: 'valid',
    like: 'standard',
  }
}
