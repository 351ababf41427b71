import { hash, randomBytes } from 'node:crypto'
import type { ReauthReason } from '../errors.ts'
import { type DpopKey, isDpopKey } from './dpop.ts'
import type { KeptIdToken } from './id-token.ts'
import type { Profile } from './provider.ts'
import type { TokenSet } from './token-set.ts'

/** An access token and when it came. */
export interface HeldAccessToken extends Pick<TokenSet, 'accessToken' | 'expiresAt'> {
  receivedAt: number
}

/** The tokens of a grant. */
export interface HeldTokens extends HeldAccessToken, Pick<TokenSet, 'refreshToken'> {}

/** One grant as the store keeps it, sealed. */
export interface TokenRecord extends KeptIdToken {
  /** Random, new at each login: what is cached for one grant is not found under the next. */
  grantId: string
  /** The key that this grant's stored responses are sealed with; 32 bytes. */
  cacheKey: Uint8Array
  provider: string
  profile: Profile
  /** What was granted. */
  scope: readonly string[]
  authorizedAt: number
  /** When a session used it last, roughly; where `grantTtl.idle` is set. */
  usedAt?: number | undefined
  /** When the record ends, whatever the provider says; see `grantTtl`. */
  endsAt?: number | undefined
  refreshExpiresAt?: number | undefined
  tokens: HeldTokens
  /** The key that its tokens are bound to (RFC 9449). */
  dpopKey?: DpopKey | undefined
  /** Access tokens for resources of their own (RFC 8707), by `slotOf`. */
  further?: Readonly<Record<string, HeldAccessToken>> | undefined
  /** The app's own, by client credentials (RFC 6749 section 4.4): of no user, without refresh token. */
  isApp?: true | undefined
  /** The app's user whose grant it is; not where it belongs to a session. */
  user?: string | undefined
  /** SHA-256 of the session's proof; only that session may use the record. */
  proofHash?: string | undefined
  /** Why only a new login helps. The tokens are gone then. */
  ended?: ReauthReason | undefined
  /** Its tokens came when others had been refused the same refresh token: the provider may have revoked them. */
  revived?: true | undefined
}

const formatVersion = 1

/** A fresh grant id and cache key. */
export function newGrant(): Pick<TokenRecord, 'grantId' | 'cacheKey'> {
  return { grantId: randomBytes(16).toString('base64url'), cacheKey: randomBytes(32) }
}

/** How a grant is named in events: a hash, which leads to nothing. */
export function grantHash(record: TokenRecord): string {
  return sha256(`event ${record.grantId}`).slice(0, 12)
}

/** SHA-256, base64url. */
export function sha256(text: string): string {
  return hash('sha256', text, 'base64url')
}

/** Encodes a record together with the key it belongs to. */
export function encodeRecord(key: string, record: TokenRecord): Uint8Array {
  const cacheKey = Buffer.from(record.cacheKey).toString('base64url')
  return Buffer.from(JSON.stringify({ v: formatVersion, key, ...record, cacheKey }))
}

/** Decodes what a store returned; `undefined` for anything that is not a record of this key. */
export function decodeRecord(key: string, bytes: Uint8Array): TokenRecord | undefined {
  const value = parseObject(bytes)
  if (!value || value['v'] !== formatVersion || value['key'] !== key) return undefined
  const { grantId, cacheKey, provider, profile, scope, authorizedAt, tokens } = value
  const { endsAt, usedAt, refreshExpiresAt, proofHash, ended, further } = value
  const { isApp, user, revived, dpopKey, idToken, sid, idSubject } = value
  const wellFormed =
    isText(grantId) &&
    isText(cacheKey) &&
    isText(provider) &&
    isObject(profile) &&
    isText(profile['subject']) &&
    isTextList(scope) &&
    isInstant(authorizedAt) &&
    isTokenSet(tokens) &&
    (further === undefined || (isObject(further) && Object.values(further).every(isTokenSet))) &&
    [isApp, revived].every((flag) => flag === undefined || flag === true) &&
    (dpopKey === undefined || isDpopKey(dpopKey)) &&
    [endsAt, usedAt, refreshExpiresAt].every((at) => at === undefined || isInstant(at)) &&
    [proofHash, ended, user, idToken, sid, idSubject].every(
      (text) => text === undefined || isText(text),
    )
  if (!wellFormed) return undefined
  const { v: _version, key: _key, ...record } = value
  return { ...record, cacheKey: Buffer.from(cacheKey, 'base64url') } as unknown as TokenRecord
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(),
    )
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every(isText)
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isTokenSet(value: unknown): boolean {
  if (!isObject(value)) return false
  const { accessToken, refreshToken, expiresAt, receivedAt } = value
  return (
    isText(accessToken) &&
    isInstant(receivedAt) &&
    (refreshToken === undefined || isText(refreshToken)) &&
    (expiresAt === undefined || isInstant(expiresAt))
  )
}
