import type { ProviderAccess } from '../oauth/provider-access.ts'
import { requireSameOrigin } from './fetch-metadata.ts'
import { forgetFinished } from './login-loop.ts'
import { empty, redirect } from './reply.ts'
import { safeReturnTo } from './return-to.ts'
import type { Visit } from './visit.ts'

/** `POST logout`: ends the session, and with it the grants that belong to it. */
export async function logout(visit: Visit): Promise<Response> {
  const { app, source } = visit
  requireSameOrigin(source.header, app.configuration.origins)
  const answer = await afterwards(visit)
  if (!app.connects) {
    await Promise.all([...app.accesses.values()].map((access) => endGrant(visit, access)))
  }
  await source.session.end()
  forgetFinished(source.jar)
  return answer
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
