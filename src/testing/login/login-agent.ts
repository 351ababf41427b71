import type { LoginAsOptions } from './login-options.ts'
import { loginRoute, withoutQuery } from './login-route.ts'
import { submitLoginPage } from './submit-login-page.ts'

/** A reply, as much of it as a login needs. */
export interface LoginResponse {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body?: unknown
}

/**
 * As much of a supertest agent as a login needs: it keeps cookies, takes paths, and does not follow
 * redirects. Request headers are set where `get` gives something with `set`.
 */
export interface LoginAgent {
  get(path: string): PromiseLike<LoginResponse>
}

const maxRedirects = 5

/** What browsers send when they go to a page. */
const navigation = {
  accept: 'text/html,application/xhtml+xml',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
}

/** Logs an agent in and gives the callback's reply. */
export async function logInAgent(
  agent: LoginAgent,
  options: LoginAsOptions,
): Promise<LoginResponse> {
  const authorizationRequest = await startLogin(agent, options)
  const callback = new URL(await submitLoginPage(authorizationRequest, options))
  const reply = await navigate(agent, `${callback.pathname}${callback.search}`, callback.host)
  if (reply.status >= 400 && !options.cancel) {
    throw new Error(`loginAs: the callback GET ${callback.pathname} ${described(reply)}.`)
  }
  return reply
}

/** Follows the app until it redirects to the provider: a login may move to another host first. */
async function startLogin(agent: LoginAgent, options: LoginAsOptions): Promise<string> {
  const { baseUrl = 'http://app.invalid' } = options
  let url = new URL(loginRoute(options), baseUrl)
  for (let redirects = 0; redirects < maxRedirects; redirects++) {
    const host = url.hostname === 'app.invalid' ? undefined : url.host
    const step = `the login route GET ${url.pathname}`
    const reply = await navigate(agent, `${url.pathname}${url.search}`, host)
    const location = reply.headers['location']
    if (reply.status < 300 || reply.status > 399 || typeof location !== 'string') {
      throw new Error(`loginAs: ${step} ${described(reply)} instead of a redirect to the provider.`)
    }
    if (!URL.canParse(location, url.href)) {
      throw new Error(`loginAs: ${step} redirects to "${withoutQuery(location)}", which is no URL.`)
    }
    url = new URL(location, url)
    if (url.searchParams.has('client_id')) return url.href
  }
  throw new Error(`loginAs: ${maxRedirects} redirects have not led from the login to the provider.`)
}

async function navigate(
  agent: LoginAgent,
  path: string,
  host: string | undefined,
): Promise<LoginResponse> {
  const request: unknown = agent.get(path)
  if (canSet(request)) {
    for (const [name, value] of Object.entries(navigation)) request.set(name, value)
    if (host !== undefined) request.set('host', host)
  }
  return (await request) as LoginResponse
}

function canSet(request: unknown): request is { set(name: string, value: string): unknown } {
  return typeof (request as { set?: unknown }).set === 'function'
}

/** The status, and behalf's error code if there is one; never the text, which may echo the query. */
function described({ status, body }: LoginResponse): string {
  const code = (body as { code?: unknown } | undefined)?.code
  const shown = typeof code === 'string' && /^[a-z_]{1,40}$/.test(code) ? ` (${code})` : ''
  return `answered ${status}${shown}`
}
