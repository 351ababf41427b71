import { setTimeout as sleep } from 'node:timers/promises'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import { endSessionUrl } from '../oauth/end-session.ts'
import { requireSameOrigin } from './fetch-metadata.ts'
import { forgetFinished } from './login-loop.ts'
import { empty, json, redirect } from './reply.ts'
import { safeReturnTo } from './return-to.ts'
import type { Visit } from './visit.ts'

/** Milliseconds that the provider has to say where a logout goes on. */
const patience = 2_000

interface Held {
  access: ProviderAccess
  idToken: string | undefined
}

/** `POST logout`: ends the session, and with it the grants that belong to it. */
export async function logout(visit: Visit): Promise<Response> {
  const { app, source } = visit
  requireSameOrigin(source.header, app.configuration.origins)
  const answer = await afterwards(visit)
  const accesses = app.connects ? [] : [...app.accesses.values()]
  const held = await heldThere(visit, accesses)
  await Promise.all(accesses.map((access) => endGrant(visit, access)))
  await source.session.end()
  forgetFinished(source.jar)
  // Here they are logged out by now, however long the provider takes.
  const late = sleep(patience, undefined, { ref: false })
  const there = await Promise.race([logoutThere(visit, held), late])
  if (there === undefined) return answer
  return answer.status === 204 ? json({ logoutUrl: there }) : redirect(there)
}

/** What the session has at providers with `endSession`. */
async function heldThere(visit: Visit, accesses: readonly ProviderAccess[]): Promise<Held[]> {
  const held: Held[] = []
  for (const access of accesses) {
    if (!access.provider.definition.endSession) continue
    const owner = await visit.owner()
    const found = owner && (await access.records.readable(owner, access.name))
    if (found) held.push({ access, idToken: found.record.idToken })
  }
  return held
}

/** The first one that has a place for it: a browser goes to one place. */
async function logoutThere(visit: Visit, held: readonly Held[]): Promise<string | undefined> {
  for (const { access, idToken } of held) {
    const { postLogoutRedirectUri: given } = access.provider.definition
    const backTo = given ?? `${visit.app.configuration.origins[0]}/`
    const url = await endSessionUrl(access.server, idToken, backTo)
    if (url) return url.href
  }
  return undefined
}

/** `POST :provider/disconnect`: ends one grant. */
export async function disconnect(visit: Visit, access: ProviderAccess): Promise<Response> {
  requireSameOrigin(visit.source.header, visit.app.configuration.origins)
  const answer = await afterwards(visit)
  await endGrant(visit, access)
  forgetFinished(visit.source.jar)
  return answer
}

async function endGrant(visit: Visit, access: ProviderAccess): Promise<void> {
  const owner = await visit.owner()
  if (owner) await access.forget(owner)
}

/** A form goes to `returnTo`; a script that asks for JSON gets 204. */
async function afterwards({ source, routes }: Visit): Promise<Response> {
  if (/^application\/json\b/.test(source.header('accept') ?? '')) return empty(204)
  const form = await source.form()
  return redirect(
    safeReturnTo(form.get('returnTo') ?? source.url.searchParams.get('returnTo'), routes),
  )
}
