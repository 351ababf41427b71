import type { ProviderAccess } from '../oauth/provider-access.ts'
import { missingScope, normalizeScope } from '../oauth/scope.ts'
import { redirectUriOf } from './configuration.ts'
import { isNavigation, isPrefetch } from './fetch-metadata.ts'
import { LoginTransactions } from './login-transaction.ts'
import { empty, json, redirect } from './reply.ts'
import { safeReturnTo } from './return-to.ts'
import type { Visit } from './visit.ts'
import { withQuery } from './with-query.ts'

/** What a login URL can ask for beside `returnTo`; it was sealed by `loginUrl()`. */
interface LoginRequest {
  scope?: readonly string[] | undefined
  prompt?: string | undefined
  loginHint?: string | undefined
  maxAge?: number | undefined
}

/** Marks a login that has been moved to the host of `baseUrl`, so that it moves only once. */
const movedMark = 'moved'

/** `GET :provider/login`: begins a login and sends the browser to the authorization server. */
export async function login(visit: Visit, access: ProviderAccess): Promise<Response> {
  const { source, app } = visit
  if (isPrefetch(source.header)) return empty(403)
  if (!isNavigation(source.header) && source.header('sec-fetch-mode') !== undefined) {
    return json({ code: 'login_required', message: 'A login is a page: navigate to it.' }, 400)
  }
  const home = homeOrigin(visit)
  if (home !== source.url.origin && !source.url.searchParams.has(movedMark))
    return move(visit, home)

  const returnTo = safeReturnTo(single(source.url, 'returnTo'), visit.routes)
  if (app.connects && app.options.signInUrl !== undefined && (await visit.user()) === undefined) {
    return redirect(
      withQuery(app.options.signInUrl, { returnTo: `${source.url.pathname}${source.url.search}` }),
    )
  }
  const user = await visit.requireUser(access.name)
  const request = openRequest(visit, access)
  const scope = await scopeFor(visit, access, request)
  const secrets = access.server.newLogin(request.maxAge)
  const redirectUri = redirectUriOf(access.provider, `${home}${visit.routes}`)
  const location = await access.server.authorizationUrl(secrets, redirectUri, scope, {
    ...(request.prompt ? { prompt: request.prompt } : {}),
    ...(request.loginHint ? { login_hint: request.loginHint } : {}),
  })
  new LoginTransactions(source.jar, app.keyRing).begin({
    ...secrets,
    provider: access.name,
    issuer: access.provider.issuer,
    redirectUri,
    returnTo,
    scope,
    user,
    session: source.session.read()?.id,
    startedAt: Date.now(),
  })
  return redirect(location)
}

/** The public origin of this visit: the one of the list that was asked for, else the first. */
function homeOrigin({ app, source }: Visit): string {
  const { origins } = app.configuration
  const asked = origins.find((origin) => new URL(origin).host === source.url.host)
  return asked ?? origins[0]!
}

/** Cookies belong to a host: a login that began on another one would not find its own again. */
function move({ source }: Visit, home: string): Response {
  const target = new URL(home)
  target.pathname = source.url.pathname
  target.search = source.url.search
  target.searchParams.set(movedMark, '1')
  return redirect(target)
}

/** A repeated parameter says nothing. */
function single(url: URL, name: string): string | undefined {
  const values = url.searchParams.getAll(name)
  return values.length === 1 ? values[0] : undefined
}

function openRequest({ app, source }: Visit, access: ProviderAccess): LoginRequest {
  const sealed = Buffer.from(single(source.url, 'request') ?? '', 'base64url')
  const opened = app.keyRing.open('login url', access.name, sealed)
  return opened.ok ? (JSON.parse(Buffer.from(opened.value).toString()) as LoginRequest) : {}
}

/** What the provider is configured for, what was asked for, and what the user has granted before. */
async function scopeFor(
  visit: Visit,
  access: ProviderAccess,
  request: LoginRequest,
): Promise<string[]> {
  const { scope, optionalScope } = access.provider
  const owner = await visit.owner()
  const granted = (owner && (await access.records.readable(owner, access.name)))?.record.scope ?? []
  const kept = granted.filter((one) => missingScope(optionalScope, [one]).length === 0)
  return normalizeScope([...scope, ...kept, ...(request.scope ?? [])])
}
