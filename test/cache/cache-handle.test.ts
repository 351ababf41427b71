import { randomBytes } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterAll, describe, expect, test } from 'vitest'
import { type CacheEvent, cachedFetch, type CachedFetchOptions } from '../../src/cache/index.ts'
import { ResponseCache } from '../../src/cache/response-cache.ts'
import { compileRules } from '../../src/cache/rules/rules.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { chaosStore } from '../../src/testing/index.ts'
import { cacheStoresForTests } from './cache-stores.ts'
import { Clock } from './cache-caller.ts'

const stores = await cacheStoresForTests()
afterAll(async () => {
  for (const { close } of stores) await close()
})

const at = (path: string) => `https://api.example${path}`
const rules = [
  { match: '/tracks/*', ttl: 60, tags: ['tracks'] },
  { match: '/short', ttl: 5 },
  { match: '/*', ttl: 60 },
]

/** Users are told apart by a header. */
function numbered(options: CachedFetchOptions) {
  let calls = 0
  const upstream = async () => new Response(`reply ${(calls += 1)}`, { headers: { etag: '"a"' } })
  const cached = cachedFetch(upstream, {
    rules,
    secret: 's'.repeat(32),
    partition: ({ headers }) => headers.get('x-user') ?? 'ada',
    ...options,
  })
  const statusOf = async (path: string, user = 'ada') => {
    const reply = await cached(at(path), { headers: { 'x-user': user } })
    await reply.text()
    return reply.headers.get('cache-status')!.replace('behalf; ', '')
  }
  return { cached, cache: cached.cache, statusOf, ada: cached.partition('ada') }
}

const all = async <T>(some: AsyncIterable<T>) => {
  const found: T[] = []
  for await (const one of some) found.push(one)
  return found
}

describe.each(stores)('a cache that is told what to forget, on $name', ({ open }) => {
  const fresh = async () => {
    const store = await open(`handle-${randomBytes(4).toString('hex')}`)
    const world = numbered({ store })
    for (const user of ['ada', 'grace']) {
      for (const path of ['/tracks/1', '/tracks/2', '/me']) await world.statusOf(path, user)
    }
    return world
  }

  test('by tags, of everybody or of one partition', async () => {
    const { cache, statusOf, ada } = await fresh()
    await cache.delete({ tags: ['tracks'], partition: ada })
    expect(await statusOf('/tracks/1')).toContain('fwd=uri-miss')
    expect(await statusOf('/me')).toContain('hit')
    expect(await statusOf('/tracks/1', 'grace')).toContain('hit')
    await cache.delete({ tags: ['tracks'] })
    expect(await statusOf('/tracks/1')).toContain('fwd=uri-miss')
    expect(await statusOf('/tracks/2', 'grace')).toContain('fwd=uri-miss')
  })

  test('by URL, hard or soft', async () => {
    const { cache, statusOf, ada } = await fresh()
    await cache.delete({ url: at('/tracks/1'), partition: ada })
    expect(await statusOf('/tracks/1')).toContain('fwd=uri-miss')
    expect(await statusOf('/tracks/2')).toContain('hit')
    await cache.delete({ url: at('/tracks/2'), partition: ada, soft: true })
    expect(await statusOf('/tracks/2')).toContain('fwd=stale')
    expect(await statusOf('/tracks/2', 'grace')).toContain('hit')
    await cache.delete({ tags: ['tracks'], soft: true })
    expect(await statusOf('/tracks/2', 'grace')).toContain('fwd=stale')
  })

  test('by age and freshness', async () => {
    const { cache, statusOf, ada } = await fresh()
    const clock = new Clock()
    try {
      clock.pass(10)
      await statusOf('/short')
      await cache.delete({ olderThan: 5, partition: ada })
      expect((await all(cache.list({ partition: ada }))).map(({ url }) => url)).toEqual([
        at('/short'),
      ])
      expect(await all(cache.list({ partition: ada }))).toHaveLength(1)
      await statusOf('/me')
      clock.pass(20)
      await cache.delete({ expired: true, partition: ada })
      expect((await all(cache.list({ partition: ada }))).map(({ url }) => url)).toEqual([at('/me')])
    } finally {
      clock.restore()
    }
  })

  test('altogether, or of one partition', async () => {
    const { cache, statusOf, ada } = await fresh()
    await cache.clear({ partition: ada })
    expect(await statusOf('/me')).toContain('fwd=uri-miss')
    expect(await statusOf('/me', 'grace')).toContain('hit')
    await cache.clear()
    expect(await statusOf('/me')).toContain('fwd=uri-miss')
    expect(await statusOf('/me', 'grace')).toContain('fwd=uri-miss')
    await cache.close()
  })

  test('lists what is stored, without bodies', async () => {
    const { cache, ada } = await fresh()
    const entries = await all(cache.list({ partition: ada }))
    expect(new Set(entries.map(({ url }) => url))).toEqual(
      new Set(['/me', '/tracks/1', '/tracks/2'].map(at)),
    )
    const track = entries.find(({ url }) => url === at('/tracks/1'))!
    expect(track).toMatchObject({ status: 200, tags: ['tracks'], bytes: 7 })
    expect(Math.round((track.freshUntil - track.storedAt) / 1000)).toBe(60)
    await cache.delete({ tags: ['tracks'] })
    expect(await all(cache.list({ partition: ada }))).toHaveLength(1)
  })
})

describe('a cache that is told what to forget', () => {
  test.each([
    [{}, /name tags, repository, url, olderThan or expired/],
    [{ url: at('/me') }, /needs partition/],
    [{ olderThan: Number.NaN }, /olderThan must be/],
    [{ expired: true, soft: true }, /soft goes with/],
  ])('refuses what it cannot do (%#)', async (selection, message) => {
    await expect(numbered({}).cache.delete(selection)).rejects.toThrow(message)
  })

  test('says so when the store fails', async () => {
    const store = chaosStore(memoryStore(), [{ fault: 'throw' }])
    const { cache, ada } = numbered({ store })
    await expect(cache.delete({ tags: ['tracks'] })).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    await expect(cache.delete({ url: at('/me'), partition: ada })).rejects.toMatchObject({
      code: 'store_unavailable',
    })
    await expect(cache.clear()).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('says so where the store cannot list', async () => {
    const inner = memoryStore()
    const outside = Object.assign(Object.create(inner) as typeof inner, { keys: undefined })
    const { cache } = numbered({ store: outside })
    await expect(all(cache.list())).rejects.toMatchObject({ code: 'unsupported_operation' })
  })
})

describe('what a cache tells', () => {
  test('are typed events, to onEvent and to diagnostics_channel, without a query’s values', async () => {
    const events: CacheEvent[] = []
    const channel: unknown[] = []
    const hear = (event: unknown) => void channel.push(event)
    subscribe('behalf:cache_hit', hear)
    const { cache, statusOf, ada } = numbered({ onEvent: (event) => void events.push(event) })
    await statusOf('/tracks/1?token=secret')
    await statusOf('/tracks/1?token=secret')
    await cache.delete({ url: at('/tracks/1?token=secret'), partition: ada })
    await cache.clear()
    unsubscribe('behalf:cache_hit', hear)
    const url = at('/tracks/1?token')
    const told = events.map(({ at: when, ...event }) => {
      expect(when).toBeGreaterThan(0)
      return event
    })
    const cacheStatus = 'behalf; fwd=uri-miss; fwd-status=200; stored'
    expect(told).toEqual([
      { type: 'cache_miss', url, cacheStatus },
      { type: 'cache_hit', url, stale: false },
      { type: 'cache_invalidate', urls: [url], tags: [], soft: false },
      { type: 'cache_clear' },
    ])
    expect(channel).toEqual([events[1]])
    expect(JSON.stringify(events)).not.toContain('secret')
  })

  test('a listener that throws breaks nothing', async () => {
    const { statusOf } = numbered({
      onEvent: () => {
        throw new Error('listener')
      },
    })
    expect(await statusOf('/me')).toContain('stored')
  })

  test('explains which rule is for a request, and where that stands', () => {
    const mutation = { match: '/tracks/:id', method: 'PUT', invalidates: ['tracks', '/tracks/:id'] }
    const cache = new ResponseCache({ rules: [...rules, mutation] })
    expect(cache.explain(at('/tracks/1'))).toEqual({
      cached: true,
      decidedBy: 'rule',
      rule: '/tracks/*',
      ttl: 60,
      invalidates: [],
      section: 'RFC 9111 section 4.2.2',
    })
    expect(cache.explain(new Request(at('/tracks/1'), { method: 'PUT' }))).toMatchObject({
      cached: false,
      invalidates: [at('/tracks/1'), 'tracks'],
      section: 'RFC 9111 section 4.4',
    })
    expect(
      cache.explain(new Request(at('/me'), { headers: { 'cache-control': 'no-store' } })),
    ).toMatchObject({
      cached: false,
      section: 'RFC 9111 section 5.2.1',
    })
    expect(new ResponseCache({}).explain(at('/me'))).toMatchObject({
      cached: true,
      decidedBy: 'headers',
      rule: undefined,
      section: 'RFC 9111 section 4.2',
    })
    const byProvider = new ResponseCache({})
    byProvider.attach(memoryStore(), new Map([['p', compileRules({ '/me': 7 })]]))
    expect(byProvider.explain(at('/me'), 'p')).toMatchObject({ decidedBy: 'rule', ttl: 7 })
    expect(byProvider.explain(at('/other'), 'p')).toMatchObject({ cached: false, ttl: 0 })
  })

  test('disposing of it waits for what goes on in the background', async () => {
    let done = false
    const slow = async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      done = true
      return new Response('late')
    }
    const called = cachedFetch(slow, { rules, hardTimeout: 0.01 })
    await expect(called(at('/me'))).rejects.toThrow('No reply within')
    expect(done).toBe(false)
    await called.cache[Symbol.asyncDispose]()
    expect(done).toBe(true)
  })
})

describe('memory in front of the store', () => {
  const outside = stores.filter(({ name }) => name !== 'memory')

  test.each(outside)(
    'answers without asking $name, and forgets what was taken away',
    async ({ open }) => {
      const place = `memory-${randomBytes(4).toString('hex')}`
      const store = await open(place)
      let reads = 0
      const counted = Object.assign(Object.create(store) as typeof store, {
        get: (key: string) => ((reads += 1), store.get(key)),
        getMany: store.getMany && ((keys: string[]) => ((reads += 1), store.getMany!(keys))),
        ...Object.fromEntries(
          (
            ['set', 'delete', 'compareAndSwap', 'compareAndDelete', 'setMany', 'notices'] as const
          ).map((name) => [name, store[name]?.bind(store)]),
        ),
      })
      const { cache, statusOf } = numbered({
        store: counted,
        memory: { maxBytes: 1_000_000, ttl: 60 },
      })
      await statusOf('/tracks/1')
      await statusOf('/tracks/1')
      const before = reads
      for (let round = 0; round < 5; round += 1)
        expect(await statusOf('/tracks/1')).toContain('hit')
      expect(reads).toBe(before)
      await cache.delete({ tags: ['tracks'] })
      expect(await statusOf('/tracks/1')).toContain('fwd=uri-miss')
      expect(reads).toBeGreaterThan(before)
    },
  )

  test('is refused with bounds that are none', () => {
    const store = Object.assign(Object.create(memoryStore()) as ReturnType<typeof memoryStore>, {
      reach: 'host',
    })
    expect(() => new ResponseCache({ store, memory: { ttl: -1 } })).toThrow(/memory: ttl/)
  })
})
