import session, { MemoryStore } from 'express-session'
import { getIronSession } from 'iron-session'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BehalfEvent } from '../../src/events.ts'
import type { TokenStore } from '../../src/oauth/token-store.ts'
import { PlacedStore } from '../../src/oauth/placed-store.ts'
import { createBehalf } from '../../src/middleware/behalf.ts'
import { inSession, ironSession, sealedCookie } from '../../src/sessions/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor, loginAs, storeContract } from '../../src/testing/index.ts'
import {
  type AppSettings,
  type Browser,
  createApp,
  ownForm,
  secret,
  useWorld,
} from '../middleware/express-app.ts'
import { cookiesOf } from '../middleware/flow.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.api.reset()
})
afterEach(() => void vi.restoreAllMocks())

/** A table of the app's own, as simple as can be. */
function table() {
  const rows = new Map<string, { value: string; endsAt: number }>()
  const place: TokenStore = {
    get: (key) => {
      const row = rows.get(key)
      return row && row.endsAt > Date.now() ? row.value : undefined
    },
    save: (key, value, { ttl }) => {
      rows.set(key, { value, endsAt: ttl === undefined ? Infinity : Date.now() + ttl * 1000 })
    },
    delete: (key) => void rows.delete(key),
  }
  return { rows, place }
}

/** What stands beside a place is gone after a quarter of an hour. */
function quarterLater(): void {
  const now = Date.now() + 901_000
  vi.spyOn(Date, 'now').mockImplementation(() => now)
  const monotonic = performance.now() + 901_000
  vi.spyOn(performance, 'now').mockImplementation(() => monotonic)
}

describe('a store over a place that cannot compare', () => {
  const contract = storeContract(() => new PlacedStore(table().place, memoryStore(), 60))
  // oxlint-disable-next-line vitest/expect-expect -- the contract's cases assert
  test.each(contract.map(({ title, run }) => [title, run] as const))('%s', (_title, run) => run())

  const bytes = (text: string) => Buffer.from(text)
  const key = 'test:grant:1'

  async function placed() {
    const { rows, place } = table()
    const beside = memoryStore()
    const store = new PlacedStore(place, beside, 3_600)
    const version = (await store.compareAndSwap(key, undefined, bytes('first')))!
    const text = async () => {
      const found = await store.get(key)
      return found && Buffer.from(found.value).toString()
    }
    return { rows, place, beside, store, version, text }
  }

  test('a value written back late is healed', async () => {
    const { rows, store, version, text } = await placed()
    const old = { ...rows.get(key)! }
    await store.compareAndSwap(key, version, bytes('second'))
    rows.set(key, old)
    expect(await text()).toBe('second')
    expect(Buffer.from(rows.get(key)!.value, 'base64url').toString()).toBe('second')
  })

  test('what was deleted is not brought back by a late write, and a new login may follow', async () => {
    const { rows, store, version, text } = await placed()
    const old = { ...rows.get(key)! }
    expect(await store.compareAndDelete(key, version)).toBe(true)
    rows.set(key, old)
    expect(await text()).toBeUndefined()
    quarterLater()
    expect(await text()).toBeUndefined()
    expect(await store.compareAndSwap(key, undefined, bytes('new'))).toBeDefined()
    expect(await text()).toBe('new')
  })

  test('the place has it alone after a quarter of an hour, and writes still compare', async () => {
    const { store, text, beside } = await placed()
    quarterLater()
    expect(await beside.get(key)).toBeUndefined()
    expect(await text()).toBe('first')
    const { version } = (await store.get(key))!
    const written = await Promise.all(
      ['a', 'b', 'c'].map((value) => store.compareAndSwap(key, version, bytes(value))),
    )
    expect(written.filter((one) => one !== undefined)).toHaveLength(1)
    expect(await store.compareAndSwap(key, undefined, bytes('d'))).toBeUndefined()
  })

  test('a place that fails is store_unavailable, and its error is not told', async () => {
    const { place, store, version } = await placed()
    place.get = () => Promise.reject(new Error('hush'))
    await expect(store.get(key)).rejects.toMatchObject({ code: 'store_unavailable' })
    await expect(store.get(key)).rejects.not.toThrow(/hush/)
    place.save = () => {
      throw new Error('hush')
    }
    expect(await store.compareAndSwap(key, version, bytes('second'))).toBeDefined()
  })
})

describe('tokenStore: an object of the app’s own', () => {
  function app(place: TokenStore, store = memoryStore()) {
    return createBehalf({
      secret,
      store,
      tokenStore: place,
      providers: { spotify: world.spotify },
      user: () => undefined,
    })
  }

  test('keeps the records, sealed; several processes present each refresh token once', async () => {
    const { rows, place } = table()
    const store = memoryStore()
    const auth = app(place, store)
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const [[key, { value }] = ['', { value: '' }]] = rows
    expect(key).toMatch(/^behalf:grant:[0-9a-f]{64}$/)
    expect(Buffer.from(value, 'base64url').toString('latin1')).not.toMatch(/access|ada/)

    quarterLater()
    const others = [auth, app(place, store), app(place, store)]
    const tokens = await Promise.all(
      others.flatMap((one) =>
        Array.from({ length: 10 }, async () => {
          const handler = (await one.forUser('u1')).tokens.spotify
          return handler.getAccessToken({ minValidity: 3_000 })
        }),
      ),
    )
    expect(new Set(tokens).size).toBe(1)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
  })

  test('that fails is a 503, and nobody is logged out', async () => {
    const { place } = table()
    const auth = app(place)
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const { get } = place
    place.get = () => Promise.reject(new Error('hush'))
    const { api } = await auth.forUser('u1')
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'store_unavailable' })
    place.get = get
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
  })
})

describe('tokenStore: inSession()', () => {
  function sessionApp(settings: AppSettings = {}) {
    const sessions = new MemoryStore()
    const store = memoryStore()
    const made = createApp(world, {
      cache: false,
      ...settings,
      before: (app) =>
        app.use(session({ store: sessions, secret, resave: false, saveUninitialized: false })),
      routes: (app) => {
        app.get('/slow-note', async (req, res) => {
          Object.assign(req.session!, { note: 'noted' })
          await new Promise((resolve) => setTimeout(resolve, 300))
          res.send('noted')
        })
        app.get('/refresh', async (req, res) => {
          res.send(await req.tokens['spotify']!.getAccessToken({ forceRefresh: true }))
        })
      },
      options: { store, tokenStore: inSession(), ...settings.options },
    })
    const stored = () =>
      JSON.stringify((sessions as unknown as { sessions: Record<string, string> }).sessions)
    return { ...made, stored, store }
  }

  test('a visitor logs in, calls, is refreshed and logs out; the session holds sealed records', async () => {
    const { browser, stored, auth } = sessionApp()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
    expect(stored()).toContain('behalf:tokens')
    expect(stored()).not.toMatch(/access-|refresh-/)
    const before = stored()
    world.provider.expireAccessTokens()
    await ada.get('/me').expect(200)
    expect(stored()).not.toBe(before)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })

    quarterLater()
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
    vi.restoreAllMocks()
    await browser().get('/me').expect(401)
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await ada.get('/me').expect(401)
    expect(stored()).not.toContain('behalf:tokens')
    await auth.close()
  })

  test('M10 a request that writes the session late rolls no tokens back', async () => {
    const { browser } = sessionApp()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const slow = ada.get('/slow-note').then((reply) => reply)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const { text: fresh } = await ada.get('/refresh').expect(200)
    expect((await slow).text).toBe('noted')
    await ada.get('/me').expect(200)
    expect(world.provider.accountOf(fresh)).toMatchObject({ userId: 'ada' })
    await ada.get('/refresh').expect(200)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 2, presentedTwice: 0 })
  })

  test('M10 a request that writes the session after the logout brings nothing back', async () => {
    const { browser, auth } = sessionApp()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const slow = ada.get('/slow-note').then((reply) => reply)
    await new Promise((resolve) => setTimeout(resolve, 100))
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await slow
    for (let round = 0; round < 2; round += 1) {
      await ada.get('/me').expect(401)
      quarterLater()
    }
    await auth.close()
  })

  test('one visitor’s session opens nothing of another’s', async () => {
    const { browser } = sessionApp()
    const [ada, mei] = [browser(), browser()]
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await loginAs(mei, { user: 'mei', provider: 'spotify' })
    expect((await ada.get('/me')).body.id).toBe('ada')
    expect((await mei.get('/me')).body.id).toBe('mei')
  })

  test('jobs and webhooks do not find what is in a session', async () => {
    const { browser, auth } = sessionApp()
    await loginAs(browser(), { user: 'ada', provider: 'spotify' })
    quarterLater()
    const { api } = await auth.forSubject('spotify', 'ada')
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'login_required' })
  })

  test('without express-session it says so', async () => {
    const { browser, errors } = createApp(world, { options: { tokenStore: inSession() } })
    expect((await browser().get('/me')).status).toBe(500)
    expect(errors[0]).toMatchObject({ code: 'config_invalid' })
  })
})

describe('tokenStore: sealedCookie()', () => {
  function cookieApp(settings: AppSettings = {}) {
    return createApp(world, {
      cache: false,
      ...settings,
      routes: (app) => {
        app.get('/refresh', async (req, res) => {
          res.send(await req.tokens['spotify']!.getAccessToken({ forceRefresh: true }))
        })
        app.get('/late', async (req, res) => {
          res.write('begun ')
          await req.tokens['spotify']!.getAccessToken({ forceRefresh: true })
          res.end('refreshed')
        })
      },
      options: { tokenStore: sealedCookie(), ...settings.options },
    })
  }

  /** Names and values of what a browser of these tests sends. */
  const cookiesIn = (browser: Browser) =>
    cookiesOf(browser).map((cookie) => {
      const [name = '', value = ''] = cookie.split('=')
      return { name, value }
    })

  test('a visitor’s records are in the browser, sealed; a server that has forgotten everything goes on', async () => {
    const { browser, auth } = cookieApp()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
    const [chunk] = cookiesIn(ada).filter(({ name }) => name.includes('.t.'))
    expect(chunk!.name).toMatch(/^behalf\.t\.[0-9a-f]{16}\.0$/)
    const sealed = Buffer.from(chunk!.value.slice(2), 'base64url').toString('latin1')
    expect(sealed).not.toMatch(/access|refresh|ada/)

    const restarted = cookieApp().browser()
    for (const { name, value } of cookiesIn(ada)) {
      restarted.jar.setCookie(`${name}=${value}; Path=/`, '127.0.0.1')
    }
    expect((await restarted.get('/me').expect(200)).body.id).toBe('ada')
    await auth.close()
  })

  test('a refresh sets the cookie with the app’s own reply, and nothing is set when nothing changed', async () => {
    const { browser } = cookieApp()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.get('/me')).headers['set-cookie']).toBeUndefined()
    world.provider.expireAccessTokens()
    const reply = await ada.get('/me').expect(200)
    const set = [reply.headers['set-cookie']].flat().join('\n')
    expect(set).toMatch(
      /^behalf\.t\.[0-9a-f]{16}\.0=1\.[^;]+; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Lax$/,
    )
    quarterLater()
    await ada.get('/me').expect(200)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
  })

  test('ten requests at expiry, one of which has begun its reply: one refresh each, and the browser goes on', async () => {
    const { browser } = cookieApp()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    world.provider.expireAccessTokens()
    const replies = await Promise.all(Array.from({ length: 10 }, () => ada.get('/me')))
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200))
    expect((await ada.get('/late')).text).toBe('begun refreshed')
    await ada.get('/me').expect(200)
    quarterLater()
    await ada.get('/me').expect(200)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 2, presentedTwice: 0 })
  })

  test('CVE-2024-31999 a cookie that was copied is worth nothing after the logout', async () => {
    const { browser, auth } = cookieApp()
    const [ada, thief] = [browser(), browser()]
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    for (const { name, value } of cookiesIn(ada)) {
      thief.jar.setCookie(`${name}=${value}; Path=/`, '127.0.0.1')
    }
    await ada.post('/auth/logout').set(ownForm).expect(303)
    expect(cookiesIn(ada).filter(({ name }) => name.includes('.t.'))).toEqual([])
    for (let round = 0; round < 2; round += 1) {
      await thief.get('/me').expect(401)
      quarterLater()
    }
    await auth.close()
  })

  test('CK-01 what was tampered with, cut, or taken from another visitor is no grant', async () => {
    const { browser } = cookieApp()
    const [ada, mei] = [browser(), browser()]
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await loginAs(mei, { user: 'mei', provider: 'spotify' })
    const handle = cookiesIn(ada).find(({ name }) => name === 'behalf')!
    const own = cookiesIn(ada).find(({ name }) => name.includes('.t.'))!
    const others = cookiesIn(mei).find(({ name }) => name.includes('.t.'))!
    const tampered = own.value.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
    quarterLater()
    for (const value of [tampered, own.value.slice(0, -9), others.value, '1.', '3.x', '9.x', 'x']) {
      const eve = browser()
      const cookie = `${handle.name}=${handle.value}; ${own.name}=${value}`
      expect((await eve.get('/me').set('cookie', cookie)).status, value).toBe(401)
    }
  })

  test('SE-03 long tokens are spread over several cookies; what browsers would not keep is a typed error', async () => {
    const failures: string[] = []
    const onEvent = (event: BehalfEvent) => {
      if (event.type === 'login_failed') failures.push(event.code)
    }
    const { browser } = cookieApp({ options: { onEvent } })
    const reply = (length: number) => () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        access_token: 'a'.repeat(length),
        token_type: 'Bearer',
        expires_in: 3600,
        refresh_token: 'r',
      }),
    })
    world.api.switches.reply = () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"id":"ada"}',
    })
    world.provider.switches.tokenEndpoint = reply(5_000)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect(cookiesIn(ada).filter(({ name }) => name.includes('.t.'))).toHaveLength(3)
    await ada.get('/me').expect(200)

    world.provider.switches.tokenEndpoint = reply(9_000)
    await loginAs(browser(), { user: 'ada', provider: 'spotify' }).catch(() => {})
    expect(failures).toEqual(['not_persistable'])
  })
})

describe('tokenStore: ironSession()', () => {
  const options = {
    password: secret,
    cookieName: 'app',
    cookieOptions: { secure: false },
  }

  function ironApp() {
    return createApp(world, {
      cache: false,
      options: { tokenStore: ironSession((req, res) => getIronSession(req, res, options)) },
      routes: (app) =>
        app.get('/count', async (req, res) => {
          const own = await getIronSession<{ count?: number }>(req, res, options)
          own.count = (own.count ?? 0) + 1
          await new Promise((resolve) => setTimeout(resolve, 200))
          await own.save()
          res.send(String(own.count))
        }),
    })
  }

  test('a visitor logs in, is refreshed and logs out, beside what the app keeps there', async () => {
    const { browser, auth } = ironApp()
    const ada = browser()
    await ada.get('/count')
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.get('/count')).text).toBe('2')
    world.provider.expireAccessTokens()
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
    quarterLater()
    await ada.get('/me').expect(200)
    vi.restoreAllMocks()
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await ada.get('/me').expect(401)
    expect((await ada.get('/count')).text).toBe('3')
    await auth.close()
  })

  test('M9 a reply of the app that comes later rolls no tokens back', async () => {
    const { browser } = ironApp()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    world.provider.expireAccessTokens()
    const slow = ada.get('/count').then((reply) => reply)
    await new Promise((resolve) => setTimeout(resolve, 50))
    await ada.get('/me').expect(200)
    await slow
    world.provider.expireAccessTokens()
    await ada.get('/me').expect(200)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 2, presentedTwice: 0 })
  })
})
