import { StateError } from '../errors.ts'
import type { LoginResult } from '../oauth/authorization-server.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import { grantHash } from '../oauth/token-record.ts'
import { grantOf } from '../oauth/token-handler.ts'
import { authorizationResponse } from './authorization-response.ts'
import { lostLogin } from './lost-login.ts'
import { loginLifetime, type LoginTransaction, LoginTransactions } from './login-transaction.ts'
import { markFinished } from './login-loop.ts'
import { newRecord } from './new-record.ts'
import { redirect } from './reply.ts'
import { safeReturnTo } from './return-to.ts'
import { attachToSession, attachToUser } from './attach-grant.ts'
import type { Visit } from './visit.ts'

/** `GET :provider/callback`: finishes the login that this browser began. */
export async function callback(visit: Visit, access: ProviderAccess): Promise<Response> {
  const { app, source } = visit
  const response = authorizationResponse(access.name, source.url.search)
  const transactions = new LoginTransactions(source.jar, app.keyRing)
  const transaction = transactions.find(response.state)
  if (!transaction) return again(visit, access, response.state)
  await check(visit, access, transaction)
  // A store that cannot be asked now leaves the login as it was: nothing was sent yet.
  const isFirst = await app.consume(response.state)
  transactions.end(transaction)
  if (!isFirst) return again(visit, access, response.state)

  const landing = new URL(transaction.redirectUri)
  for (const [name, value] of response.parameters) landing.searchParams.set(name, value)
  const result = await access.server.finishLogin(landing, transaction)
  const returnTo = await keep(visit, access, transaction, result)
  markFinished(source.jar, access.name, 'done')
  return redirect(returnTo)
}

/** A callback that was opened once more: who is logged in goes on to the app, no token is asked for. */
async function again(visit: Visit, access: ProviderAccess, state: string): Promise<Response> {
  if (!(await visit.app.wasConsumed(state))) throw lostLogin(visit)
  if (await access.find(visit)) return redirect('/')
  throw new StateError('state_replayed')
}

/** All of it before the code is used: what does not fit leaves the login as it was. */
async function check(
  visit: Visit,
  access: ProviderAccess,
  transaction: LoginTransaction,
): Promise<void> {
  const { provider, issuer, startedAt, user, session } = transaction
  if (provider !== access.name || issuer !== access.provider.issuer) {
    throw new StateError('state_provider_changed')
  }
  const age = (Date.now() - startedAt) / 1000
  if (age > loginLifetime || age < -60) throw new StateError('state_expired')
  if (session !== undefined) checkSession(session, visit.source.session.read()?.id)
  if ((await visit.user()) !== user) throw new StateError('state_user_changed')
}

function checkSession(begun: string, now: string | undefined): void {
  if (now === undefined) throw new StateError('state_user_changed', ...gone)
  if (now !== begun) throw new StateError('state_user_changed')
}

const gone = [
  'no-session',
  'The session in which it began is not there any more: it was logged out or has ended, or its cookie is SameSite=Strict ' +
    'and stays behind when the provider sends the browser back; make that lax.',
] as const

/** Whatever goes wrong from here on, tokens that nobody will use are revoked. */
async function keep(
  visit: Visit,
  access: ProviderAccess,
  transaction: LoginTransaction,
  result: LoginResult,
): Promise<string> {
  const record = newRecord(visit.app, access, transaction.scope, result)
  try {
    const answer = await visit.app.options.onLogin?.({
      provider: access.name,
      grant: grantOf(record),
      profile: record.profile,
      user: transaction.user,
      request: new Request(transaction.redirectUri),
    })
    if (transaction.user !== undefined) await attachToUser(access, transaction.user, record)
    else await attachToSession(visit, access, record)
    visit.app.emit({
      type: 'login',
      provider: access.name,
      grant: grantHash(record),
      scope: record.scope,
    })
    return safeReturnTo(answer?.returnTo ?? transaction.returnTo, visit.routes)
  } catch (error) {
    visit.app.background(access.server.revoke(result.tokens))
    throw error
  }
}
