import {
  BehalfError,
  ConfigError,
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
  const access = visit.app.accesses.get(provider)
  if (!access)
    throw new ConfigError(
      `requireLogin('${provider}'): there is no such provider; there are: ${[...visit.app.accesses.keys()].join(', ')}.`,
    )
  const obstacle = await obstacleFor(visit, access, scope)
  if (!obstacle) return undefined
  const { code, message, status } = obstacle
  const target = targetFor(visit, provider, obstacle, scope)
  if (!isNavigation(visit.source.header) || target === undefined) {
    const loginUrl = target === undefined ? {} : { loginUrl: target }
    return json({ code, message, ...loginUrl }, status)
  }
  const last = justFinished(visit.source.jar, provider)
  // The app's own login is no concern of a loop guard: it may have ended a moment ago.
  if (last === undefined || obstacle instanceof UserRequiredError) return redirect(target)
  const isLost = last === 'done' && !(obstacle instanceof InsufficientScopeError)
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

/** Where the browser has to go. */
function targetFor(
  visit: Visit,
  provider: string,
  obstacle: BehalfError,
  scope: readonly string[],
): string | undefined {
  const here = currentPage(visit)
  if (!(obstacle instanceof UserRequiredError)) {
    return visit.loginUrl(provider, { returnTo: here, ...(scope.length > 0 ? { scope } : {}) })
  }
  const { signInUrl } = visit.app.options
  return signInUrl === undefined ? undefined : withQuery(signInUrl, { returnTo: here })
}

/** A page can be come back to: the one navigated to, or the one whose script or form has sent this. */
function currentPage({ source, routes }: Visit): string {
  const { url, method, header } = source
  const isPage = method === 'GET' && isNavigation(header)
  const from = parsedUrl(isPage ? url.href : (header('referer') ?? ''))
  if (from?.origin !== url.origin) return '/'
  return safeReturnTo(`${from.pathname}${from.search}`, routes)
}
