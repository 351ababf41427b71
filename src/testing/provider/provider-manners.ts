import type { RawReply } from '../server/raw-reply.ts'
import { jsonReply } from '../server/raw-reply.ts'
import type { CodeContents } from './authorization-codes.ts'
import type { ProtocolError } from './protocol-error.ts'

/** Whose habits the test provider has, where they differ from the specifications. */
export type ProviderManner = 'standard' | 'spotify' | 'google' | 'github' | 'microsoft'

/** What such a server does otherwise. */
export interface Manners {
  /** Whether a login gives a refresh token; `isFirst`: the user has not granted anything before. */
  givesRefreshToken(login: CodeContents, isFirst: boolean): boolean
  /** Whether a refresh gives a new refresh token; `undefined`: as the switch `rotate` says. */
  readonly rotates?: boolean
  /** Whether a refresh token that has been replaced is good still. */
  readonly keepsReplaced?: boolean
  /** The members of a token reply. */
  reply(standard: Record<string, unknown>): Record<string, unknown>
  /** A refusal at the token endpoint. */
  refusal(error: ProtocolError, grantType: string | null): RawReply
  /** The metadata documents. */
  metadata(standard: Record<string, unknown>): Record<string, unknown>
}

const standard: Manners = {
  givesRefreshToken: () => true,
  reply: (members) => members,
  refusal: (error) => error.reply(),
  metadata: (members) => members,
}

/** The tenant of everybody at the provider that is like Microsoft. */
export const testTenant = '11111111-2222-3333-4444-555555555555'

const manners: Readonly<Record<ProviderManner, Manners>> = {
  standard,
  spotify: { ...standard, rotates: false },
  google: {
    ...standard,
    rotates: false,
    givesRefreshToken: ({ accessType, prompt }, isFirst) =>
      accessType === 'offline' && (isFirst || prompt.includes('consent')),
    reply: (members) => ({ ...members, scope: words(members['scope']).map(longName).join(' ') }),
    metadata: ({ authorization_response_iss_parameter_supported: _, ...members }) => members,
  },
  github: {
    ...standard,
    givesRefreshToken: () => false,
    reply: ({ access_token, token_type, scope }) => ({
      access_token,
      token_type: String(token_type).toLowerCase(),
      scope: words(scope).join(','),
    }),
    refusal: ({ error, message }, grantType) =>
      jsonReply({ error: githubError(error, grantType), error_description: message }),
  },
  microsoft: {
    ...standard,
    keepsReplaced: true,
    givesRefreshToken: ({ scope }) => scope.includes('offline_access'),
    reply: (members) => ({
      ...members,
      scope: words(members['scope']).filter(isNamed).map(fullName).join(' '),
    }),
    metadata: ({ revocation_endpoint: _, ...members }) => ({
      ...members,
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
      authorization_response_iss_parameter_supported: false,
    }),
  },
}

/** How a server of that kind behaves. */
export function mannersOf(like: ProviderManner): Manners {
  return manners[like]
}

function words(scope: unknown): string[] {
  return typeof scope === 'string' ? scope.split(' ').filter(Boolean) : []
}

function longName(scope: string): string {
  const isLong = scope === 'email' || scope === 'profile'
  return isLong ? `https://www.googleapis.com/auth/userinfo.${scope}` : scope
}

/** Microsoft gives what `offline_access` is for, and does not say so. */
function isNamed(scope: string): boolean {
  return scope !== 'offline_access'
}

function fullName(scope: string): string {
  return /^[A-Z]/.test(scope) ? `https://graph.microsoft.com/${scope}` : scope
}

function githubError(error: string, grantType: string | null): string {
  if (error === 'invalid_client') return 'incorrect_client_credentials'
  if (error !== 'invalid_grant') return error
  return grantType === 'refresh_token' ? 'bad_refresh_token' : 'bad_verification_code'
}
