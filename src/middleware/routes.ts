import type { ProviderAccess } from '../oauth/provider-access.ts'
import type { App } from './app.ts'
import { backchannelLogout } from './backchannel-logout.ts'
import { callback } from './callback.ts'
import { failedLogin } from './failed-login.ts'
import { login } from './login.ts'
import { disconnect, logout } from './logout.ts'
import { refreshBounce } from './refresh-bounce.ts'
import { notAllowed } from './reply.ts'
import { sessionInfo } from './session-info.ts'
import type { Visit } from './visit.ts'

/** One of behalf's own routes. */
export interface Route {
  method: 'GET' | 'POST'
  /** Answers the request. */
  answer(visit: Visit): Promise<Response>
}

type ProviderHandler = (visit: Visit, access: ProviderAccess) => Promise<Response>

/** The route at a path below the mount point, compared letter by letter; `undefined`: not ours. */
export function routeAt(app: App, path: string, mountPath: string): Route | undefined {
  const { basePath } = app.configuration
  const own = [...app.accesses.values()].find(
    ({ provider }) => ownCallback(provider.definition.redirectUri) === `${mountPath}${path}`,
  )
  if (own) return providerRoute('GET', callbackOrErrorPage, own)
  if (!path.startsWith(`${basePath}/`)) return undefined
  const [first = '', second, ...rest] = path.slice(basePath.length + 1).split('/')
  if (rest.length > 0) return undefined
  if (second === undefined) return sessionRoutes.get(first)
  const access = app.accesses.get(first)
  const found = providerRoutes.get(second)
  return access && found && providerRoute(found.method, found.handler, access)
}

/** Answers at a route: what its method is not for gets 405, and failed logins find their page. */
export async function respond(route: Route, visit: Visit): Promise<Response> {
  if (visit.source.method !== route.method) return notAllowed(route.method)
  return route.answer(visit)
}

const sessionRoutes: ReadonlyMap<string, Route> = new Map([
  ['logout', { method: 'POST', answer: logout }],
  ['session', { method: 'GET', answer: sessionInfo }],
  ['refresh', { method: 'GET', answer: refreshBounce }],
])

const providerRoutes: ReadonlyMap<string, { method: 'GET' | 'POST'; handler: ProviderHandler }> =
  new Map([
    ['login', { method: 'GET', handler: login }],
    ['callback', { method: 'GET', handler: callbackOrErrorPage }],
    ['disconnect', { method: 'POST', handler: disconnect }],
    ['backchannel-logout', { method: 'POST', handler: backchannelLogout }],
  ])

function providerRoute(
  method: 'GET' | 'POST',
  handler: ProviderHandler,
  access: ProviderAccess,
): Route {
  return { method, answer: (visit) => handler(visit, access) }
}

function ownCallback(redirectUri: string | undefined): string | undefined {
  return redirectUri === undefined ? undefined : new URL(redirectUri).pathname
}

async function callbackOrErrorPage(visit: Visit, access: ProviderAccess): Promise<Response> {
  try {
    return await callback(visit, access)
  } catch (error) {
    return failedLogin(visit, access, error)
  }
}
