import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createStore } from '../../src/stores/create-store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { loginAs } from '../../src/testing/index.ts'
import { navigation, ownForm, useWorld } from './express-app.ts'
import { approve, beginLogin, cookiesOf } from './flow.ts'
import {
  allRows,
  copyOf,
  placeApp,
  type PlaceAppSettings,
  placed,
  quarterLater,
  sharedStore,
} from './place-app.ts'
import { placeKinds } from './place-kinds.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.api.reset()
})
afterEach(() => void vi.restoreAllMocks())

describe.each(placeKinds.map((kind) => [kind.name, kind] as const))('tokenStore: %s', (_, kind) => {
  async function loggedIn(settings: PlaceAppSettings = {}) {
    const app = placeApp(world, kind, settings)
    const ada = app.browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    return { app, ada }
  }

  test('a visitor logs in, calls, is refreshed, and logs out; nobody can read what is kept', async () => {
    const { app, ada } = await loggedIn()
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
    const before = await placed(app, ada)
    expect(before).not.toMatch(/access-|refresh-|user-read/)
    world.provider.expireAccessTokens()
    await ada.get('/me').expect(200)
    expect(await placed(app, ada)).not.toBe(before)
    quarterLater()
    for (let round = 0; round < 3; round += 1) await ada.get('/me').expect(200)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
    vi.restoreAllMocks()
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await ada.get('/me').expect(401)
    await app.auth.close()
  })

  test('the tokens themselves are in the place alone once it has been seen to hold them', async () => {
    const { app, ada } = await loggedIn()
    const kept = async () => {
      let bytes = 0
      for await (const key of app.store.keys!('')) {
        if (key.includes(':grant:')) bytes += (await app.store.get(key))!.value.byteLength
      }
      return bytes
    }
    expect(await kept()).toBeGreaterThan(300)
    // Nor is it said there who has granted.
    for await (const key of app.store.keys!('')) expect(key).not.toContain('subject')
    quarterLater()
    await ada.get('/me').expect(200)
    expect(await kept()).toBeLessThan(60)
    await ada.get('/me').expect(200)
  })

  test('TK-03 a copy from before a refresh is healed, and its refresh token is not presented', async () => {
    const { app, ada } = await loggedIn()
    const old = await copyOf(app, ada)
    await ada.get('/refresh').expect(200)
    await old.bringBack(ada)
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
    await ada.get('/refresh').expect(200)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 2, presentedTwice: 0 })
  })

  test('TK-03 a copy that comes back much later is worth a new login, and is not presented', async () => {
    const { app, ada } = await loggedIn()
    const old = await copyOf(app, ada)
    await ada.get('/refresh').expect(200)
    quarterLater()
    await ada.get('/me').expect(200)
    const later = app.browser()
    await old.bringBack(later)
    expect((await later.get('/me').expect(401)).body.code).toBe('reauth_required')
    const { body } = await later.get('/auth/session').expect(200)
    expect(body.providers.spotify).toMatchObject({ connected: false, reason: 'rotation-lost' })
    expect(JSON.stringify(body)).not.toContain('"ada"')
    const guarded = await later.get('/guarded').set(navigation).expect(303)
    expect(guarded.headers['location']).toMatch(/^\/auth\/spotify\/login/)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
    await loginAs(later, { user: 'ada', provider: 'spotify' })
    await later.get('/me').expect(200)
  })

  test('CVE-2024-31999 SE-10 what was copied before a logout is worth nothing after it', async () => {
    const { app, ada } = await loggedIn()
    const stolen = await copyOf(app, ada)
    await ada.post('/auth/logout').set(ownForm).expect(303)
    const thief = app.browser()
    for (let round = 0; round < 2; round += 1) {
      await stolen.bringBack(thief)
      expect((await thief.get('/me').expect(401)).body.code).toBe('login_required')
      quarterLater()
    }
    await app.auth.close()
  })

  test('SE-10 a disconnect leaves nothing to copies either', async () => {
    const { app, ada } = await loggedIn()
    const stolen = await copyOf(app, ada)
    await ada.post('/auth/spotify/disconnect').set(ownForm).expect(303)
    await stolen.bringBack(ada)
    await ada.get('/me').expect(401)
    await app.auth.close()
  })

  test('what was copied before a new login is worth nothing after it', async () => {
    const { app, ada } = await loggedIn()
    const stolen = await copyOf(app, ada)
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const thief = app.browser()
    const rows = await allRows(app.sessions)
    await stolen.bringBack(thief)
    await thief.get('/me').expect(401)
    for (const [id, row] of rows) await new Promise((done) => app.sessions!.set(id, row, done))
    await ada.get('/me').expect(200)
    await app.auth.close()
  })

  test('another person who logs in here leaves nothing of the first, neither to copies', async () => {
    const { app, ada } = await loggedIn()
    const stolen = await copyOf(app, ada)
    await loginAs(ada, { user: 'mei', provider: 'spotify' })
    expect((await ada.get('/me').expect(200)).body.id).toBe('mei')
    const thief = app.browser()
    await stolen.bringBack(thief)
    await thief.get('/me').expect(401)
    await app.auth.close()
  })

  test('two tabs log in at once, in either order, also over a login that was there', async () => {
    const { app, ada } = await loggedIn()
    const first = await beginLogin(ada)
    const second = await beginLogin(ada)
    for (const tab of [second, first]) {
      const back = await approve(tab, 'ada')
      await ada.get(back).set(navigation).expect(303)
      await ada.get('/me').expect(200)
    }
    await app.auth.close()
  })

  test('TK-03 50 requests at an expiry: one refresh, and none of them fails', async () => {
    const { ada } = await loggedIn()
    world.provider.expireAccessTokens()
    const replies = await Promise.all(Array.from({ length: 50 }, () => ada.get('/me')))
    expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200))
    await ada.get('/me').expect(200)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
  })

  test.each(['before', 'after'])(
    'M10 a slow request of the app that begins %s a refresh rolls no tokens back',
    async (when) => {
      const { ada } = await loggedIn()
      await ada.get('/count').expect(200)
      const slow = () => ada.get('/count?pause=150').then((reply) => reply.body as number)
      const early = when === 'before' ? slow() : undefined
      await sleep(50)
      const refreshed = ada.get('/refresh').then(({ text }) => text)
      const late = early ?? slow()
      const [token, count] = [await refreshed, await late]
      expect(count).toBe(2)
      expect(world.provider.accountOf(token)).toMatchObject({ userId: 'ada' })
      await ada.get('/me').expect(200)
      expect((await ada.get('/count')).body).toBe(3)
      await ada.get('/refresh').expect(200)
      expect(world.provider.seen).toMatchObject({ refreshRequests: 2, presentedTwice: 0 })
    },
  )

  test('M10 a refresh overwrites nothing that the app has written since the request began', async () => {
    const { ada } = await loggedIn({
      routes: (app) =>
        app.get('/late-refresh', async (req, res) => {
          await sleep(120)
          res.send(await req.tokens['spotify']!.getAccessToken({ forceRefresh: true }))
        }),
    })
    await ada.get('/count').expect(200)
    const refreshing = ada.get('/late-refresh').then(({ status }) => status)
    await sleep(40)
    expect((await ada.get('/count')).body).toBe(2)
    expect(await refreshing).toBe(200)
    expect((await ada.get('/count')).body).toBe(3)
    await ada.get('/me').expect(200)
  })

  test('LO-03 a request that writes the session after the logout brings nothing back', async () => {
    const { app, ada } = await loggedIn()
    const slow = ada.get('/count?pause=150').then((reply) => reply.status)
    await sleep(50)
    await ada.post('/auth/logout').set(ownForm).expect(303)
    expect(await slow).toBe(200)
    for (let round = 0; round < 2; round += 1) {
      await ada.get('/me').expect(401)
      quarterLater()
    }
    await app.auth.close()
  })

  test('LO-03 a refresh that ends after the logout brings nothing back', async () => {
    const { app, ada } = await loggedIn()
    world.provider.switches.delay = 0.2
    const slow = ada.get('/refresh').then(({ status }) => status)
    await sleep(80)
    await ada.post('/auth/logout').set(ownForm).expect(303)
    expect(await slow).toBe(401)
    await app.auth.close()
    await ada.get('/me').expect(401)
  })

  test('TK-08 new tokens reach the place with the reply that asked for them, while the old ones are valid', async () => {
    world.provider.switches.expiresIn = 100
    const { app, ada } = await loggedIn()
    const before = await placed(app, ada)
    world.provider.switches.expiresIn = 3_600
    const now = Date.now() + 90_000
    vi.spyOn(Date, 'now').mockImplementation(() => now)
    await ada.get('/me').expect(200)
    expect(world.provider.seen.refreshRequests).toBe(1)
    expect(await placed(app, ada)).not.toBe(before)
  })

  test('TK-07 a provider in trouble costs nobody a token that is still valid', async () => {
    world.provider.switches.expiresIn = 100
    const { ada } = await loggedIn()
    world.provider.switches.tokenEndpoint = () => ({ status: 503, headers: {}, body: '' })
    const now = Date.now() + 90_000
    vi.spyOn(Date, 'now').mockImplementation(() => now)
    await ada.get('/me').expect(200)
    await ada.get('/me').expect(200)
  })

  test('a secret that comes in front re-seals with the next tokens; one that is gone means a new login', async () => {
    const [old, next] = ['an old secret', 'a new secret'].map((text) => text.padEnd(40, '.'))
    const { app, ada } = await loggedIn({ options: { secret: [old!] } })
    const { store, sessions } = app
    const { errors, browser } = placeApp(world, kind, {
      ...(sessions ? { sessions } : {}),
      options: { store, secret: [next!, old!] },
    })
    const both = browser()
    await (await copyOf(app, ada)).bringBack(both)
    await both.get('/me').expect(200)
    const early = await copyOf(app, both)
    await both.get('/refresh').expect(200)
    expect(errors).toEqual([])

    const only = placeApp(world, kind, {
      ...(sessions ? { sessions } : {}),
      options: { store, secret: [next!] },
    })
    const visitor = only.browser()
    await (await copyOf(app, both)).bringBack(visitor)
    await visitor.get('/me').expect(200)
    vi.restoreAllMocks()

    const another = placeApp(world, kind, {
      ...(sessions ? { sessions } : {}),
      options: { store, secret: ['yet another one'.padEnd(40, '.')] },
    })
    const stranger = another.browser()
    await (await copyOf(app, both)).bringBack(stranger)
    expect((await stranger.get('/me').expect(401)).body.code).toBe('login_required')
    await stranger.get('/guarded').set(navigation).expect(303)
    // It was not given up: where the secret is known, it still opens.
    await (await copyOf(app, both)).bringBack(visitor)
    await visitor.get('/me').expect(200)
    await early.bringBack(visitor)
    await visitor.get('/me').expect(200)
  })

  test('two processes that share a SQLite file refresh once, each visitor’s copy as old as it may be', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'behalf-places-'))
    const url = `sqlite:${join(folder, 'behalf.sqlite')}`
    const { app, ada } = await loggedIn({ options: { store: createStore(url) } })
    const { sessions } = app
    const other = placeApp(world, kind, {
      ...(sessions ? { sessions } : {}),
      options: { store: createStore(url) },
    })
    try {
      const there = other.browser()
      await (await copyOf(app, ada)).bringBack(there)
      world.provider.expireAccessTokens()
      const replies = await Promise.all(
        Array.from({ length: 20 }, (_ignored, index) => (index % 2 ? ada : there).get('/me')),
      )
      expect(replies.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
      expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
    } finally {
      await Promise.all([app.auth.close(), other.auth.close()])
      await Promise.all([app.store, other.store].map((store) => store.close()))
      rmSync(folder, { recursive: true })
    }
  })

  test('a shared store that was emptied believes no copy; one that each process begins with does', async () => {
    for (const [store, status] of [
      [sharedStore(), 401],
      [memoryStore(), 200],
    ] as const) {
      const { app, ada } = await loggedIn({ options: { store } })
      await store.clear!('')
      await ada.get('/me').expect(status)
      await app.auth.close()
    }
  })

  test('SE-13 a store that fails is a 503, and nobody is logged out', async () => {
    const { app, ada } = await loggedIn()
    const { get } = app.store
    app.store.get = () => Promise.reject(new Error('hush'))
    const reply = await ada.get('/guarded').set(navigation).expect(503)
    expect(reply.headers['set-cookie']).toBeUndefined()
    app.store.get = get
    await ada.get('/me').expect(200)
  })

  test('a visitor without tokens at hand is logged out all the same', async () => {
    const { app, ada } = await loggedIn()
    const stolen = await copyOf(app, ada)
    quarterLater()
    await ada.get('/me').expect(200)
    const handle = cookiesOf(ada).filter((one) => /^(behalf|connect\.sid)=/.test(one))
    for (const [id, row] of await allRows(app.sessions)) {
      const { behalfTokens: _gone, ...rest } = row as typeof row & { behalfTokens?: unknown }
      await new Promise((done) => app.sessions!.set(id, rest as typeof row, done))
    }
    const without = app.browser()
    await without.post('/auth/logout').set(ownForm).set('cookie', handle.join('; ')).expect(303)
    await stolen.bringBack(ada)
    await ada.get('/me').expect(401)
    await app.auth.close()
  })

  test('assignTo() takes the grant out of its place into the store, where jobs find it', async () => {
    const { app, ada } = await loggedIn({
      routes: (one) =>
        one.get('/keep', async (req, res) => {
          await req.tokens['spotify']!.assignTo('u1')
          res.send('kept')
        }),
    })
    await expect((await app.auth.forUser('u1')).api.spotify.get('me')).rejects.toThrow(
      /nobody but its visitor finds what lives in a session or in cookies/,
    )
    const webhook = await app.auth.forSubject('spotify', 'ada')
    await expect(webhook.api.spotify.get('me')).rejects.toMatchObject({ code: 'login_required' })
    await ada.get('/keep').expect(200)
    await ada.get('/me').expect(401)
    expect(await (await app.auth.forUser('u1')).api.spotify.get('me')).toMatchObject({ id: 'ada' })
    const found = await app.auth.forSubject('spotify', 'ada')
    expect(await found.api.spotify.get('me')).toMatchObject({ id: 'ada' })
    await app.auth.close()
  })
})
