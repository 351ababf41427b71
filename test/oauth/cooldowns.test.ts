import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import type { BehalfEvent } from '../../src/events.ts'
import { CooldownRecords } from '../../src/oauth/cooldown-records.ts'
import { Cooldowns, type RateLimitedBy } from '../../src/oauth/cooldowns.ts'
import { fileStore } from '../../src/stores/file.ts'
import { guarded } from '../../src/stores/guarded.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { redisStore } from '../../src/stores/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import { chaosStore, loginAs } from '../../src/testing/index.ts'
import { component } from '../components.ts'
import { createApp, useWorld } from '../middleware/express-app.ts'
import { CachePeer } from '../support/cache-peer.ts'
import { startRedis } from '../support/redis-servers.ts'

/** A memory store that passes for one that other processes use too. */
function shared(inner: Store = memoryStore(), reads: string[] = []): Store {
  return new Proxy(inner, {
    get(target, name: keyof Store) {
      if (name === 'reach') return 'cluster'
      const member = target[name]
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        reads.push(name)
        return Reflect.apply(member, target, args) as unknown
      }
    },
  })
}

/** The cooldowns of one more process. */
function processOver(store: Store, by: RateLimitedBy = 'grant', clientId = 'client') {
  const records = new CooldownRecords(store, 'behalf')
  return new Cooldowns({ client: ['spotify', clientId], by, records })
}

afterEach(() => {
  vi.useRealTimers()
})

describe('HT-03 a cooldown', () => {
  test('is not ended by a shorter one, and not longer than a quarter of an hour', async () => {
    for (const cooldowns of [
      new Cooldowns({ client: ['spotify', 'client'], by: 'grant' }),
      processOver(shared()),
    ]) {
      await cooldowns.begin('a', 60)
      await cooldowns.begin('a', 0)
      expect(await cooldowns.left('a')).toBeGreaterThan(59)
      await cooldowns.begin('b', 9_999_999_999)
      expect(await cooldowns.left('b')).toBeLessThanOrEqual(900)
      expect(await cooldowns.left('c')).toBe(0)
    }
  })

  test('is known to other processes, for that grant or for the whole client', async () => {
    for (const by of ['grant', 'client'] as const) {
      const store = shared()
      await processOver(store, by).begin('ada', 60)
      expect(await processOver(store, by).left('ada')).toBeGreaterThan(58)
      expect((await processOver(store, by).left('grace')) > 0).toBe(by === 'client')
      expect(await processOver(store, by, 'another client').left('ada')).toBe(0)
    }
  })

  test('of another process is shorter by what has passed since', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const store = shared()
    await processOver(store).begin('ada', 60)
    vi.advanceTimersByTime(50_000)
    expect(await processOver(store).left('ada')).toBeCloseTo(10, 1)
    vi.advanceTimersByTime(10_001)
    expect(await processOver(store).left('ada')).toBe(0)
  })

  test('that is shorter does not end a longer one for the other processes', async () => {
    const store = shared()
    await processOver(store).begin('ada', 60)
    await processOver(store).begin('ada', 2)
    expect(await processOver(store).left('ada')).toBeGreaterThan(58)
  })

  test('is looked for once a second, however many calls there are', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const reads: string[] = []
    const store = shared(memoryStore(), reads)
    const cooldowns = processOver(store)
    const many = () => Promise.all(Array.from({ length: 50 }, () => cooldowns.left('ada')))
    await many()
    await many()
    expect(reads).toEqual(['get'])
    vi.advanceTimersByTime(990)
    await many()
    expect(reads).toEqual(['get'])
    vi.advanceTimersByTime(20)
    await processOver(shared()).begin('ada', 60)
    await many()
    expect(reads).toEqual(['get', 'get'])
  })

  test('is seen within a second by who has just looked', async () => {
    const store = shared()
    const [one, other] = [processOver(store), processOver(store)]
    expect(await one.left('ada')).toBe(0)
    await other.begin('ada', 60)
    await expect.poll(() => one.left('ada'), { timeout: 1_500 }).toBeGreaterThan(58)
  })

  test('of a hundred calls at the same time is told once', async () => {
    const operations: string[] = []
    const cooldowns = processOver(shared(memoryStore(), operations))
    await Promise.all(Array.from({ length: 100 }, () => cooldowns.begin('ada', 30)))
    expect(operations.filter((name) => name === 'set')).toHaveLength(1)
  })

  test.each(['', '0x10', '-5', '9999', '5e9', 'Infinity', 'soon', '1\n'])(
    'that somebody else has written (%j) is none',
    async (text) => {
      const inner = memoryStore()
      const store = shared(inner)
      await processOver(store).begin('ada', 60)
      for await (const key of inner.keys?.('') ?? []) {
        expect(key).toMatch(/^behalf:cooldown:[0-9a-f]{64}$/)
        await inner.set(key, Buffer.from(text))
      }
      expect(await processOver(store).left('ada')).toBe(0)
    },
  )

  test('is this process’ own where the store fails', async () => {
    for (const fault of ['throw', 'drop'] as const) {
      const cooldowns = processOver(shared(chaosStore(memoryStore(), [{ fault }])))
      expect(await cooldowns.left('ada')).toBe(0)
      await cooldowns.begin('ada', 60)
      expect(await cooldowns.left('ada')).toBeGreaterThan(59)
    }
  })

  test('that a slow store cannot tell delays a call by the deadline, once a second at most', async () => {
    const slow = shared(chaosStore(memoryStore(), [{ fault: 'delay', seconds: 5 }]))
    const limited = guarded(slow, { name: 'cooldowns', deadline: { read: 0.15, write: 0.5 } })
    const cooldowns = processOver(limited)
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: 20 }, () => cooldowns.left('ada')))
    await cooldowns.left('ada')
    expect(performance.now() - startedAt).toBeLessThan(900)
  })

  test('does not go to a store that only this process has', async () => {
    const reads: string[] = []
    const inner = shared(memoryStore(), reads)
    const own = new Proxy(inner, {
      get: (target, name: keyof Store) => (name === 'reach' ? 'process' : target[name]),
    })
    const cooldowns = processOver(own)
    await cooldowns.begin('ada', 60)
    expect(await cooldowns.left('ada')).toBeGreaterThan(59)
    expect(reads).toEqual([])
  })
})

const redis = component('redis-server')

describe.skipIf(!redis.present)('HT-03 over two processes on Redis, a cooldown', async () => {
  if (!redis.present) return
  const server = await startRedis()
  afterAll(() => server.close())

  test('begun by one is kept by the other, who was killed and started again too', async () => {
    const first = await CachePeer.start(server.url)
    let second = await CachePeer.start(server.url)
    const left = (peer: CachePeer) => peer.ask<number>({ ask: 'cooldown', grantId: 'ada' })
    try {
      expect(await left(second)).toBe(0)
      await first.ask({ ask: 'begin cooldown', grantId: 'ada', seconds: 3 })
      await expect.poll(() => left(second), { timeout: 1_500 }).toBeGreaterThan(1)
      await second.kill()
      second = await CachePeer.start(server.url)
      const remaining = await left(second)
      expect(remaining).toBeLessThan(3)
      await sleep(remaining * 1000 + 50)
      expect(await left(second)).toBe(0)
      expect(await left(first)).toBe(0)
    } finally {
      await Promise.all([first.kill(), second.kill()])
    }
  }, 30_000)
})

const world = useWorld()

test.each([
  ['redis', redis.present],
  ['file', true],
])('HT-03 an app in another process does not call either (%s)', async (kind, isThere) => {
  if (!isThere) return
  const server = kind === 'redis' ? await startRedis() : undefined
  const path = mkdtempSync(join(tmpdir(), 'behalf-cooldown-'))
  const open = () => (server ? redisStore(server.url) : fileStore({ path }))
  let calls = 0
  world.api.switches.reply = (request) => {
    if (request.path !== '/v1/me/top/tracks') return undefined
    calls += 1
    return { status: 429, headers: { 'retry-after': '60' }, body: '{}' }
  }
  const events: BehalfEvent[] = []
  const stores = [open(), open()]
  const apps = stores.map((store) =>
    createApp(
      { ...world, spotify: { ...world.spotify, rateLimitedBy: 'client' } },
      {
        cache: false,
        options: { store, onEvent: (event) => events.push(event) },
        routes: (app) =>
          app.get('/call', async (req, res) => {
            const startedAt = performance.now()
            const error = await req.api['spotify']!.get('me/top/tracks').catch(
              (reason: unknown) => reason,
            )
            res.json({ ...(error as object), took: performance.now() - startedAt })
          }),
      },
    ),
  )
  const [ada, grace] = apps.map(({ browser }) => browser())
  await loginAs(ada!, { user: 'ada', provider: 'spotify' })
  await loginAs(grace!, { user: 'grace', provider: 'spotify' })
  const first = (await ada!.get('/call')).body as Record<string, number>
  const second = (await grace!.get('/call')).body as Record<string, number>
  expect(first).toMatchObject({ code: 'rate_limited', retryAfter: 60 })
  expect(second).toMatchObject({ code: 'rate_limited' })
  expect(second['retryAfter']).toBeGreaterThan(50)
  expect(second['took']).toBeLessThan(2_000)
  expect(calls).toBe(1)
  expect(events.filter(({ type }) => type === 'throttled')).toHaveLength(2)
  await Promise.all(stores.map((store) => store.close()))
  await server?.close()
  rmSync(path, { recursive: true })
  world.api.switches.reply = undefined
})
