import { createHash } from 'node:crypto'
import { UnexpectedResponseError } from '../errors.ts'

/** The claims of an ID token that openid-client has checked (OpenID Connect Core section 3.1.3.7). */
export type IdTokenClaims = Readonly<Record<string, unknown>> & { readonly sub: string }

/** What a record keeps of an ID token, for logouts at the provider. */
export interface KeptIdToken {
  /** The token itself, as the hint of a logout that begins here. */
  idToken?: string | undefined
  /** The provider's session, as the logouts that begin there name it. */
  sid?: string | undefined
  /** Its subject, as the logouts that begin there name it. */
  idSubject?: string | undefined
}

const hashes: Readonly<Record<string, string>> = { 256: 'sha256', 384: 'sha384', 512: 'sha512' }
const longestHint = 8_192
const longestSid = 1_024

/**
 * An access token, a logout token and whatever else says its type (RFC 8725 section 3.11) has the same
 * keys, and must not pass for an ID token.
 */
export function checkType(provider: string, idToken: string): void {
  const { typ = 'JWT' } = headerOf(idToken)
  if (/^(?:application\/)?jwt$/i.test(String(typ))) return
  throw new UnexpectedResponseError(provider, 'its ID token is a token of another type')
}

/**
 * `at_hash` is the left half of the access token's hash (OpenID Connect Core section 3.1.3.6): with
 * another one, somebody has exchanged the access token. Optional in the code flow; wrong it must not be.
 */
export function checkAccessTokenHash(
  provider: string,
  idToken: string,
  claims: IdTokenClaims,
  accessToken: string,
): void {
  const { at_hash: given } = claims
  if (given === undefined) return
  const algorithm = hashes[String(headerOf(idToken).alg).slice(-3)] ?? 'sha512'
  const digest = createHash(algorithm).update(accessToken).digest()
  if (given === digest.subarray(0, digest.length / 2).toString('base64url')) return
  throw new UnexpectedResponseError(provider, 'its ID token is of another access token')
}

/** The hint is kept only where it is used, and only where it leaves a record small. */
export function keptOf(
  idToken: string | undefined,
  claims: IdTokenClaims | undefined,
  asHint: boolean,
): KeptIdToken {
  const sid = claims?.['sid']
  const isSid = typeof sid === 'string' && sid.length <= longestSid
  return {
    idToken: asHint && (idToken?.length ?? 0) <= longestHint ? idToken : undefined,
    sid: isSid ? sid : undefined,
    idSubject: claims?.sub,
  }
}

function headerOf(idToken: string): { alg?: unknown; typ?: unknown } {
  return JSON.parse(Buffer.from(idToken.split('.', 1)[0]!, 'base64url').toString()) as object
}
