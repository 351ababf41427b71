import type { NextRequest } from 'next/server.js'
import { ReauthRequiredError } from '../errors.ts'
import { normalizeScope } from '../oauth/scope.ts'
import type { Behalf } from './behalf.ts'
import { type Context, contextFor } from './context.ts'
import { inWords } from './in-words.ts'
import { refuseSharedCache } from './next-cache-scope.ts'
import type { Providers } from './options.ts'
import { privately } from './private-reply.ts'
import { admit } from './require-login.ts'

/** A route handler that also gets the visitor's clients. The third argument is Next's own second one. */
export type ApiHandler<P extends Providers, Route> = (
  request: NextRequest,
  context: Context<P>,
  route: Route,
) => Response | Promise<Response>

/** Options of `withApi()`. */
export interface ApiOptions<Name extends string = string> {
  /** A provider at which the visitor must be logged in; see `requireLogin()` of Express. */
  login?: Name | undefined
  /** What they must have granted there. */
  scope?: string | readonly string[] | undefined
}

/** What Next.js calls. */
export type RouteHandler<Route> = (request: NextRequest, route: Route) => Promise<Response>

/**
 * Makes a route handler. Who has to log in first is redirected when they navigate, and gets 401 or
 * 403 JSON with `loginUrl` otherwise; other errors of behalf become responses too.
 */
export function apiRoute<P extends Providers, Route>(
  coreOf: () => Behalf<P>,
  handler: ApiHandler<P, Route>,
  { login, scope }: ApiOptions,
  userOf?: (request: Request) => unknown,
): RouteHandler<Route> {
  const needed = normalizeScope(scope)
  return async (request, route) => {
    // A request that is none, as in a build, ends here.
    request.headers.get('cookie')
    const core = coreOf()
    const app = await core.app()
    let isUsed = login !== undefined
    const used = () => {
      refuseSharedCache()
      isUsed = true
    }
    const visit = core.visit(app, request, { used, ...(userOf && { user: () => userOf(request) }) })
    const enter = async () => (login === undefined ? undefined : admit(visit, login, needed))
    const answer = async () =>
      (await enter()) ??
      handler(request, contextFor<P>(app, visit, { cache: () => app.cache }), route)
    const explain = async (error: unknown) =>
      // A grant that has just ended is met at the door the second time.
      (error instanceof ReauthRequiredError ? await enter() : undefined) ?? inWords(visit, error)
    const response = await answer()
      .catch(explain)
      .catch((error: unknown) => inWords(visit, error))
    const cookies = visit.source.jar.take()
    return isUsed || cookies.length > 0 ? privately(response, cookies) : response
  }
}
