import { ConfigError } from '../errors.ts'
import type { ProviderDefinition } from './provider-options.ts'
import { normalizeScope } from './scope.ts'

/** A token endpoint's reply (RFC 6749 section 5.1), as the provider's `profile` function gets it. */
export interface TokenResponse {
  readonly access_token: string
  readonly token_type: string
  readonly expires_in?: number | undefined
  readonly refresh_token?: string | undefined
  readonly scope?: string | undefined
  readonly id_token?: string | undefined
  readonly [parameter: string]: unknown
}

/** The tokens of one grant. */
export interface TokenSet {
  accessToken: string
  /** Instant, epoch ms; `undefined` when the provider did not say. */
  expiresAt?: number | undefined
  refreshToken?: string | undefined
  /** When the refresh token ends, epoch ms; `undefined` when the provider did not say. */
  refreshExpiresAt?: number | undefined
  /** What was granted; `undefined` when the provider did not say. */
  scope?: readonly string[] | undefined
}

const maxTokenLength = 65_536
const maxLifetime = 365 * 24 * 3600
/** Seconds, a hundred years: what is beyond is as good as none. */
const longestRefresh = 100 * maxLifetime

/** RFC 6749 appendix A.12 and A.17: tokens are printable ASCII. */
const printable = /^[\x20-\x7e]+$/

/**
 * Checks a token reply's body before anything else looks at it: what is wrong is said in a few
 * words, never with the token. `wanted` is the type of token that was asked for: a bearer token in the
 * place of a bound one is a downgrade (RFC 9449 section 5). Members that carry nothing (`null`, `""`) are dropped.
 */
export function checkTokenReply(
  body: unknown,
  wanted: 'bearer' | 'dpop' = 'bearer',
): { ok: true; reply: Record<string, unknown> } | { ok: false; reason: string } {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return { ok: false, reason: 'the token reply is not a JSON object' }
  }
  const reply = { ...body } as Record<string, unknown>
  if (reply['refresh_token'] === null || reply['refresh_token'] === '') {
    delete reply['refresh_token']
  }
  if (typeof reply['expires_in'] === 'string' && /^\d+$/.test(reply['expires_in'])) {
    reply['expires_in'] = Number(reply['expires_in'])
  }
  const reason = faultOf(reply, wanted)
  return reason === undefined ? { ok: true, reply } : { ok: false, reason }
}

function faultOf(reply: Record<string, unknown>, wanted: 'bearer' | 'dpop'): string | undefined {
  const { error, access_token, refresh_token, token_type, expires_in, scope } = reply
  // GitHub answers 200 to a refused code, with the error in the body.
  if (error !== undefined) return 'a success status came with an error in the body'
  if (!isToken(access_token)) return 'it has no usable access_token'
  if (refresh_token !== undefined && !isToken(refresh_token)) return 'its refresh_token is unusable'
  if (typeof token_type !== 'string' || token_type.toLowerCase() !== wanted) {
    return `its token_type is not ${wanted === 'dpop' ? 'DPoP' : 'Bearer'}`
  }
  if (expires_in !== undefined && !isLifetime(expires_in)) return 'its expires_in is not a number'
  if (scope !== undefined && scope !== null && typeof scope !== 'string') {
    return 'its scope is not text'
  }
  return undefined
}

/** Is it a token that can be sent in a header? */
function isToken(value: unknown): value is string {
  return typeof value === 'string' && value.length <= maxTokenLength && printable.test(value)
}

function isLifetime(value: unknown): boolean {
  return Number.isFinite(value) && Number(value) >= 0
}

/**
 * Tokens that the app hands in, checked and by their names. Throws a `ConfigError` that says what is
 * wrong, without the tokens.
 */
export function checkedTokens(what: string, given: TokenSet): TokenSet {
  const { accessToken, expiresAt, refreshToken, scope } = given ?? {}
  const complain = (problem: string) => new ConfigError(`${what}: ${problem}.`)
  if (![accessToken, refreshToken ?? accessToken].every(isToken)) {
    throw complain('it needs an accessToken, and tokens are of printable ASCII')
  }
  if (expiresAt !== undefined && !Number.isFinite(expiresAt)) {
    throw complain('expiresAt must be an instant in epoch milliseconds')
  }
  if (scope !== undefined && !isScope(scope)) {
    throw complain('scope must be a list of texts, or one text')
  }
  return { accessToken, expiresAt, refreshToken, scope: scope && normalizeScope(scope) }
}

function isScope(value: unknown): value is string | readonly string[] {
  const parts: unknown[] = Array.isArray(value) ? value : [value]
  return parts.every((part) => typeof part === 'string')
}

/** The one place where snake_case ends. Expiry counts from the moment the request was sent. */
export function tokenSetFrom(
  reply: TokenResponse,
  sentAt: number,
  naming: Pick<ProviderDefinition, 'scopeSeparator' | 'grantedScope'>,
): TokenSet {
  const { access_token, expires_in, refresh_token, scope } = reply
  return {
    accessToken: access_token,
    expiresAt:
      expires_in === undefined ? undefined : sentAt + Math.min(expires_in, maxLifetime) * 1000,
    refreshToken: refresh_token,
    refreshExpiresAt: refreshEndOf(reply, sentAt),
    scope: typeof scope === 'string' ? grantedIn(scope, naming) : undefined,
  }
}

/** In no RFC, but GitHub, Google and LinkedIn say the one, Keycloak the other; 0 is without an end. */
function refreshEndOf(reply: TokenResponse, sentAt: number): number | undefined {
  const seconds = Number(reply['refresh_token_expires_in'] ?? reply['refresh_expires_in'])
  return seconds > 0 && seconds < longestRefresh ? sentAt + seconds * 1000 : undefined
}

function grantedIn(
  scope: string,
  { scopeSeparator = ' ', grantedScope = (name) => name }: Parameters<typeof tokenSetFrom>[2],
): string[] {
  return [...new Set(scope.split(scopeSeparator).filter(Boolean).map(grantedScope))]
}
