import {
  BehalfError,
  InsufficientScopeError,
  LoginRequiredError,
  ReauthRequiredError,
  SessionNotKeptError,
  UserRequiredError,
} from '../errors.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import { missingScope } from '../oauth/scope.ts'
import { isNavigation } from './fetch-metadata.ts'
import { justFinished } from './login-loop.ts'
import { json, redirect } from './reply.ts'
import { safeReturnTo } from './return-to.ts'
import type { Visit } from './visit.ts'
import { withQuery } from './with-query.ts'
import { parsedUrl } from '../parsed-url.ts'

/** What a visitor has to do first. */
export interface WayIn {
  /** Why they cannot pass. */
  obstacle: BehalfError
  /** Where the browser has to go; `undefined` where nothing says where. */
  target: string | undefined
}

/**
 * Lets a visitor pass who has logged in at the provider and granted the scope: gives `undefined`
 * then. A navigation is redirected to the login and comes back; anything else gets 401 or 403 JSON
 * with `code` and `loginUrl`.
 */
export async function admit(
  visit: Visit,
  provider: string,
  scope: readonly string[],
): Promise<Response | undefined> {
  const way = await wayIn(visit, provider, scope)
  if (!way) return undefined
  const { obstacle, target } = way
  const { code, message, status } = obstacle
  if (!isNavigation(visit.source.header) || target === undefined) {
    const loginUrl = target === undefined ? {} : { loginUrl: target }
    return json({ code, message, ...loginUrl }, status)
  }
  guardLoop(visit, provider, obstacle)
  return redirect(target)
}

/**
 * The same, for who answers in another way; `undefined` for a visitor who may pass. `returnTo` is
 * where to come back to, by default the page that the request is of. Throws a `ConfigError` for a
 * provider that the app does not have.
 */
export async function wayIn(
  visit: Visit,
  provider: string,
  scope: readonly string[],
  returnTo = currentPage(visit),
): Promise<WayIn | undefined> {
  const obstacle = await obstacleFor(visit, visit.app.access(provider), scope)
  return obstacle && { obstacle, target: targetFor(visit, provider, obstacle, { scope, returnTo }) }
}

/** Throws where the visitor has just been there: sending them once more would go round and round. */
export function guardLoop(visit: Visit, provider: string, obstacle: BehalfError): void {
  const last = justFinished(visit.source.jar, provider)
  // The app's own login is no concern of a loop guard: it may have ended a moment ago.
  if (last === undefined || obstacle instanceof UserRequiredError) return
  const isLost = last === 'done' && obstacle instanceof LoginRequiredError
  throw isLost ? new SessionNotKeptError(provider) : obstacle
}

async function obstacleFor(
  visit: Visit,
  access: ProviderAccess,
  scope: readonly string[],
): Promise<BehalfError | undefined> {
  const owner = await visit.owner()
  if (!owner && visit.app.connects) return new UserRequiredError(access.name)
  const record = (owner && (await access.of(owner)))?.record
  const loginUrl = visit.loginUrl(access.name, {})
  if (!record) return new LoginRequiredError(access.name, loginUrl)
  if (record.ended) return new ReauthRequiredError(access.name, record.ended, loginUrl)
  const missing = missingScope(record.scope, scope)
  return missing.length > 0
    ? new InsufficientScopeError(access.name, missing, undefined)
    : undefined
}

function targetFor(
  visit: Visit,
  provider: string,
  obstacle: BehalfError,
  { scope, returnTo }: { scope: readonly string[]; returnTo: string },
): string | undefined {
  if (!(obstacle instanceof UserRequiredError)) {
    return visit.loginUrl(provider, { returnTo, ...(scope.length > 0 ? { scope } : {}) })
  }
  const { signInUrl } = visit.app.options
  return signInUrl === undefined ? undefined : withQuery(signInUrl, { returnTo })
}

/** A page can be come back to: the one navigated to, or the one whose script or form has sent this. */
function currentPage({ source, routes }: Visit): string {
  const { url, method, header } = source
  const isPage = method === 'GET' && isNavigation(header)
  const from = parsedUrl(isPage ? url.href : (header('referer') ?? ''))
  if (from?.origin !== url.origin) return '/'
  return safeReturnTo(`${from.pathname}${from.search}`, routes)
}
