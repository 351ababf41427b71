import { headers } from 'next/headers.js'
// 'next/navigation.js' brings along what only pages have, and its other name is not there outside of a bundler.
import { redirect } from 'next/dist/client/components/navigation.react-server.js'
import { LoginRequiredError, NotPersistableError, ReauthRequiredError } from '../errors.ts'
import { normalizeScope } from '../oauth/scope.ts'
import { TokenHandler } from '../oauth/token-handler.ts'
import type { Behalf } from './behalf.ts'
import { type Context, contextFor } from './context.ts'
import { refuseSharedCache } from './next-cache-scope.ts'
import { pathHeader } from './next-proxy.ts'
import type { Providers } from './options.ts'
import { bounceFrom } from './refresh-bounce.ts'
import { guardLoop, wayIn } from './require-login.ts'
import { safeReturnTo } from './return-to.ts'
import type { Visit } from './visit.ts'

/** Options of `context()`. */
export interface PageOptions<Name extends string = string> {
  /**
   * A provider at which the visitor must be logged in: who is not, or whose grant has ended, is
   * redirected to the login.
   */
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
  options: PageOptions,
  userOf?: (request: Request) => unknown,
): Promise<Context<P>> {
  refuseSharedCache()
  // First of all: where nothing is rendered for anybody, as in a build, Next ends it here.
  const request = pageRequest(await headers())
  const core = coreOf()
  const app = await core.app()
  const visit = core.visit(app, request, {
    used: refuseSharedCache,
    ...(userOf && { user: () => userOf(request) }),
  })
  // A page sets no cookies: new tokens wait in the store for a request that can.
  visit.source.jar.take()
  if (options.login !== undefined) await requireIn(visit, options.login, options)
  return contextFor<P>(app, visit, { cache: () => app.cache })
}

/** Next tells no URL here, and what it calls `Headers` is only to be read one by one. */
function pageRequest(given: Awaited<ReturnType<typeof headers>>): Request {
  return new Request('http://localhost/', { headers: [...given.entries()] })
}

async function requireIn(
  visit: Visit,
  provider: string,
  { scope, returnTo }: PageOptions,
): Promise<void> {
  const here = returnTo ?? notedPath(visit)
  const enter = () => wayIn(visit, provider, normalizeScope(scope), here)
  const way = (await enter()) ?? ((await isLost(visit, provider, here)) ? await enter() : undefined)
  if (!way) return
  if (way.target === undefined) throw way.obstacle
  guardLoop(visit, provider, way.obstacle, normalizeScope(scope))
  redirect(way.target)
}

/** Anybody can send the header: it chooses where they come back to themselves. */
function notedPath({ source, routes }: Visit): string | undefined {
  const noted = source.header(pathHeader)
  return noted === undefined ? undefined : safeReturnTo(noted, routes)
}

/**
 * A component cannot answer an error with a redirect once it has begun to render: so a grant that
 * ends with this very refresh is found out before, and new tokens that only a reply with cookies could
 * keep are fetched by one. Any other trouble is told by the call that meets it.
 */
async function isLost(visit: Visit, provider: string, here = '/'): Promise<boolean> {
  try {
    await new TokenHandler(visit.app.access(provider), visit).getAccessToken()
    return false
  } catch (error) {
    const bounce = error instanceof NotPersistableError ? bounceFrom(visit, here) : undefined
    if (bounce !== undefined) redirect(bounce)
    return error instanceof ReauthRequiredError || error instanceof LoginRequiredError
  }
}
