import { randomBytes } from 'node:crypto'
import { AccessDeniedError, BehalfError, StateError } from '../errors.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import { warnOnce } from './developer-log.ts'
import { isNavigation } from './fetch-metadata.ts'
import { markFinished } from './login-loop.ts'
import { errorPage, redirect } from './reply.ts'
import type { Visit } from './visit.ts'
import { withQuery } from './with-query.ts'

/**
 * Answers a callback that failed: with the app's `errorPage`, else with a plain page from which a
 * person can start again. Throws what is the app's to answer: errors of its own, and scripts' requests.
 */
export function failedLogin(visit: Visit, access: ProviderAccess, error: unknown): Response {
  const code = error instanceof BehalfError ? error.code : 'login_refused'
  const reason = error instanceof StateError ? error.reason : undefined
  const reference = randomBytes(5).toString('hex')
  visit.app.emit({ type: 'login_failed', provider: access.name, code, reason, reference })
  markFinished(visit.source.jar, access.name, 'failed')
  const { errorPage: own } = visit.app.options
  const isAnswered = error instanceof BehalfError && isNavigation(visit.source.header)
  if (own === undefined && !isAnswered) throw error
  log(access.name, error, reason ?? code)
  if (own !== undefined) return redirect(withQuery(own, { code, provider: access.name }))
  return errorPage(error as BehalfError, `${visit.routes}/${access.name}/login`, reference)
}

/** An error of the app's own may hold anything: only its kind is told. */
function log(provider: string, error: unknown, reason: string): void {
  if (error instanceof AccessDeniedError) return
  const what = error instanceof BehalfError ? error.message : `The app threw ${nameOf(error)}.`
  const message = `A login at ${provider} failed (${reason}). ${what}`
  warnOnce('BEHALF_LOGIN_FAILED', `${provider} ${reason} ${nameOf(error)}`, message)
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.constructor.name : typeof error
}
