import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createStore } from '../../src/stores/create-store.ts'
import { loginAs } from '../../src/testing/index.ts'
import { ownForm, useWorld } from './express-app.ts'
import { cookiesOf } from './flow.ts'
import { createNextApp, type PortableApp } from './next-app.ts'
import { inCookie, inIronSession, inIronSession9 } from './place-kinds.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.api.reset()
})

const kinds = [inCookie, inIronSession, await inIronSession9()].filter((kind) => kind !== undefined)

describe.each(kinds)('Next.js with tokenStore: $name', ({ tokenStore }) => {
  const apps: PortableApp[] = []
  let folder: string

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'behalf-next-places-'))
  })
  afterEach(async () => {
    for (const { auth } of apps.splice(0)) await auth.close()
    rmSync(folder, { recursive: true })
  })

  /** One process of an app; all of a test share a SQLite file. */
  function start(): PortableApp {
    const store = createStore(`sqlite:${join(folder, 'behalf.sqlite')}`)
    const app = createNextApp(world, { cache: false, options: { store, tokenStore } })
    apps.push(app)
    return app
  }

  test('NX-05 a refresh sets the new cookies with the reply, which nobody may keep', async () => {
    const ada = start().browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const before = cookiesOf(ada)
    world.provider.expireAccessTokens()
    const reply = await ada.get('/me').expect(200)
    expect(reply.headers['cache-control']).toBe('private, no-store')
    expect(cookiesOf(ada)).not.toEqual(before)
    await ada.get('/me').expect(200)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
    await ada.post('/auth/logout').set(ownForm)
    expect((await ada.get('/me')).status).toBe(401)
  })

  test('SE-09 a reply with tokens is nobody else’s, whatever the app calls it', async () => {
    const ada = start().browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const { headers: before } = await ada.get('/public').expect(200)
    expect(before).toMatchObject({
      'cache-control': 'public, max-age=60',
      'cdn-cache-control': '60',
    })
    world.provider.expireAccessTokens()
    const { headers } = await ada.get('/public').expect(200)
    expect(headers['set-cookie']).toBeDefined()
    expect(headers['cache-control']).toBe('private, no-store')
    expect(headers['cdn-cache-control']).toBeUndefined()
  })

  test('TK-15 a page, which sets no cookie, refreshes; the next route gives the browser what came', async () => {
    const { auth, browser } = start()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const cookie = cookiesOf(ada).join('; ')
    world.provider.expireAccessTokens()
    const { api } = await auth.core.context(
      new Request('http://127.0.0.1:3000/', { headers: { cookie } }),
    )
    expect(await api['spotify']!.get('me')).toMatchObject({ id: 'ada' })
    expect(cookiesOf(ada).join('; ')).toBe(cookie)
    await ada.get('/me').expect(200)
    expect(cookiesOf(ada).join('; ')).not.toBe(cookie)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
  })

  test('TK-03 200 requests at an expiry to two apps that share a store cost one refresh, and none fails', async () => {
    const [one, other] = [start(), start()]
    const [ada, there] = [one.browser(), other.browser()]
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const cookie = cookiesOf(ada).join('; ')
    world.provider.expireAccessTokens()
    const replies = await Promise.all(
      Array.from({ length: 200 }, (_ignored, index) =>
        (index % 2 ? ada.get('/me') : there.get('/me')).set('cookie', cookie),
      ),
    )
    const outcomes = replies.map(({ status, body }) => `${status} ${body.code ?? body.id}`)
    expect(new Set(outcomes)).toEqual(new Set(['200 ada']))
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
  }, 60_000)
})
