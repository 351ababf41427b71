import {
  BehalfError,
  InsufficientScopeError,
  LoginRequiredError,
  ReauthRequiredError,
  SessionNotKeptError,
  UpstreamError,
  UserRequiredError,
} from '../errors.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import { missingScope, normalizeScope } from '../oauth/scope.ts'
import { parsedUrl } from '../parsed-url.ts'
import { isNavigation } from './fetch-metadata.ts'
import { hasJustRefused, justFinished } from './login-loop.ts'
import { json, redirect } from './reply.ts'
import { safeReturnTo } from './return-to.ts'
import type { Visit } from './visit.ts'
import { withQuery } from './with-query.ts'

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
  const obstacle = await obstacleFor(visit, visit.app.access(provider), scope)
  return obstacle && overcome(visit, provider, obstacle, scope)
}

/**
 * What an error of a route means for a visitor who can log in: the same as {@link admit}; `undefined`
 * for an error that no login helps against. Also an API's 403 `insufficient_scope` (RFC 6750 section
 * 3.1), where the scope it names is one that the app may ask for.
 */
export function answerTo(visit: Visit, error: unknown): Response | undefined {
  if (error instanceof InsufficientScopeError) {
    return overcome(visit, error.provider, error, error.missing)
  }
  if (error instanceof LoginRequiredError || error instanceof ReauthRequiredError) {
    return overcome(visit, error.provider, error, [])
  }
  const wanted = error instanceof UpstreamError ? scopeWanted(visit, error) : undefined
  if (!wanted) return undefined
  const { provider, scope } = wanted
  const obstacle = new InsufficientScopeError(provider, scope, undefined)
  return overcome(visit, provider, obstacle, scope)
}

function scopeWanted(
  { app }: Visit,
  { status, headers, provider }: UpstreamError,
): { provider: string; scope: string[] } | undefined {
  const challenge = headers.get('www-authenticate') ?? ''
  if (status !== 403 || !/\berror="?insufficient_scope\b/.test(challenge)) return undefined
  const scope = normalizeScope(/\bscope="([^"]{1,1000})"/.exec(challenge)?.[1])
  const known = app.accesses.get(provider)?.provider
  const allowed = known ? [...known.scope, ...known.optionalScope] : []
  const isAllowed = scope.length > 0 && missingScope(allowed, scope).length === 0
  return isAllowed ? { provider, scope } : undefined
}

/** Leads to the login and back, or says where it is; throws what a login has just not helped against. */
function overcome(
  visit: Visit,
  provider: string,
  obstacle: BehalfError,
  scope: readonly string[],
): Response {
  const { code, message, status } = obstacle
  const target = targetFor(visit, provider, obstacle, { scope, returnTo: currentPage(visit) })
  if (!isNavigation(visit.source.header) || target === undefined) {
    const loginUrl = target === undefined ? {} : { loginUrl: target }
    return json({ code, message, ...loginUrl }, status)
  }
  guardLoop(visit, provider, obstacle, scope)
  return redirect(target)
}

/**
 * What {@link admit} does, for who answers in another way; `undefined` for a visitor who may pass. `returnTo` is
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
export function guardLoop(
  visit: Visit,
  provider: string,
  obstacle: BehalfError,
  scope: readonly string[],
): void {
  const last = justFinished(visit.source.jar, provider)
  // The app's own login is no concern of a loop guard: it may have ended a moment ago.
  if (last === undefined || obstacle instanceof UserRequiredError) return
  if (obstacle instanceof InsufficientScopeError && !hasJustRefused(last, scope)) return
  const isLost = last.how === 'done' && obstacle instanceof LoginRequiredError
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
  return signInUrl === undefined
    ? undefined
    : withQuery(signInUrl, { returnTo: safeReturnTo(returnTo, visit.routes) })
}

/** A page can be come back to: the one navigated to, or the one whose script or form has sent this. */
function currentPage({ source, routes }: Visit): string {
  const { url, method, header } = source
  const isPage = method === 'GET' && isNavigation(header)
  const from = parsedUrl(isPage ? url.href : (header('referer') ?? ''))
  if (from?.origin !== url.origin) return '/'
  return safeReturnTo(`${from.pathname}${from.search}`, routes)
}
