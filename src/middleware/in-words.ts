import { BehalfError, type ErrorCode } from '../errors.ts'
import { warnOnce } from './developer-log.ts'
import { isNavigation } from './fetch-metadata.ts'
import { errorJson, errorPage } from './reply.ts'
import type { Visit } from './visit.ts'

/** What happens every day, and is nobody's to mend. */
const ordinary: ReadonlySet<ErrorCode> = new Set([
  'login_required',
  'reauth_required',
  'user_required',
  'insufficient_scope',
  'upstream_error',
  'upstream_unavailable',
  'rate_limited',
])

/**
 * An error as a response, with its status and headers: a page for a person, JSON with `code` for a
 * script. What is to be mended is told to the developer. Throws what is no error of behalf's.
 */
export function inWords(visit: Visit, error: unknown): Response {
  if (!(error instanceof BehalfError)) throw error
  const { code, message } = error
  if (!ordinary.has(code)) {
    warnOnce('BEHALF_REQUEST_FAILED', code, `A request was refused (${code}). ${message}`)
  }
  return isNavigation(visit.source.header) ? errorPage(error, '/') : errorJson(error)
}

/**
 * The same for what answers behalf's own routes: there the app's word may also be a refusal, an error
 * of its own with a `status` of 400 to 499, as `onLogin` may throw.
 */
export function routeInWords(visit: Visit, error: unknown): Response {
  const { status } = (error ?? {}) as { status?: unknown }
  const isOwn = !(error instanceof BehalfError)
  if (!isOwn || typeof status !== 'number' || status < 400 || status > 499) {
    return inWords(visit, error)
  }
  const told = { code: 'login_refused', message: 'The app refused it.', status, headers: {} }
  return isNavigation(visit.source.header) ? errorPage(told, '/') : errorJson(told)
}
