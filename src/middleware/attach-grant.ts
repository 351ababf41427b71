import type { GrantOwner } from '../oauth/grant-owner.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import type { TokenRecord } from '../oauth/token-record.ts'
import type { FoundRecord } from '../oauth/token-records.ts'
import { newHandle, type SessionHandle } from '../sessions/session.ts'
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
  const owner: SessionOwner | undefined = current && { kind: 'session', ...current }
  const held = owner ? await heldBy(visit, owner) : []
  const stays = isSamePerson(held, access, record)
  const handle = newHandle(stays ? owner?.id : undefined)
  const bind = async (from: SessionHandle, to: SessionHandle) => {
    const others = stays ? held.filter(({ one }) => one !== access) : []
    const bound = others.map(({ one }) =>
      one.records.rebind({ kind: 'session', ...from }, one.name, to.proof),
    )
    const failed = (await Promise.allSettled(bound)).find(({ status }) => status === 'rejected')
    if (failed) throw (failed as PromiseRejectedResult).reason
  }
  try {
    if (owner) await bind(owner, handle)
    await access.records.replace({ kind: 'session', ...handle }, access.name, record)
  } catch (error) {
    // The browser still has the old proof.
    if (owner) await bind(handle, owner).catch(() => {})
    throw error
  }
  await session.renew(handle)
  if (!stays) await Promise.all(held.map(({ one, found }) => one.end(found)))
}

type SessionOwner = Extract<GrantOwner, { kind: 'session' }>

interface Held {
  one: ProviderAccess
  found: FoundRecord
}

async function heldBy(visit: Visit, owner: GrantOwner): Promise<Held[]> {
  const held = [...visit.app.accesses.values()].map(async (one) => {
    const found = await one.records.read(owner, one.name)
    return found ? [{ one, found }] : []
  })
  return (await Promise.all(held)).flat()
}

/** Is what the session holds this person's, as far as this provider can tell? */
function isSamePerson(held: readonly Held[], access: ProviderAccess, record: TokenRecord): boolean {
  const before = held.find(({ one }) => one === access)?.found
  return held.length > 0 && (!before || before.record.profile.subject === record.profile.subject)
}
