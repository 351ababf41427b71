import { randomUUID } from 'node:crypto'
import { ConfigError } from '../errors.ts'
import type { Provider } from './provider.ts'
import { newGrant, type TokenRecord } from './token-record.ts'
import { refreshEnd } from './token-lifetime.ts'
import { checkedTokens, type TokenSet } from './token-set.ts'

/** What is beyond, some 3,000 years from now, is in milliseconds. */
const latestInSeconds = 1e11

/**
 * Tokens as others keep them: ours, openid-client's, the rows of Auth.js' table of accounts, and
 * spotipy's `.cache` files. `expires_at` is in seconds, as they have it; `expiresAt` in epoch ms. Where
 * neither is there, and a refresh token is, the first call refreshes.
 */
export interface ImportedTokens {
  accessToken?: string | null | undefined
  access_token?: string | null | undefined
  refreshToken?: string | null | undefined
  refresh_token?: string | null | undefined
  /** Epoch ms. */
  expiresAt?: number | null | undefined
  /** Epoch seconds. */
  expires_at?: number | string | null | undefined
  /** A list, or text with spaces or commas. */
  scope?: string | readonly string[] | null | undefined
  /** The user's stable id at the provider. */
  subject?: string | undefined
  /** Auth.js' name of the subject. */
  providerAccountId?: string | undefined
  /** When the user logged in there, epoch ms. Default: now. */
  authorizedAt?: number | undefined
}

/** What has to be known of a provider whose tokens come. */
export type ImportingProvider = Pick<Provider, 'name' | 'scope' | 'definition'>

/** The record of a grant that was made elsewhere. Throws a `ConfigError` for what are no tokens. */
export function importedRecord(provider: ImportingProvider, given: ImportedTokens): TokenRecord {
  const what = `Tokens of ${provider.name} to be imported`
  const row = typeof given === 'object' && given !== null ? given : {}
  const refreshToken = row.refreshToken || row.refresh_token || undefined
  const accessToken = row.accessToken ?? row.access_token ?? ''
  const tokens = checkedTokens(what, {
    accessToken: accessToken || (refreshToken ?? ''),
    refreshToken,
    expiresAt: endOf(row, refreshToken),
    scope: (row.scope ?? undefined) as TokenSet['scope'],
  })
  const { authorizedAt = Date.now() } = row
  const subject: unknown = row.subject ?? row.providerAccountId ?? randomUUID()
  if (!Number.isFinite(authorizedAt)) {
    throw new ConfigError(`${what}: authorizedAt must be an instant in epoch milliseconds.`)
  }
  if (!['string', 'number'].includes(typeof subject) || subject === '') {
    throw new ConfigError(`${what}: the subject must be a text that is not empty.`)
  }
  const { scope = provider.scope, expiresAt } = tokens
  return {
    ...newGrant(),
    provider: provider.name,
    profile: { subject: String(subject) },
    scope,
    authorizedAt,
    refreshExpiresAt: refreshEnd(provider, tokens, authorizedAt),
    // Without an access token, or without its end, the first call gets a new one.
    tokens: { accessToken, refreshToken, expiresAt, receivedAt: Date.now() },
  }
}

function endOf(
  { expiresAt, expires_at }: ImportedTokens,
  refreshToken: string | undefined,
): number | undefined {
  // PostgreSQL's drivers give a BIGINT as text.
  const seconds = Number(expires_at ?? Number.NaN)
  if (expiresAt === undefined || expiresAt === null) {
    if (seconds > latestInSeconds) return seconds
    if (!Number.isNaN(seconds)) return seconds * 1000
  }
  return expiresAt ?? (refreshToken === undefined ? undefined : 0)
}
