import { randomUUID } from 'node:crypto'
import { ConfigError } from '../errors.ts'
import type { Provider } from './provider.ts'
import { normalizeScope } from './scope.ts'
import { newGrant, type TokenRecord } from './token-record.ts'
import { isToken } from './token-set.ts'

/**
 * Tokens as others keep them: ours, openid-client's, the rows of Auth.js' table of accounts, and
 * spotipy's `.cache` files. `expires_at` is in seconds, as they have it; `expiresAt` in epoch ms.
 */
export interface ImportedTokens {
  accessToken?: string | null | undefined
  access_token?: string | null | undefined
  refreshToken?: string | null | undefined
  refresh_token?: string | null | undefined
  /** Epoch ms. */
  expiresAt?: number | null | undefined
  /** Epoch seconds. */
  expires_at?: number | null | undefined
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
export function importedRecord(provider: ImportingProvider, tokens: ImportedTokens): TokenRecord {
  const now = Date.now()
  const refreshToken = tokens.refreshToken ?? tokens.refresh_token ?? undefined
  // Without an access token, or without its end, the first call gets a new one.
  const accessToken = tokens.accessToken ?? tokens.access_token ?? ''
  const usable = [accessToken || refreshToken, refreshToken ?? accessToken].every(isToken)
  if (!usable) {
    throw new ConfigError(
      `Tokens of ${provider.name} to be imported need an access token or a refresh token, of printable ASCII.`,
    )
  }
  const authorizedAt = tokens.authorizedAt ?? now
  const { refreshTokenLifetime } = provider.definition
  const lasts = refreshToken !== undefined && refreshTokenLifetime !== undefined
  return {
    ...newGrant(),
    provider: provider.name,
    profile: { subject: tokens.subject ?? tokens.providerAccountId ?? randomUUID() },
    scope: tokens.scope ? normalizeScope(tokens.scope) : provider.scope,
    authorizedAt,
    refreshExpiresAt: lasts ? authorizedAt + refreshTokenLifetime * 1000 : undefined,
    tokens: { accessToken, refreshToken, expiresAt: endOf(tokens, refreshToken), receivedAt: now },
  }
}

function endOf(
  { expiresAt, expires_at }: ImportedTokens,
  refreshToken: string | undefined,
): number | undefined {
  const end = expiresAt ?? (typeof expires_at === 'number' ? expires_at * 1000 : undefined)
  if (Number.isFinite(end)) return end
  return refreshToken === undefined ? undefined : 0
}
