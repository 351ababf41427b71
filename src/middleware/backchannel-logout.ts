import { InvalidLogoutToken, type LogoutToken } from '../oauth/logout-token.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import type { FoundRecord } from '../oauth/token-records.ts'
import { warnOnce } from './developer-log.ts'
import { empty, json } from './reply.ts'
import type { Visit } from './visit.ts'

/**
 * `POST :provider/backchannel-logout`: the provider says, from server to server, that a user has
 * logged out there (OpenID Connect Back-Channel Logout 1.0). Ends the session's grants here. What a
 * user of the app has connected stays: it was never a login.
 */
export async function backchannelLogout(visit: Visit, access: ProviderAccess): Promise<Response> {
  if (visit.app.tokensInRequest) {
    // What only browsers have cannot be ended from here; to say 200 would be a lie.
    return json(
      { error: 'unsupported', error_description: 'Sessions are kept in the browser.' },
      501,
    )
  }
  const token = (await visit.source.form()).getAll('logout_token')
  try {
    if (token.length !== 1) throw new InvalidLogoutToken('there is not exactly one')
    await endSessions(visit, access, await access.logoutTokens.verified(token[0]!))
    return empty(200)
  } catch (error) {
    if (!(error instanceof InvalidLogoutToken)) throw error
    const message = `A logout token of ${access.name} was refused: ${error.message}.`
    warnOnce('BEHALF_LOGOUT_REFUSED', `${access.name} ${error.message}`, message)
    return json({ error: 'invalid_request', error_description: message }, 400)
  }
}

async function endSessions(
  { app }: Visit,
  access: ProviderAccess,
  token: LogoutToken,
): Promise<void> {
  const mark = `logout token ${JSON.stringify([access.name, token.jti])}`
  if (!(await app.consume(mark))) throw new InvalidLogoutToken('it has come before')
  try {
    const { found, failure } = await meantBy(access, token)
    await Promise.all(found.map((one) => access.end(one)))
    if (failure !== undefined) throw failure
  } catch (error) {
    // The provider may send it again.
    await app.release(mark).catch(() => {})
    throw error
  }
}

/** A session's grants only. Where both are named, both must fit. */
async function meantBy(
  { name, records }: ProviderAccess,
  { subject, sid }: LogoutToken,
): Promise<{ found: FoundRecord[]; failure: Error | undefined }> {
  const whose = sid === undefined ? { subject: subject! } : { sid }
  const { found, failure } = await records.sessionsOf({ provider: name, ...whose })
  const meant = found.filter(
    ({ record }) =>
      subject === undefined || (record.idSubject ?? record.profile.subject) === subject,
  )
  return { found: meant, failure }
}
