import type { ProviderAccess } from '../oauth/provider-access.ts'
import type { Profile } from '../oauth/provider.ts'
import { json } from './reply.ts'
import type { Visit } from './visit.ts'

/** What `GET session` tells about one provider. Never a token. */
export type ConnectionInfo =
  | {
      connected: true
      profile: Profile
      scope: readonly string[]
      expiresAt?: number
      authorizedAt: number
    }
  | { connected: false; loginUrl: string; reason?: string }

/** `GET session`: which providers are connected, as JSON for the app's pages. */
export async function sessionInfo(visit: Visit): Promise<Response> {
  const entries = [...visit.app.accesses.values()].map(
    async (access) => [access.name, await connection(visit, access)] as const,
  )
  return json({ providers: Object.fromEntries(await Promise.all(entries)) })
}

async function connection(visit: Visit, access: ProviderAccess): Promise<ConnectionInfo> {
  const record = (await access.find(visit))?.record
  if (!record || record.ended) {
    const loginUrl = visit.loginUrl(access.name, {})
    return { connected: false, loginUrl, ...(record?.ended ? { reason: record.ended } : {}) }
  }
  const { profile, scope, tokens, authorizedAt } = record
  const { expiresAt } = tokens
  return { connected: true, profile, scope, authorizedAt, ...(expiresAt ? { expiresAt } : {}) }
}
