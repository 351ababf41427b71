import { createRequire } from 'node:module'
import { NextRequest, NextResponse } from 'next/server.js'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createBehalf } from '../../src/index.ts'
import { markOf } from '../../src/middleware/option-mark.ts'
import { behalf, type NextBehalf, responseCache } from '../../src/middleware/next.ts'
import { plainFetch } from '../../src/oauth/plain-fetch.ts'
import { createStore } from '../../src/stores/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor, sessionCookie } from '../../src/testing/index.ts'
import { baseUrl, navigation, ownForm, secret, useWorld } from './express-app.ts'

/** Next.js puts it there before it loads anything of its own. */
vi.hoisted(() => {
  const { AsyncLocalStorage } = process.getBuiltinModule('node:async_hooks')
  Object.assign(globalThis, { AsyncLocalStorage })
})

const world = useWorld()
beforeEach(() => {
  world.api.reset()
  world.provider.reset()
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.unstubAllGlobals()
})

const make = (options: object = {}) =>
  behalf({
    baseUrl,
    secret,
    store: memoryStore(),
    providers: { spotify: world.spotify },
    ...options,
  })

function request(path: string, headers: Record<string, string> = {}): NextRequest {
  return new NextRequest(`http://localhost:3000${path}`, {
    headers: { host: '127.0.0.1:3000', ...headers },
  })
}

async function loggedIn(auth: NextBehalf, path = '/'): Promise<NextRequest> {
  return request(path, { cookie: await sessionCookie(auth, { user: 'ada', provider: 'spotify' }) })
}

const event = undefined as never

describe('configuration', () => {
  test('is not looked at before the first use: a build has no secrets', async () => {
    const auth = behalf({ baseUrl: 'http://nowhere.example', providers: {} })
    expect(Object.keys(auth)).toContain('handlers')
    const { handlers, withApi, context, proxy, grants } = auth
    expect([handlers, withApi, context, proxy, grants]).not.toContain(undefined)
    await expect(auth.ready()).rejects.toMatchObject({ code: 'config_invalid' })
    await expect(handlers.GET(request('/auth/session'))).rejects.toMatchObject({
      code: 'config_invalid',
    })
    expect(await auth.health()).toMatchObject({ ok: false, code: 'config_invalid' })
    expect(() => auth.core).toThrow('baseUrl')
  })

  test('without baseUrl is told by ready()', async () => {
    vi.stubEnv('BEHALF_BASE_URL', '')
    await expect(make({ baseUrl: undefined }).ready()).rejects.toThrow(/BEHALF_BASE_URL/)
    await expect(make().ready()).resolves.toBeUndefined()
  })

  test('may be what createBehalf made', async () => {
    const core = createBehalf({
      baseUrl,
      secret,
      store: memoryStore(),
      providers: { spotify: world.spotify },
    })
    const auth = behalf(core)
    expect(auth.core).toBe(core)
    const route = auth.withApi(async (_request, { api }) =>
      Response.json(await api.spotify.get('me')),
    )
    expect(await (await route(await loggedIn(auth), {})).json()).toMatchObject({ id: 'ada' })
  })
})

describe('modules that are loaded several times', () => {
  const options = (more: object = {}) => ({
    baseUrl,
    secret,
    store: 'memory:several',
    providers: { spotify: world.spotify },
    ...more,
  })

  test('share what is behind them in a Next.js server, and nowhere else', () => {
    expect(behalf(options()).core).not.toBe(behalf(options()).core)
    vi.stubEnv('NEXT_RUNTIME', 'nodejs')
    const one = behalf(options())
    expect(behalf(options()).core).toBe(one.core)
    expect(behalf(options({ store: createStore('memory:several') })).core).not.toBe(one.core)
    expect(behalf(options({ basePath: '/connect' })).core).not.toBe(one.core)
    expect(behalf(options({ store: memoryStore() })).core).not.toBe(
      behalf(options({ store: memoryStore() })).core,
    )
  })

  test('have their latest callbacks called', async () => {
    vi.stubEnv('NEXT_RUNTIME', 'nodejs')
    const [first, second] = [vi.fn(), vi.fn()]
    const auth = behalf(options({ namespace: 'latest', onEvent: first }))
    await auth.ready()
    behalf(options({ namespace: 'latest', onEvent: second }))
    const route = auth.withApi(async (_request, { api }) =>
      Response.json(await api.spotify.get('me')),
    )
    await route(await loggedIn(auth), {})
    expect(second).toHaveBeenCalledWith(expect.objectContaining({ type: 'upstream' }))
    expect(first).not.toHaveBeenCalled()
  })

  test('that differ in who asks: each asks its own `user`', async () => {
    vi.stubEnv('NEXT_RUNTIME', 'nodejs')
    const customers = behalf(
      options({
        namespace: 'users',
        user: (asked: Request) => asked.headers.get('x-customer') ?? undefined,
      }),
    )
    const staff = behalf(options({ namespace: 'users', user: () => 'ada' }))
    expect(staff.core).toBe(customers.core)
    await grantFor(customers, { user: 'ada', provider: 'spotify' })
    const askers = [customers, staff].map((auth) => ({
      route: auth.withApi(async (_request, { api }) => Response.json(await api.spotify.get('me'))),
      disconnect: () =>
        auth.handlers.POST(
          new NextRequest('http://localhost:3000/auth/spotify/disconnect', {
            method: 'POST',
            headers: { host: '127.0.0.1:3000', ...ownForm },
          }),
        ),
    }))
    const statuses = (headers = {}) =>
      Promise.all(
        askers.map(async ({ route }) => (await route(request('/me', headers), {})).status),
      )
    expect(await statuses()).toEqual([401, 200])
    expect(await statuses({ 'x-customer': 'ada' })).toEqual([200, 200])
    expect(await statuses({ 'x-customer': 'eve' })).toEqual([401, 200])
    await askers[0]!.disconnect()
    expect(await statuses()).toEqual([401, 200])
    await askers[1]!.disconnect()
    expect(await statuses()).toEqual([401, 401])
  })

  test.each([
    ['a store', { store: createStore('memory:a') }, { store: createStore('memory:b') }],
    ['a scope', { providers: { a: { scope: ['x'] } } }, { providers: { a: { scope: ['y'] } } }],
    ['a depth', { providers: { a: { b: {} } } }, { providers: { a: {}, b: {} } }],
    ['a callback', { onEvent: () => {} }, {}],
    ['nothing but text', { secret: 'a"b' }, { secret: 'a' }],
  ])('are told apart by %s', (_what, one, other) => {
    expect(markOf(one as never)).not.toBe(markOf(other as never))
    expect(markOf(one as never)).toBe(markOf({ ...one } as never))
    expect(markOf(one as never)).toMatch(/^[0-9a-f]{64}$/)
  })

  test('catch each other’s errors', async () => {
    const original = await import('../../src/errors.ts')
    vi.resetModules()
    const copy = await import('../../src/errors.ts')
    const error = new copy.LoginRequiredError('spotify', '/login')
    expect(copy.LoginRequiredError).not.toBe(original.LoginRequiredError)
    expect(error).toBeInstanceOf(original.LoginRequiredError)
    expect(error).toBeInstanceOf(original.BehalfError)
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(original.ReauthRequiredError)
    expect(error.name).toBe('LoginRequiredError')
    class Own extends original.LoginRequiredError {}
    expect(error).not.toBeInstanceOf(Own)
    expect(new Own('spotify', '/')).toBeInstanceOf(Own)
    expect(new Own('spotify', '/')).toBeInstanceOf(copy.LoginRequiredError)
    for (const value of [
      undefined,
      null,
      'x',
      {},
      new Error('x'),
      { kind: 'LoginRequiredError' },
    ]) {
      expect(value instanceof original.BehalfError).toBe(false)
    }
  })
})

describe('withApi', () => {
  test('hands on Next’s own context', async () => {
    const auth = make()
    const route = auth.withApi(
      async (_request, _context, { params }: { params: Promise<{ id: string }> }) =>
        Response.json(await params),
    )
    const reply = await route(request('/x'), { params: Promise.resolve({ id: '7' }) })
    expect(await reply.json()).toEqual({ id: '7' })
  })

  test('CA-16 SE-09 makes private what depends on who asks, and leaves alone what does not', async () => {
    const auth = make()
    const said = { 'cache-control': 'public, max-age=60' }
    const cases = [
      [async () => Response.json({}), null],
      [async (tokens: Tokens) => Response.json(await tokens.grant()), 'private, no-store'],
      [
        async (tokens: Tokens) => Response.json(await tokens.grant(), { headers: said }),
        said['cache-control'],
      ],
    ] as const
    for (const [answer, expected] of cases) {
      const route = auth.withApi(async (_request, { tokens }) => answer(tokens['spotify'] as never))
      const reply = await route(await loggedIn(auth), {})
      expect(reply.headers.get('cache-control')).toBe(expected)
    }
  })

  test('CA-16 an upstream’s reply that is passed on brings no cookie and no word on caching along', async () => {
    const fetching: typeof fetch = async (...parts) => {
      const reply = await fetch(...parts)
      const headers = new Headers(reply.headers)
      headers.set('cache-control', 'public, max-age=999')
      headers.append('set-cookie', 'theirs=1')
      headers.set('content-encoding', 'gzip')
      const made = new Response(reply.body, { status: reply.status, headers })
      return Object.defineProperty(made, 'url', { value: reply.url })
    }
    const auth = make({ providers: { spotify: { ...world.spotify, fetch: fetching } } })
    const route = auth.withApi(async (_request, { api }) => api['spotify']!.fetch('me'))
    const reply = await route(await loggedIn(auth), {})
    expect(await reply.json()).toMatchObject({ id: 'ada' })
    expect(reply.headers.get('cache-control')).toBe('private, no-store')
    expect(reply.headers.get('set-cookie')).toBeNull()
    expect(reply.headers.get('content-encoding')).toBeNull()
  })

  /** What is left of an upstream's reply with this field, passed on as it is or as a copy. */
  async function passedOn(name: string, value: string, { asCopy = false, cache = false } = {}) {
    const date = { date: new Date().toUTCString() }
    const said = { ...date, 'content-type': 'application/json', 'x-request-id': '7', [name]: value }
    const fetching: typeof fetch = async (...parts) => {
      const reply = await fetch(...parts)
      if (!reply.url.includes('/v1/')) return reply
      const made = new Response(reply.body, { status: reply.status, headers: said })
      return Object.defineProperty(made, 'url', { value: reply.url })
    }
    const auth = make({
      providers: { spotify: { ...world.spotify, fetch: fetching } },
      ...(cache && { cache: responseCache() }),
    })
    const route = auth.withApi(async (_request, { api }) => {
      const reply = await api['spotify']!.fetch('me')
      return asCopy ? new Response(reply.body, reply) : reply
    })
    return Object.fromEntries((await route(await loggedIn(auth), {})).headers)
  }
  const privately = {
    'content-type': 'application/json',
    'x-request-id': '7',
    'cache-control': 'private, no-store',
  }

  test.each([
    ['cdn-cache-control', 'public, max-age=600'],
    ['vercel-cdn-cache-control', 'max-age=600'],
    ['surrogate-control', 'max-age=600'],
    ['surrogate-key', 'me'],
    ['cache-tag', 'me'],
    ['age', '7'],
    ['expires', 'Fri, 01 Jan 2100 00:00:00 GMT'],
    ['x-accel-expires', '600'],
  ])('CA-16 an upstream’s %s is not passed on to caches in between', async (name, value) => {
    expect(await passedOn(name, value)).toEqual(privately)
  })

  test.each([
    ['x-accel-redirect', '/private'],
    ['x-middleware-rewrite', '/elsewhere'],
    ['clear-site-data', '"cookies"'],
    ['strict-transport-security', 'max-age=99999; includeSubDomains'],
    ['access-control-allow-origin', 'https://evil.example'],
    ['access-control-allow-credentials', 'true'],
    ['refresh', '0; url=https://evil.example'],
  ])('an upstream’s %s is not passed on: it is for its own origin', async (name, value) => {
    expect(await passedOn(name, value)).toEqual(privately)
  })

  test.each([
    [{ cache: false, asCopy: true }, 'cache-control', 'public, max-age=600'],
    [{ cache: false, asCopy: true }, 'cdn-cache-control', 'public, max-age=600'],
    [{ cache: true, asCopy: true }, 'cache-control', 'public, max-age=600'],
  ])('CA-16 a copy of an upstream’s reply is private too: %o, %s', async (how, name, value) => {
    const { 'cache-status': _status, ...rest } = await passedOn(name, value, how)
    expect(rest).toEqual(privately)
  })

  test('turns typed errors into responses, and leaves the app’s own and Next’s alone', async () => {
    const auth = make()
    const me = auth.withApi(async (_request, { api }) =>
      Response.json(await api['spotify']!.get('me')),
    )
    const refused = await me(request('/me'), {})
    expect(refused.status).toBe(401)
    expect(await refused.json()).toMatchObject({
      code: 'login_required',
      loginUrl: '/auth/spotify/login',
    })
    const missing = auth.withApi(async (_request, { api }) =>
      Response.json(await api['spotify']!.get('artists/none')),
    )
    const reply = await missing(await loggedIn(auth), {})
    expect(reply.status).toBe(400)
    expect(await reply.json()).toMatchObject({ code: 'upstream_error' })
    world.provider.expireAccessTokens()
    world.provider.switches.tokenEndpoint = 'unavailable'
    const down = await me(await loggedInBefore(auth), {})
    expect(down.status).toBe(503)
    expect(down.headers.get('retry-after')).toMatch(/^\d+$/)
    const own = auth.withApi(() => {
      throw Object.assign(new Error('NEXT_REDIRECT'), { digest: 'NEXT_REDIRECT' })
    })
    await expect(own(request('/x'), {})).rejects.toThrow('NEXT_REDIRECT')
  })

  async function loggedInBefore(auth: NextBehalf): Promise<NextRequest> {
    world.provider.switches.tokenEndpoint = 'works'
    const made = await loggedIn(auth)
    world.provider.expireAccessTokens()
    world.provider.switches.tokenEndpoint = 'unavailable'
    return made
  }

  test('with login: who navigates is sent to the login, a script is told; also when the grant has just ended', async () => {
    const auth = make()
    const route = auth.withApi(
      async (_request, { api }) => Response.json(await api['spotify']!.get('me')),
      { login: 'spotify' },
    )
    const page = request('/report?x=1', navigation)
    const sent = await route(page, {})
    expect(sent.status).toBe(303)
    expect(sent.headers.get('location')).toBe('/auth/spotify/login?returnTo=%2Freport%3Fx%3D1')
    expect((await route(request('/report'), {})).status).toBe(401)

    for (const headers of [navigation, {}] as Array<Record<string, string>>) {
      const visitor = await loggedIn(auth, '/report')
      for (const [name, value] of Object.entries(headers)) visitor.headers.set(name, value)
      world.provider.expireAccessTokens()
      world.provider.revokeGrants()
      const reply = await route(visitor, {})
      expect(reply.status).toBe(headers === navigation ? 303 : 401)
      if (reply.status === 401)
        expect(await reply.json()).toMatchObject({ code: 'reauth_required' })
    }
  })

  test('with a scope: what was not granted is asked for', async () => {
    const auth = make({
      providers: { spotify: { ...world.spotify, optionalScope: ['playlist-read-private'] } },
    })
    const route = auth.withApi(() => new Response('in'), {
      login: 'spotify',
      scope: 'playlist-read-private',
    })
    const reply = await route(await loggedIn(auth), {})
    expect(reply.status).toBe(403)
    expect(await reply.json()).toMatchObject({
      code: 'insufficient_scope',
      loginUrl: expect.stringContaining('request='),
    })
  })
})

interface Tokens {
  grant(): Promise<unknown>
}

describe('the host', () => {
  test.each([
    [
      'behind a proxy that says so',
      { host: 'internal:3000', 'x-forwarded-host': 'b.example' },
      'https://b.example',
    ],
    ['that was asked for', { host: 'b.example' }, 'https://b.example'],
    [
      'of nobody',
      { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
      'https://a.example',
    ],
    ['that cannot be read', { host: '[', 'x-forwarded-host': ':' }, 'https://a.example'],
  ])('OC-05 %s never comes from the URL', async (_what, headers, home) => {
    const auth = make({ baseUrl: ['https://a.example', 'https://b.example'] })
    const path = '/auth/spotify/login?moved=1'
    const reply = await auth.handlers.GET(request(path, { ...navigation, ...headers }))
    const redirectUri = new URL(reply.headers.get('location')!).searchParams.get('redirect_uri')
    expect(redirectUri).toBe(`${home}/auth/spotify/callback`)
  })

  test('OC-05 that a client claims to have come by is not believed: the login begins here', async () => {
    const headers = { ...navigation, 'x-forwarded-host': 'evil.example' }
    const reply = await make().handlers.GET(request('/auth/spotify/login', headers))
    expect(new URL(reply.headers.get('location')!).origin).toBe(world.provider.issuer)
  })

  test('with basePath and trailingSlash of next.config: the routes are below, and come back there', async () => {
    const auth = make()
    const nextConfig = { basePath: '/shop', trailingSlash: true }
    const asked = new NextRequest('http://localhost:3000/shop/auth/spotify/login/', {
      headers: { host: '127.0.0.1:3000', ...navigation },
      nextConfig,
    })
    const reply = await auth.handlers.GET(asked)
    const { searchParams } = new URL(reply.headers.get('location')!)
    expect(searchParams.get('redirect_uri')).toBe(`${baseUrl}/shop/auth/spotify/callback`)
  })

  test('a path below the routes that is none of them is not found', async () => {
    for (const path of ['/auth/nobody/login', '/auth', '/other', '/auth/spotify/login/x']) {
      expect((await make().handlers.GET(request(path))).status).toBe(404)
    }
  })
})

describe('proxy', () => {
  const overridden = (response: Response) => response.headers.get('x-middleware-override-headers')
  const noted = (response: Response) => response.headers.get('x-middleware-request-x-behalf-path')

  test('tells pages their own path, whatever a client says it is', async () => {
    const { proxy } = make()
    const response = await proxy(request('/top?x=1', { 'x-behalf-path': '/elsewhere' }), event)
    expect(response.headers.get('x-middleware-next')).toBe('1')
    expect(noted(response)).toBe('/top?x=1')
  })

  test.each(['/_next/static/chunk.js', '/_next/image?url=x', '/favicon.ico'])(
    'leaves %s alone',
    async (path) => {
      expect(noted(await make().proxy(request(path), event))).toBeNull()
    },
  )

  test('around a handler that goes on, or leads elsewhere, takes its path along', async () => {
    const { proxy } = make()
    const handlers = [
      () => undefined,
      () => NextResponse.next({ headers: { 'x-own': '1' } }),
      () => NextResponse.rewrite(new URL('http://localhost:3000/en/top')),
    ]
    for (const handler of handlers) {
      const response = await proxy.with(handler)(request('/top', { cookie: 'a=1' }), event)
      expect(noted(response)).toBe('/top')
      expect(overridden(response)?.split(',')).toEqual(expect.arrayContaining(['cookie', 'host']))
      expect(response.headers.get('x-middleware-request-cookie')).toBe('a=1')
    }
  })

  test('keeps the headers that the handler has set for the page', async () => {
    const { proxy } = make()
    const response = await proxy.with((asked) => {
      const headers = new Headers({ cookie: 'b=2', 'x-locale': 'en' })
      expect(asked.headers.get('x-behalf-path')).toBe('/top')
      return NextResponse.next({ request: { headers } })
    })(request('/top', { cookie: 'a=1', accept: '*/*' }), event)
    expect(overridden(response)?.split(',').toSorted()).toEqual([
      'cookie',
      'x-behalf-path',
      'x-locale',
    ])
    expect(response.headers.get('x-middleware-request-cookie')).toBe('b=2')
    expect(noted(response)).toBe('/top')
  })

  test('gives what answers by itself as it is', async () => {
    const { proxy } = make()
    for (const made of [NextResponse.redirect('http://localhost:3000/en'), Response.json({})]) {
      const response = await proxy.with(() => made)(request('/'), event)
      expect(response).toBe(made)
      expect(overridden(response)).toBeNull()
    }
  })
})

describe.each(['cache', 'unstable-cache'])('inside what Next.js keeps for all (%s)', (type) => {
  const place = 'next/dist/server/app-render/work-unit-async-storage.external.js'
  const { workUnitAsyncStorage } = createRequire(import.meta.url)(place) as {
    workUnitAsyncStorage: { run<T>(scope: object, run: () => T): T }
  }
  const inside = <T>(run: () => Promise<T>) => workUnitAsyncStorage.run({ type }, run)
  const refused = { code: 'user_in_shared_cache' }

  test('NX-04 a client that was made for a user outside is refused, as making one there is', async () => {
    const auth = make({ user: () => undefined })
    await grantFor(auth, { user: 'ada', provider: 'spotify' })
    const made = [await auth.forUser('ada'), await auth.forSubject('spotify', 'ada')]
    for (const { api, tokens } of made) {
      expect(await api['spotify']!.get('me')).toMatchObject({ id: 'ada' })
      await expect(inside(() => api['spotify']!.get('me'))).rejects.toMatchObject(refused)
      await expect(inside(() => tokens['spotify']!.getAccessToken())).rejects.toMatchObject(refused)
    }
    await expect(inside(() => auth.forUser('ada'))).rejects.toMatchObject(refused)
    await expect(inside(() => auth.forSubject('spotify', 'ada'))).rejects.toMatchObject(refused)
  })
})

describe('upstream calls', () => {
  test('NX-04 go around the fetch that Next.js has patched', async () => {
    const original = vi.fn<typeof fetch>(fetch)
    const patched = vi.fn<typeof fetch>()
    vi.stubGlobal('fetch', Object.assign(patched, { _nextOriginalFetch: original }))
    const auth = make()
    const route = auth.withApi(async (_request, { api }) =>
      Response.json(await api['spotify']!.get('me')),
    )
    vi.unstubAllGlobals()
    const visitor = await loggedIn(auth)
    vi.stubGlobal('fetch', Object.assign(patched, { _nextOriginalFetch: original }))
    expect((await route(visitor, {})).status).toBe(200)
    expect(original).toHaveBeenCalled()
    expect(original.mock.calls.every(([, init]) => init?.signal instanceof AbortSignal)).toBe(true)
    expect(patched).not.toHaveBeenCalled()
    expect(plainFetch()).toBe(original)
  })
})
