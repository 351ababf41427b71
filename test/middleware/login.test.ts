import express from 'express'
import { beforeEach, describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import {
  baseUrl,
  createApp,
  useWorld,
  expressVersions,
  navigation,
  ownForm,
} from './express-app.ts'
import { approve, authorizationParameters, beginLogin, cookiesOf } from './flow.ts'

const world = useWorld()
beforeEach(() => {
  world.api.reset()
  world.provider.reset()
})

const kinds = ['own', 'express-session'] as const
const targets = Object.entries(expressVersions).flatMap(([name, version]) =>
  kinds.map((session) => ({ name: `${name}, ${session} session`, express: version, session })),
)

describe.each(targets)('$name', (target) => {
  test('a visitor logs in, calls the API as themselves, and logs out', async () => {
    const { browser } = createApp(world, target)
    const ada = browser()
    await ada.get('/me').expect(401)
    const landed = await loginAs(ada, { user: 'ada', provider: 'spotify', returnTo: '/me' })
    expect(landed.status).toBe(303)
    expect(landed.headers['location']).toBe('/me')
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await ada.get('/me').expect(401)
  })

  test('OC-10 five tabs begin a login at once and all finish, in any order', async () => {
    const { browser, errors } = createApp(world, target)
    const ada = browser()
    const tabs = []
    for (const tab of [1, 2, 3, 4, 5]) tabs.push(await beginLogin(ada, { returnTo: `/tab/${tab}` }))
    for (const tab of [3, 5, 1, 4, 2]) {
      const back = await approve(tabs[tab - 1]!, 'ada')
      const landed = await ada.get(back).set(navigation)
      expect(landed.status, `tab ${tab}`).toBe(303)
      expect(landed.headers['location']).toBe(`/tab/${tab}`)
    }
    expect(errors).toEqual([])
    expect(world.provider.seen.codeRequests).toBe(5)
  })

  test('OC-30 CVE-2021-41246 CVE-2022-25896 a login gives a new session id, and the old one opens nothing', async () => {
    const { browser, app } = createApp(world, {
      ...target,
      before: (one) =>
        one.get('/visit', (req, res) => {
          if (req.session) (req.session as { basket?: string }).basket = 'full'
          res.send('ok')
        }),
      routes: (one) =>
        one.get('/basket', (req, res) => {
          res.json({ basket: (req.session as { basket?: string } | undefined)?.basket })
        }),
    })
    const ada = browser()
    await ada.get('/visit')
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const first = cookiesOf(ada).join('; ')
    const thief = browser()
    await thief.get('/me').set('cookie', first).expect(200)
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const second = cookiesOf(ada).join('; ')
    expect(second).not.toEqual(first)
    await thief.get('/me').set('cookie', first).expect(401)
    await ada.get('/me').expect(200)
    if (target.session === 'express-session') {
      expect((await ada.get('/basket')).body).toEqual({ basket: 'full' })
    }
    expect(app).toBeDefined()
  })

  test('GET session tells who is connected and never a token', async () => {
    const { browser } = createApp(world, target)
    const ada = browser()
    const before = await ada.get('/auth/session').expect(200)
    expect(before.body).toEqual({
      providers: { spotify: { connected: false, loginUrl: '/auth/spotify/login' } },
    })
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const { body, headers, text } = await ada.get('/auth/session').expect(200)
    expect(body.providers.spotify).toMatchObject({ connected: true, profile: { subject: 'ada' } })
    expect(body.providers.spotify.expiresAt).toBeGreaterThan(Date.now())
    expect(headers['cache-control']).toBe('private, no-store')
    expect(text).not.toMatch(/token/i)
  })

  test('works under a mount path', async () => {
    const { browser } = createApp(world, {
      ...target,
      mountPath: '/sub',
      routes: (app) => {
        app.get('/sub/me', async (req, res) => void res.json(await req.api['spotify']!.get('me')))
      },
    })
    const ada = browser()
    const landed = await loginAs(ada, { user: 'ada', provider: 'spotify', path: '/sub/auth' })
    expect(landed.status).toBe(303)
    expect((await ada.get('/sub/me').expect(200)).body.id).toBe('ada')
  })

  test('works after body parsers: the form of a logout is read from them', async () => {
    const { browser } = createApp(world, {
      ...target,
      before: (app) => app.use(express.json(), express.urlencoded({ extended: true })),
    })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const out = await ada.post('/auth/logout').set(ownForm).type('form').send({ returnTo: '/bye' })
    expect(out.headers['location']).toBe('/bye')
  })

  test('works without body parsers: the form of a logout is read from the request', async () => {
    const { browser } = createApp(world, target)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const out = await ada.post('/auth/logout').set(ownForm).type('form').send({ returnTo: '/bye' })
    expect(out.headers['location']).toBe('/bye')
  })
})

describe('behind a proxy', () => {
  const https = { baseUrl: 'https://app.example.com' }

  test('OC-05 redirect URIs come from baseUrl, whatever Host and X-Forwarded-Host say', async () => {
    const { browser } = createApp(world, { options: https })
    for (const headers of [
      { host: 'app.example.com', 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' },
      { host: 'internal:8080', 'x-forwarded-host': 'evil.example' },
    ]) {
      let reply = await browser()
        .get('/auth/spotify/login')
        .set({ ...navigation, ...headers })
      const moved = new URL(reply.headers['location']!)
      if (moved.origin === 'https://app.example.com') {
        reply = await browser()
          .get(`${moved.pathname}${moved.search}`)
          .set({ ...navigation, ...headers })
      }
      const { searchParams, origin } = new URL(reply.headers['location']!)
      expect(origin).toBe(world.provider.issuer)
      expect(searchParams.get('redirect_uri')).toBe('https://app.example.com/auth/spotify/callback')
    }
  })

  test('SE-01 cookies are __Host-, Secure, HttpOnly, Lax and without Domain', async () => {
    const { browser } = createApp(world, { options: https })
    const reply = await browser()
      .get('/auth/spotify/login')
      .set({ ...navigation, host: 'app.example.com' })
    const [cookie] = reply.headers['set-cookie'] as unknown as string[]
    expect(cookie).toMatch(/^__Host-behalf\.t\./)
    expect(cookie).toMatch(/; Path=\/(;|$)/)
    expect(cookie).toMatch(/; HttpOnly/)
    expect(cookie).toMatch(/; Secure/)
    expect(cookie).toMatch(/; SameSite=Lax/)
    expect(cookie).not.toMatch(/Domain/)
  })

  test('a login on another host than baseUrl first moves there, once', async () => {
    const { browser } = createApp(world)
    const elsewhere = { ...navigation, host: 'localhost:3000' }
    const reply = await browser().get('/auth/spotify/login?returnTo=/x').set(elsewhere)
    const target = new URL(reply.headers['location']!)
    expect(target.origin).toBe(baseUrl)
    expect(target.searchParams.get('returnTo')).toBe('/x')
    expect(reply.headers['set-cookie']).toBeUndefined()
    const again = await browser().get(`${target.pathname}${target.search}`).set(elsewhere)
    expect(new URL(again.headers['location']!).origin).toBe(world.provider.issuer)
  })

  test('with a list of origins, the one that was asked for is used, another host is not', async () => {
    const { browser } = createApp(world, {
      options: { baseUrl: ['https://one.example', 'https://two.example'] },
    })
    const redirectUri = async (host: string) => {
      const path = '/auth/spotify/login?moved=1'
      const reply = await browser()
        .get(path)
        .set({ ...navigation, host })
      return new URL(reply.headers['location']!).searchParams.get('redirect_uri')
    }
    expect(await redirectUri('two.example')).toBe('https://two.example/auth/spotify/callback')
    expect(await redirectUri('evil.example')).toBe('https://one.example/auth/spotify/callback')
  })
})

describe('the login request', () => {
  test('OC-01 uses the code flow with PKCE S256 and a fresh state each time', async () => {
    const { browser } = createApp(world)
    const seen = new Set<string>()
    for (let round = 0; round < 20; round += 1) {
      const { searchParams } = await beginLogin(browser())
      expect(searchParams.get('response_type')).toBe('code')
      expect(searchParams.get('code_challenge_method')).toBe('S256')
      expect(searchParams.get('code_challenge')).toMatch(/^[\w-]{43}$/)
      expect(searchParams.get('state')!.length).toBeGreaterThanOrEqual(43)
      seen.add(searchParams.get('state')!).add(searchParams.get('code_challenge')!)
    }
    expect(seen.size).toBe(40)
  })

  test('OC-06 parameters of the login route never reach the authorization request', async () => {
    const { browser } = createApp(world)
    const query =
      'client_id=evil&redirect_uri=https://evil.example/cb&response_type=token&scope=admin&state=fixed' +
      '&nonce=fixed&code_challenge=x&code_challenge_method=plain&response_mode=fragment&audience=evil&prompt=none'
    const reply = await browser().get(`/auth/spotify/login?${query}`).set(navigation)
    const { searchParams } = new URL(reply.headers['location']!)
    expect([...searchParams.keys()].toSorted()).toEqual(authorizationParameters)
    expect(searchParams.get('client_id')).toBe(world.provider.overrides.clientId)
    expect(searchParams.get('scope')).not.toContain('admin')
    expect(searchParams.get('state')).not.toBe('fixed')
  })

  test.each([
    ['sec-purpose', 'prefetch'],
    ['sec-purpose', 'prefetch;prerender'],
    ['purpose', 'prefetch'],
    ['next-router-prefetch', '1'],
    ['rsc', '1'],
  ])('OC-09 a prefetch (%s: %s) begins nothing', async (name, value) => {
    const { browser } = createApp(world)
    const reply = await browser()
      .get('/auth/spotify/login')
      .set({ ...navigation, [name]: value })
    expect(reply.status).toBe(403)
    expect(reply.headers['set-cookie']).toBeUndefined()
    expect(reply.headers['location']).toBeUndefined()
  })

  test('a script that fetches the login is told so instead of being redirected', async () => {
    const { browser } = createApp(world)
    const reply = await browser().get('/auth/spotify/login').set('sec-fetch-mode', 'cors')
    expect(reply.status).toBe(400)
    expect(reply.body.code).toBe('login_required')
    expect(reply.headers['set-cookie']).toBeUndefined()
  })

  test('OC-10 abandoned logins are bounded: ten cookies and 4 KB a browser', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    for (let round = 0; round < 30; round += 1) await beginLogin(ada, { returnTo: `/${round}` })
    const transactions = cookiesOf(ada).filter((cookie) => cookie.includes('.t.'))
    expect(transactions.length).toBeLessThanOrEqual(10)
    expect(transactions.length).toBeGreaterThanOrEqual(5)
    expect(transactions.join('').length).toBeLessThanOrEqual(4_096 + 10 * 40)
  })

  test.each([
    '//auth/spotify/login',
    '/auth/./spotify/login',
    '/auth/spotify/login/',
    '/auth/spotify/login.rsc',
    '/auth/spotify/login.json',
    '/AUTH/spotify/login',
    '/auth/%73potify/login',
    '/auth/nobody/login',
  ])("a path that is not quite a route (%s) is the app's", async (path) => {
    const { app } = createApp(world)
    const { request } = await import('node:http')
    const { createServer } = await import('node:http')
    const server = createServer(app).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    // supertest and fetch would tidy the path up.
    const status = await new Promise<number>((resolve) => {
      request({ port, path, host: '127.0.0.1', headers: { host: '127.0.0.1:3000' } }, (reply) => {
        expect(reply.headers['set-cookie']).toBeUndefined()
        reply.resume().on('end', () => resolve(reply.statusCode!))
      }).end()
    })
    server.close()
    expect(status).toBe(404)
  })

  test.each([
    ['post', '/auth/spotify/login', 'GET'],
    ['post', '/auth/spotify/callback', 'GET'],
    ['get', '/auth/logout', 'POST'],
    ['get', '/auth/spotify/disconnect', 'POST'],
    ['post', '/auth/session', 'GET'],
  ] as const)('%s %s is not allowed', async (method, path, allow) => {
    const { browser } = createApp(world)
    const reply = await browser()[method](path)
    expect(reply.status).toBe(405)
    expect(reply.headers['allow']).toBe(allow)
  })
})
