import type { GrantOwner } from '../oauth/grant-owner.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import type { TokenRecord } from '../oauth/token-record.ts'
import { newHandle } from '../sessions/session.ts'
import type { Visit } from './visit.ts'

/** Connects a provider to a user of the app; the session stays as it is. */
export async function attachToUser(
  access: ProviderAccess,
  id: string,
  record: TokenRecord,
): Promise<void> {
  await access.records.replace({ kind: 'user', id }, access.name, record)
}

/**
 * Signs the visitor in: the session gets a new id and its handle a new proof, so that whoever knew
 * the old ones has nothing. What the same person connected before comes along; of another person
 * in the same browser nothing is left.
 */
export async function attachToSession(
  visit: Visit,
  access: ProviderAccess,
  record: TokenRecord,
): Promise<void> {
  const { session } = visit.source
  const current = session.read()
  const owner: GrantOwner | undefined = current && { kind: 'session', ...current }
  const handle = newHandle(
    owner && (await mayStay(visit, access, owner, record)) ? owner.id : undefined,
  )
  if (owner && handle.id === owner.id) {
    const others = [...visit.app.accesses.values()].filter((other) => other !== access)
    await Promise.all(others.map((other) => other.records.rebind(owner, other.name, handle.proof)))
  }
  await access.records.replace({ kind: 'session', ...handle }, access.name, record)
  await session.renew(handle)
}

/** Ends what belongs to somebody else; tells whether the session is this person's. */
async function mayStay(
  visit: Visit,
  access: ProviderAccess,
  owner: GrantOwner,
  record: TokenRecord,
): Promise<boolean> {
  const accesses = [...visit.app.accesses.values()]
  const held = await Promise.all(
    accesses.map(async (one) => ({ one, found: await one.records.read(owner, one.name) })),
  )
  const before = held.find(({ one }) => one === access)?.found
  if (!before || before.record.profile.subject === record.profile.subject) {
    return held.some(({ found }) => found !== undefined)
  }
  await Promise.all(held.map(async ({ one, found }) => found && one.end(found)))
  return false
}
