import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestProvider } from '../../src/testing/index.ts'

/** An app that does the authorization code flow by hand, for one visitor at a time. */
export interface HandMadeApp {
  server: Server
  origin: string
  /** What it does wrong. */
  fault: 'none' | 'login-fails' | 'login-goes-nowhere' | 'login-loops' | 'bad-request' | 'moves'
  /** Request headers of each request, by path. */
  seen: Array<{ path: string; headers: IncomingMessage['headers'] }>
  close(): Promise<void>
}

export async function handMadeApp(provider: TestProvider): Promise<HandMadeApp> {
  const server = createServer((request, response) => {
    void answer(provider, app, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const app: HandMadeApp = {
    server,
    origin,
    fault: 'none',
    seen: [],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return app
}

const logins = new Map<string, { verifier: string; returnTo: string }>()

async function answer(
  provider: TestProvider,
  app: HandMadeApp,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '', app.origin)
  app.seen.push({ path: url.pathname, headers: request.headers })
  const redirect = (location: string) => response.writeHead(302, { location }).end()
  if (url.pathname.endsWith('/spotify/login')) {
    const host = request.headers.host ?? ''
    if (app.fault === 'moves' && host !== 'app.test') redirect(`http://app.test${request.url}`)
    else startLogin(provider, app, url, response)
  } else if (url.pathname.endsWith('/spotify/callback')) {
    await finishLogin(provider, app, url, response)
  } else response.end(`Welcome, ${/user=(\w+)/.exec(request.headers.cookie ?? '')?.[1]}`)
}

function startLogin(
  provider: TestProvider,
  app: HandMadeApp,
  url: URL,
  response: ServerResponse,
): void {
  if (app.fault === 'login-fails') {
    response.writeHead(500, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ code: 'config_invalid' }))
    return
  }
  if (app.fault === 'login-goes-nowhere') {
    response.writeHead(302, { location: 'http://[' }).end()
    return
  }
  if (app.fault === 'login-loops') {
    response.writeHead(302, { location: url.pathname }).end()
    return
  }
  const [state, verifier] = [randomBytes(16).toString('hex'), randomBytes(32).toString('hex')]
  logins.set(state, { verifier, returnTo: url.searchParams.get('returnTo') ?? '/' })
  const location = new URL(provider.overrides.authorizationEndpoint)
  location.search = new URLSearchParams({
    client_id: app.fault === 'bad-request' ? 'nobody' : provider.overrides.clientId,
    redirect_uri: redirectUri(app, url),
    response_type: 'code',
    state,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()
  response.writeHead(302, { location: location.href, 'set-cookie': `state=${state}; Path=/` }).end()
}

async function finishLogin(
  provider: TestProvider,
  app: HandMadeApp,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  const { clientId, clientSecret = '', tokenEndpoint } = provider.overrides
  const login = logins.get(url.searchParams.get('state') ?? '')
  const reply = await fetch(tokenEndpoint, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: redirectUri(app, url),
      code_verifier: login?.verifier ?? '',
      client_id: clientId,
      client_secret: clientSecret,
    }),
  })
  const tokens = (await reply.json()) as { access_token?: string }
  const account = provider.accountOf(tokens.access_token ?? '')
  if (!login || !account) {
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ code: 'callback_invalid', url: url.href }))
    return
  }
  const cookie = `user=${account.userId}; Path=/`
  response.writeHead(302, { location: login.returnTo, 'set-cookie': cookie }).end()
}

function redirectUri({ origin, fault }: HandMadeApp, url: URL): string {
  const path = url.pathname.replace(/\w+$/, 'callback')
  return `${fault === 'moves' ? 'https://app.test' : origin}${path}`
}
