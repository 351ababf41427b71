import { headers } from 'next/headers.js'
import { redirect } from 'next/navigation.js'
import type { Context } from './context.ts'
import { contextFor } from './context.ts'
import type { Behalf } from './behalf.ts'
import { normalizeScope } from '../oauth/scope.ts'
import { refuseSharedCache } from './next-cache-scope.ts'
import { pathHeader } from './next-proxy.ts'
import type { Providers } from './options.ts'
import { guardLoop, wayIn } from './require-login.ts'
import { safeReturnTo } from './return-to.ts'
import type { Visit } from './visit.ts'

/** Options of `context()`. */
export interface PageOptions<Name extends string = string> {
  /** A provider at which the visitor must be logged in; who is not is redirected to the login. */
  login?: Name | undefined
  /** What they must have granted there. */
  scope?: string | readonly string[] | undefined
  /** Local path to come back to. Default: the page, where `proxy` has noted it; else `/`. */
  returnTo?: string | undefined
}

/**
 * The visitor's clients and token handlers in a server component, a server action or a route
 * handler, from Next's own `headers()`. Redirects who has to log in first, by throwing as Next's
 * `redirect()` does.
 */
export async function pageContext<P extends Providers>(
  coreOf: () => Behalf<P>,
  { login, scope, returnTo }: PageOptions,
): Promise<Context<P>> {
  refuseSharedCache()
  // First of all: where nothing is rendered for anybody, as in a build, Next ends it here.
  const request = pageRequest(await headers())
  const core = coreOf()
  const app = await core.app()
  const visit = core.visit(app, request, { used: refuseSharedCache })
  if (login !== undefined) {
    await requireIn(visit, login, normalizeScope(scope), returnTo ?? notedPath(visit))
  }
  return contextFor<P>(app, visit, { cache: () => app.cache })
}

/** Next tells no URL here, and what it calls `Headers` is only to be read one by one. */
function pageRequest(given: Awaited<ReturnType<typeof headers>>): Request {
  return new Request('http://localhost/', { headers: [...given.entries()] })
}

/** Anybody can send the header: it chooses where they come back to themselves. */
function notedPath({ source, routes }: Visit): string | undefined {
  const noted = source.header(pathHeader)
  return noted === undefined ? undefined : safeReturnTo(noted, routes)
}

async function requireIn(
  visit: Visit,
  provider: string,
  scope: readonly string[],
  returnTo: string | undefined,
): Promise<void> {
  const way = await wayIn(visit, provider, scope, returnTo)
  if (!way) return
  if (way.target === undefined) throw way.obstacle
  guardLoop(visit, provider, way.obstacle)
  redirect(way.target)
}
