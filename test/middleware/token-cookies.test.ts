import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BehalfEvent } from '../../src/events.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { loginAs } from '../../src/testing/index.ts'
import { type HostileRow, hostileRows } from '../hostile.ts'
import { baseUrl, type Browser, secret, useWorld } from './express-app.ts'
import { beginLogin, cookiesOf } from './flow.ts'
import { placeApp, type PlaceAppSettings, quarterLater, sharedStore } from './place-app.ts'
import { inCookie, inIronSession, inMemorySession } from './place-kinds.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.api.reset()
})
afterEach(() => void vi.restoreAllMocks())

const tokenCookie = /^behalf\.g\.[0-9a-f]{16}\.\d$/

async function loggedIn(settings: PlaceAppSettings = {}) {
  const app = placeApp(world, inCookie, settings)
  const ada = app.browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  return { app, ada }
}

/** Name and value of what a browser would send. */
function namedCookies(browser: Browser): Array<[name: string, value: string]> {
  return cookiesOf(browser).map((cookie) => {
    const at = cookie.indexOf('=')
    return [cookie.slice(0, at), cookie.slice(at + 1)]
  })
}

const tokenCookies = (browser: Browser) =>
  namedCookies(browser).filter(([name]) => tokenCookie.test(name))

const header = (cookies: ReadonlyArray<readonly [string, string]>) =>
  cookies.map(([name, value]) => `${name}=${value}`).join('; ')

/** The provider's tokens are that long from now on; the API takes them all. */
function longTokens(length: number): void {
  world.provider.switches.tokenEndpoint = () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      access_token: 'a'.repeat(length),
      token_type: 'Bearer',
      expires_in: 3_600,
      refresh_token: `r${Math.random()}`,
    }),
  })
  world.api.switches.reply = () => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: '{"id":"ada"}',
  })
}

describe('tokenStore: sealedCookie()', () => {
  test('SE-01 M4 the cookie is HttpOnly and Lax, and ends with the grant', async () => {
    const { app, ada } = await loggedIn({ options: { grantTtl: { absolute: 10_000 } } })
    quarterLater()
    const reply = await ada.get('/refresh').expect(200)
    const [set, ...others] = [reply.headers['set-cookie']].flat() as string[]
    expect(others).toEqual([])
    const [, age] = /^behalf\.g\.\w+\.0=.+; Max-Age=(\d+); Path=\/; HttpOnly; SameSite=Lax$/.exec(
      set!,
    )!
    expect(Number(age)).toBeGreaterThan(9_000)
    expect(Number(age)).toBeLessThanOrEqual(9_100)
    await app.auth.close()
  })

  test('over https it is Secure, with __Host- before its name', async () => {
    const { core } = placeApp(world, inCookie, {
      options: { baseUrl: 'https://app.example.com', onEvent: () => {} },
    }).auth
    const begun = await core.handle(new Request('https://app.example.com/auth/spotify/login'))
    expect(begun!.headers.getSetCookie()[0]).toMatch(/^__Host-behalf\.t\./)
  })

  test('nothing is set where nothing has changed', async () => {
    const { ada } = await loggedIn()
    for (let round = 0; round < 2; round += 1) {
      expect((await ada.get('/me').expect(200)).headers['set-cookie']).toBeUndefined()
      quarterLater()
    }
  })

  test('SE-09 a reply with tokens is nobody else’s, whatever the app calls it', async () => {
    const { ada } = await loggedIn({
      routes: (app) =>
        app.get('/public', async (req, res) => {
          await req.tokens['spotify']!.getAccessToken({ forceRefresh: true })
          res.writeHead(200, { 'Cache-Control': 'public, max-age=60', 'Set-Cookie': 'own=1' })
          res.end('public')
        }),
    })
    const { headers } = await ada.get('/public').expect(200)
    expect(headers['cache-control']).toBe('private, no-store')
    expect([headers['set-cookie']].flat()).toEqual(['own=1', expect.stringMatching(/^behalf\.g\./)])
  })

  test('a refresh after the reply has begun waits for the next one', async () => {
    const { ada } = await loggedIn({
      routes: (app) =>
        app.get('/late', async (req, res) => {
          res.write('begun ')
          await req.tokens['spotify']!.getAccessToken({ forceRefresh: true })
          res.end('refreshed')
        }),
    })
    expect((await ada.get('/late').expect(200)).text).toBe('begun refreshed')
    quarterLater()
    quarterLater()
    const healed = await ada.get('/me').expect(200)
    expect([healed.headers['set-cookie']].flat()).toHaveLength(1)
    expect((await ada.get('/me').expect(200)).headers['set-cookie']).toBeUndefined()
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
  })

  test('every provider has a cookie of its own, beside those of logins under way', async () => {
    const providers = { spotify: world.spotify, second: { ...world.spotify } } as never
    const { ada } = await loggedIn({
      options: { providers },
      routes: (app) =>
        app.get('/second', async (req, res) => void res.json(await req.api['second']!.get('me'))),
    })
    await beginLogin(ada)
    await loginAs(ada, { user: 'ada', provider: 'second' })
    expect(tokenCookies(ada)).toHaveLength(2)
    expect(namedCookies(ada).filter(([name]) => name.startsWith('behalf.t.'))).toHaveLength(1)
    world.provider.expireAccessTokens()
    await Promise.all([ada.get('/me').expect(200), ada.get('/second').expect(200)])
    quarterLater()
    await Promise.all([ada.get('/me').expect(200), ada.get('/second').expect(200)])
    expect(world.provider.seen).toMatchObject({ refreshRequests: 2, presentedTwice: 0 })
  })

  test('a new login ends also what its browser did not bring along', async () => {
    const providers = { spotify: world.spotify, second: { ...world.spotify } } as never
    const { app, ada } = await loggedIn({
      options: { providers },
      routes: (one) =>
        one.get('/second', async (req, res) => void res.json(await req.api['second']!.get('me'))),
    })
    const [first] = tokenCookies(ada)
    await loginAs(ada, { user: 'ada', provider: 'second' })
    const stolen = header(namedCookies(ada))
    const thief = app.browser()
    await thief.get('/second').set('cookie', stolen).expect(200)
    quarterLater()
    await thief.get('/second').set('cookie', stolen).expect(200)
    const [second] = tokenCookies(ada).filter(([name]) => name !== first![0])
    ada.jar.setCookie(`${second![0]}=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT`, '127.0.0.1')
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.get('/me').expect(200)
    expect((await thief.get('/second').set('cookie', stolen)).body.code).toBe('login_required')
    await app.auth.close()
  })

  test('a login that fails leaves the browser with what it had', async () => {
    const { app, ada } = await loggedIn()
    const before = tokenCookies(ada)
    longTokens(6_000)
    world.api.switches.reply = () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"id":"mei"}',
    })
    await loginAs(ada, { user: 'mei', provider: 'spotify' }).catch(() => {})
    expect(tokenCookies(ada)).toEqual(before)
    world.api.reset()
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
    await app.auth.close()
  })

  test('a login clears what is left of former ones', async () => {
    const { app, ada } = await loggedIn()
    const [[, value] = ['', '']] = tokenCookies(ada)
    for (const index of [1, 2, 3]) {
      const cookie = `behalf.g.${String(index).repeat(16)}.0=${value}; Path=/`
      ada.jar.setCookie(cookie, '127.0.0.1')
    }
    await loginAs(ada, { user: 'mei', provider: 'spotify' })
    expect(tokenCookies(ada)).toHaveLength(1)
    expect((await ada.get('/me').expect(200)).body.id).toBe('mei')
    await app.auth.close()
  })
})

describe('SE-03 long tokens', () => {
  test('are spread over cookies that browsers take', async () => {
    longTokens(3_500)
    const { ada } = await loggedIn()
    const cookies = tokenCookies(ada)
    expect(cookies).toHaveLength(2)
    for (const [name, value] of cookies) expect(name.length + value.length).toBeLessThan(4_096)
    quarterLater()
    await ada.get('/me').expect(200)
    longTokens(100)
    await ada.get('/refresh').expect(200)
    expect(tokenCookies(ada)).toHaveLength(1)
    await ada.get('/me').expect(200)
  })

  test('of two values are never put together', async () => {
    longTokens(3_500)
    const { app, ada } = await loggedIn()
    const before = tokenCookies(ada)
    await ada.get('/refresh').expect(200)
    const after = tokenCookies(ada)
    quarterLater()
    await ada.get('/me').expect(200)
    const handle = namedCookies(ada).find(([name]) => name === 'behalf')!
    for (const mixed of [
      [before[0]!, after[1]!],
      [after[0]!, before[1]!],
      [after[1]!],
      [after[0]!],
    ]) {
      const reply = await app
        .browser()
        .get('/me')
        .set('cookie', header([handle, ...mixed]))
        .expect(401)
      expect(reply.body.code).toBe('login_required')
      expect(String(reply.headers['set-cookie'])).toMatch(/behalf\.g\.\w+\.\d=; Max-Age=0/)
    }
    await app
      .browser()
      .get('/me')
      .set('cookie', header([handle, ...after]))
      .expect(200)
  })

  test('that browsers would not keep are not_persistable, and nothing of the login is left', async () => {
    longTokens(6_000)
    const failures: string[] = []
    const app = placeApp(world, inCookie, {
      options: {
        onEvent: (event: BehalfEvent) => {
          if (event.type === 'login_failed') failures.push(event.code)
        },
      },
    })
    const ada = app.browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' }).catch(() => {})
    expect(failures).toEqual(['not_persistable'])
    expect(tokenCookies(ada)).toEqual([])
    await ada.get('/me').expect(401)
    await app.auth.close()
  })

  test('count together, for all providers', async () => {
    longTokens(3_000)
    const providers = { spotify: world.spotify, second: { ...world.spotify } } as never
    const { app, ada } = await loggedIn({ options: { providers } })
    const before = tokenCookies(ada)
    const refused = await loginAs(ada, { user: 'ada', provider: 'second' }).catch(String)
    expect(refused).toContain('500')
    expect(tokenCookies(ada).map(([name]) => name)).toEqual(before.map(([name]) => name))
    await ada.get('/me').expect(200)
    await app.auth.close()
  })

  test.each([
    [inCookie.name, inCookie],
    [inIronSession.name, inIronSession],
  ])('that come by a refresh stay in the store, with a warning, in %s', async (_name, kind) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    const app = placeApp(world, kind)
    const ada = app.browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    longTokens(6_000)
    expect((await ada.get('/refresh').expect(200)).text).toHaveLength(6_000)
    quarterLater()
    await ada.get('/me').expect(200)
    await ada.get('/me').expect(200)
    const codes = warn.mock.calls.map(([, options]) => (options as { code?: string }).code)
    if (kind === inCookie) expect(codes).toContain('BEHALF_NOT_PERSISTABLE')
    longTokens(100)
    await ada.get('/refresh').expect(200)
    quarterLater()
    expect((await ada.get('/me').expect(200)).headers['set-cookie']).toBeUndefined()
  })

  test('that iron-session does not take are not_persistable', async () => {
    longTokens(2_500)
    const app = placeApp(world, inIronSession)
    const ada = app.browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' }).catch(() => {})
    expect(app.errors.concat((await ada.get('/me')).body)).toEqual([
      expect.objectContaining({ code: 'login_required' }),
      expect.objectContaining({ code: 'login_required' }),
    ])
    await app.auth.close()
  })
})

describe('a request whose reply sets no cookies', () => {
  const requestOf = (browser: Browser) =>
    new Request(`${baseUrl}/`, { headers: { cookie: cookiesOf(browser).join('; ') } })

  test('TK-15 refreshes where another request finds the new tokens', async () => {
    const { app, ada } = await loggedIn({ options: { store: sharedStore() } })
    world.provider.expireAccessTokens()
    const { api } = await app.auth.core.context(requestOf(ada))
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
    quarterLater()
    await ada.get('/me').expect(200)
    expect((await ada.get('/me').expect(200)).headers['set-cookie']).toBeUndefined()
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
  })

  test('TK-15 spends nothing where new tokens would be lost with the process', async () => {
    const { app, ada } = await loggedIn({ options: { store: memoryStore() } })
    const { api, tokens } = await app.auth.core.context(requestOf(ada))
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
    await expect(tokens.spotify.getAccessToken({ forceRefresh: true })).rejects.toMatchObject({
      code: 'not_persistable',
      message: expect.stringContaining('cannot set cookies'),
    })
    await expect(tokens.spotify.save({ accessToken: 'x' })).rejects.toMatchObject({
      code: 'not_persistable',
    })
    world.provider.expireAccessTokens()
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'not_persistable' })
    expect(world.provider.seen.refreshRequests).toBe(0)
    await ada.get('/me').expect(200)
    expect(world.provider.seen.refreshRequests).toBe(1)
  })

  test('has no session of express-session', async () => {
    const app = placeApp(world, inMemorySession)
    const { api } = await app.auth.core.context(new Request(`${baseUrl}/`))
    await expect(api.spotify.get('me')).rejects.toThrow(/tokenStore is inSession\(\).*app\.use/)
  })
})

/** Rows that say nothing about the cookies of tokens. */
const notApplicable = new Map([
  ['CK-11', 'the record says when it ends; when it began is nobody’s proof'],
  ['CK-40', 'it is not compressed'],
  ['CK-42', 'about the session: cookies.test.ts, and places.test.ts for its tokens'],
  ['CK-43', 'about the prefix: over https it is __Host-'],
])

/** The token cookies that are sent in place of `own`. */
function changed(
  { input }: HostileRow,
  own: Array<[string, string]>,
  { transaction, other }: { transaction: string; other: Array<[string, string]> },
): string {
  const [[name, sealed], ...rest] = own as [[string, string], ...Array<[string, string]>]
  const at = input.mutate === 'flip-first-byte' ? '2.12345678.'.length : sealed.length - 10
  const flipped = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`
  if (input.header !== undefined) return input.header.replace('__Host-app', name)
  if (input.value !== undefined) return header([[name, input.value], ...rest])
  const swapped = own.map(([one], index) => [one, own.at(-1 - index)![1]] as const)
  const ways: Record<string, string> = {
    'flip-last-byte': header([[name, flipped], ...rest]),
    'flip-first-byte': header([[name, flipped], ...rest]),
    'swap-with-transaction-cookie': header([[name, transaction], ...rest]),
    'swap-with-other-users-cookie-name': header(
      own.map(([one], index) => [one, other[index]![1]] as const),
    ),
    'chunk-0-missing': header(rest),
    'chunk-order-swapped': header(swapped),
  }
  return ways[input.mutate] ?? header(own)
}

describe('SE-05 hostile token cookies', () => {
  const rows = hostileRows('cookie').filter(({ id }) => !notApplicable.has(id))

  test.each(rows.map((row) => [row.id, JSON.stringify(row.input).slice(0, 60), row] as const))(
    '%s %s',
    async (_id, _input, row) => {
      const { mutate = '' } = row.input
      const isKey = mutate.startsWith('sealed-with-')
      const options = mutate.startsWith('expired') ? { grantTtl: { absolute: 600 } } : {}
      longTokens(3_500)
      const store = sharedStore()
      const { app, ada } = await loggedIn({ options: { store, ...options } })
      const mei = app.browser()
      await loginAs(mei, { user: 'mei', provider: 'spotify' })
      await beginLogin(mei)
      const transaction = namedCookies(mei).find(([name]) => name.startsWith('behalf.t.'))![1]
      const own = tokenCookies(ada)
      const handle = namedCookies(ada).find(([name]) => name === 'behalf')!
      quarterLater()
      if (!mutate.startsWith('expired')) {
        await app
          .browser()
          .get('/me')
          .set('cookie', header([handle, ...own]))
          .expect(200)
      }
      const another = isKey ? { secret: `later-${secret}` } : {}
      const { browser, errors } = placeApp(world, inCookie, { options: { store, ...another } })
      const hostile = changed(row, own, { transaction, other: tokenCookies(mei) })
      const startedAt = performance.now()
      const reply = await browser()
        .get('/me')
        .set('cookie', `${header([handle])}; ${hostile}`)
      expect(reply.status).toBe(401)
      expect(performance.now() - startedAt).toBeLessThan(1_000)
      expect(reply.body.code).toMatch(/^(login|reauth)_required$/)
      expect(JSON.stringify(errors.map(String))).not.toContain(own[0]![1].slice(20, 60))
      expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
    },
  )
})
