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
  const held = current ? await heldBy(visit, current) : []
  const stays = isSamePerson(held, access, record)
  const handle = newHandle(stays ? current?.id : undefined)
  const others = stays ? held.filter((one) => one.access !== access) : []
  visit.tokens?.retain(keysOf(visit, handle))
  try {
    await rebind(visit, others, current, handle)
    await access.records.replace(visit.ownerOf(handle), access.name, record)
    const known = [...held.map((one) => one.access), ...(stays ? [access] : [])]
    await endUnseen(visit, current, known)
  } catch (error) {
    // The browser still has the old proof.
    visit.tokens?.reset()
    await rebind(visit, others, handle, current).catch(() => {})
    throw error
  }
  await session.renew(handle)
  if (!stays) await Promise.all(held.map((one) => one.access.end(one.found)))
}

/** The keys of what a handle can have. */
function keysOf(visit: Visit, handle: SessionHandle): string[] {
  const owner = visit.ownerOf(handle)
  return [...visit.app.accesses.values()].map(({ name, records }) => records.keyOf(owner, name))
}

/**
 * Where records come with the request, what this one has not brought along could still be opened by
 * who has a copy of it and the former proof.
 */
async function endUnseen(
  visit: Visit,
  handle: SessionHandle | undefined,
  known: readonly ProviderAccess[],
): Promise<void> {
  if (!visit.tokens || !handle) return
  const unseen = [...visit.app.accesses.values()].filter((access) => !known.includes(access))
  const owner = visit.ownerOf(handle)
  await Promise.all(unseen.map(({ name, records }) => records.forget(owner, name)))
}

interface Held {
  access: ProviderAccess
  found: FoundRecord
}

async function heldBy(visit: Visit, handle: SessionHandle): Promise<Held[]> {
  const held = [...visit.app.accesses.values()].map(async (access) => {
    const found = await access.records.readable(visit.ownerOf(handle), access.name)
    return found ? [{ access, found }] : []
  })
  return (await Promise.all(held)).flat()
}

/** All of them are tried before one that failed is told. */
async function rebind(
  visit: Visit,
  held: readonly Held[],
  from: SessionHandle | undefined,
  to: SessionHandle | undefined,
): Promise<void> {
  if (!from || !to) return
  const owner = visit.ownerOf(from)
  const bound = held.map(({ access }) => access.records.rebind(owner, access.name, to.proof))
  for (const result of await Promise.allSettled(bound)) {
    if (result.status === 'rejected') throw result.reason
  }
}

/** Is what the session holds this person's, as far as this provider can tell? */
function isSamePerson(held: readonly Held[], access: ProviderAccess, record: TokenRecord): boolean {
  const before = held.find((one) => one.access === access)?.found
  return held.length > 0 && (!before || before.record.profile.subject === record.profile.subject)
}
