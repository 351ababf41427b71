import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, createWorld, ownForm, type World } from './express-app.ts'
import { cookiesOf } from './flow.ts'

let world: World
const folder = mkdtempSync(join(tmpdir(), 'behalf-leaks-'))
beforeAll(async () => {
  world = await createWorld()
})
afterAll(async () => {
  await world.close()
  rmSync(folder, { recursive: true })
})
beforeEach(() => world.api.reset())

let files = 0
const stores: Array<[string, () => Store]> = [
  ['memory', () => memoryStore()],
  ['SQLite', () => sqliteStore(join(folder, `${(files += 1)}.sqlite`))],
]

describe.each(stores)('two users on one server, %s store', (_name, makeStore) => {
  const upstreamCalls = () => world.api.requestsTo('/v1/me') - 2 // each login asks who it is

  test('CA-05 A, A, B, B on the same URL: two upstream calls, to each their own reply', async () => {
    const store = makeStore()
    const { browser } = createApp(world, { options: { store } })
    const [ada, grace] = [browser(), browser()]
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await loginAs(grace, { user: 'grace', provider: 'spotify' })
    const replies = []
    for (const who of [ada, ada, grace, grace]) replies.push(await who.get('/me').expect(200))
    expect(replies.map(({ body }) => body.id)).toEqual(['ada', 'ada', 'grace', 'grace'])
    expect(replies.map(({ headers }) => /; hit/.test(headers['cache-status']!))).toEqual([
      false,
      true,
      false,
      true,
    ])
    expect(upstreamCalls()).toBe(2)
    await store.close()
  })

  test('after a logout and a login as somebody else in the same browser nothing of the first is left', async () => {
    const store = makeStore()
    const { browser } = createApp(world, { options: { store } })
    const shared = browser()
    await loginAs(shared, { user: 'ada', provider: 'spotify' })
    await shared.get('/me').expect(200)
    const old = cookiesOf(shared).join('; ')
    await shared.post('/auth/logout').set(ownForm)
    await loginAs(shared, { user: 'grace', provider: 'spotify' })
    const me = await shared.get('/me').expect(200)
    expect(me.body.id).toBe('grace')
    expect(me.headers['cache-status']).toContain('fwd=uri-miss')
    expect((await browser().get('/me').set('cookie', old)).status).toBe(401)
    await store.close()
  })

  test('a new login of the same person begins with an empty cache', async () => {
    const store = makeStore()
    const { browser } = createApp(world, { options: { store } })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.get('/me')
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.get('/me')).headers['cache-status']).toContain('fwd=uri-miss')
    await store.close()
  })

  test("CA-08 CVE-2023-28858 CVE-2023-28859 a store that returns another key's values never mixes two users", async () => {
    const store = makeStore()
    const seen = new Map<string, { value: Uint8Array; version: string }>()
    const swapping: Store = new Proxy(store, {
      get: (target, property) => {
        if (property !== 'get') {
          const member = target[property as keyof Store]
          return typeof member === 'function' ? member.bind(target) : member
        }
        return async (key: string) => {
          const found = await target.get(key)
          const kind = key.split(':')[1]!
          const other = [...seen].find(([name]) => name !== key && name.includes(`:${kind}:`))
          if (found) seen.set(key, found)
          return other && Math.random() < 0.5 ? other[1] : found
        }
      },
    })
    const { browser } = createApp(world, { options: { store: swapping } })
    const [ada, grace] = [browser(), browser()]
    for (const [who, user] of [
      [ada, 'ada'],
      [grace, 'grace'],
    ] as const) {
      let landed
      do landed = await loginAs(who, { user, provider: 'spotify' })
      while (landed.status !== 303)
    }
    for (let round = 0; round < 60; round += 1) {
      for (const [who, user] of [
        [ada, 'ada'],
        [grace, 'grace'],
      ] as const) {
        const reply = await who.get('/me')
        expect([200, 401]).toContain(reply.status)
        if (reply.status === 200) expect(reply.body.id).toBe(user)
      }
    }
    await store.close()
  })
})
