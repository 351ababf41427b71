import { BehalfError, StateError } from '../errors.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
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
  visit.app.emit({ type: 'login_failed', provider: access.name, code, reason })
  markFinished(visit.source.jar, access.name, 'failed')
  const { errorPage: own } = visit.app.options
  const isAnswered = error instanceof BehalfError && isNavigation(visit.source.header)
  if (own === undefined && !isAnswered) throw error
  if (error instanceof BehalfError && code !== 'access_denied') log(access.name, error, reason)
  if (own !== undefined) return redirect(withQuery(own, { code, provider: access.name }))
  return errorPage(error as BehalfError, `${visit.routes}/${access.name}/login`)
}

const logged = new Set<string>()

/** Once for each kind: anybody can call a callback as often as they like. */
function log(provider: string, error: BehalfError, reason: string | undefined): void {
  const kind = [provider, error.code, reason].join(' ')
  if (logged.has(kind)) return
  logged.add(kind)
  process.emitWarning(`A login at ${provider} failed (${reason ?? error.code}). ${error.message}`, {
    type: 'BehalfWarning',
    code: 'BEHALF_LOGIN_FAILED',
    detail: 'Told once for each reason; the event login_failed tells of every one.',
  })
}
