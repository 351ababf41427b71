import { randomUUID } from 'node:crypto'
import type { LoginResult } from '../oauth/authorization-server.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import { refreshEnd } from '../oauth/token-lifetime.ts'
import { newGrant, type TokenRecord } from '../oauth/token-record.ts'
import type { App } from './app.ts'

/** The record of a login that has just come back; `asked` is the scope where the reply names none. */
export function newRecord(
  app: App,
  access: ProviderAccess,
  asked: readonly string[],
  { tokens, profile, dpopKey, idToken, sid, idSubject }: LoginResult,
): TokenRecord {
  const { scope = asked, refreshExpiresAt: _end, ...held } = tokens
  const now = Date.now()
  return {
    ...newGrant(),
    provider: access.name,
    profile: profile ?? { subject: randomUUID() },
    scope,
    authorizedAt: now,
    endsAt: app.connects ? undefined : now + app.configuration.grantTtl * 1000,
    refreshExpiresAt: refreshEnd(access.provider, tokens, now),
    tokens: { ...held, receivedAt: now },
    dpopKey,
    idToken,
    sid,
    idSubject,
  }
}
