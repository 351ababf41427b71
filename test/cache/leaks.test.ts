import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { cachedFetch } from '../../src/cache/index.ts'
import { subjectPartition } from '../../src/cache/stored/partition.ts'
import { cacheBefore, type CallerOptions } from './cache-caller.ts'
import { cacheStoresForTests } from './cache-stores.ts'

const stores = await cacheStoresForTests()
afterAll(async () => {
  for (const { close } of stores) await close()
})

/** What others do with these is in the field notes: most of them serve Ada's reply to Grace. */
const replies: Array<[string, Record<string, string>, boolean]> = [
  ['no Cache-Control', {}, false],
  ['max-age=60', { 'cache-control': 'max-age=60' }, true],
  ['private, max-age=60', { 'cache-control': 'private, max-age=60' }, true],
  [
    'private, max-age=60, must-revalidate',
    { 'cache-control': 'private, max-age=60, must-revalidate' },
    true,
  ],
  ['public, max-age=60', { 'cache-control': 'public, max-age=60' }, true],
  [
    'CVE-2026-24472 private and Vary: Authorization',
    { 'cache-control': 'private, max-age=60', vary: 'Authorization' },
    true,
  ],
  [
    'CVE-2026-44457 public and Vary: Authorization',
    { 'cache-control': 'public, max-age=60', vary: 'Authorization' },
    true,
  ],
  ['public and Vary: Cookie', { 'cache-control': 'public, max-age=60', vary: 'Cookie' }, true],
  ['private="" and public', { 'cache-control': 'private="", public, max-age=60' }, true],
]

/** Each store, with memory before it and without, for each kind of partition. */
const places = stores.flatMap(({ name, open }) =>
  (name === 'memory' ? [undefined] : [undefined, {}]).flatMap((memory) =>
    (['grant', 'subject'] as const).map((partition) => ({
      name: `${name}${memory ? ' with memory before it' : ''}, by ${partition}`,
      open,
      memory,
      partition,
    })),
  ),
)

const textOf = async (response: Promise<Response>) => (await response).text()

describe.each(places)('two users and one URL on $name', ({ open, memory, partition }) => {
  const before = async (headers: Record<string, string>, options: CallerOptions) => {
    let count = 0
    const store = await open(`leaks-${randomBytes(4).toString('hex')}`)
    const { fetch, seen } = cacheBefore(() => new Response(`reply ${(count += 1)}`, { headers }), {
      ...options,
      memory,
      store,
    })
    const ask = (user: string) =>
      textOf(
        fetch(undefined, partition === 'grant' ? { user } : { partition: async () => of(user) }),
      )
    return { ask, seen }
  }
  const authority = { name: 'p', issuer: 'https://p.example' }
  const of = (user: string) => subjectPartition(authority, user, ['read'], Buffer.alloc(32, 'app'))
  const rounds = ['ada', 'ada', 'grace', 'grace', 'ada']

  test.each(replies)(
    'CA-02 CA-05 %s: each gets their own, by HTTP',
    async (_name, headers, kept) => {
      const { ask, seen } = await before(headers, { policy: 'http' })
      const texts = []
      for (const user of rounds) texts.push(await ask(user))
      const own = kept ? ['1', '1', '2', '2', '1'] : ['1', '2', '3', '4', '5']
      expect(texts).toEqual(own.map((number) => `reply ${number}`))
      expect(seen).toHaveLength(kept ? 2 : 5)
    },
  )

  test.each(replies)('CA-02 CA-05 %s: each gets their own, by a rule', async (_name, headers) => {
    const { ask } = await before(headers, { rules: { '/v1/*': 60 } })
    const texts = []
    for (const user of rounds) texts.push(await ask(user))
    expect(texts).toEqual(['1', '1', '2', '2', '1'].map((number) => `reply ${number}`))
  })

  test.each(replies)(
    'CA-02 %s: shared only where rule and reply permit it',
    async (name, headers) => {
      const { ask } = await before(headers, {
        rules: [{ match: '/v1/*', ttl: 60, shared: true }],
      })
      const texts = []
      for (const user of rounds) texts.push(await ask(user))
      const isShared = name === 'public, max-age=60'
      const own = isShared ? ['1', '1', '1', '1', '1'] : ['1', '1', '2', '2', '1']
      expect(texts).toEqual(own.map((number) => `reply ${number}`))
    },
  )
})

describe.each(stores)('on $name', ({ open }) => {
  describe.each(['GET', 'HEAD'])(
    'a shared entry that one of them has checked with %s',
    (method) => {
      const said = { etag: '"1"', 'cache-control': 'public, max-age=60' }
      const own: Array<[string, Record<string, string>]> = [
        ['CA-02 private', { 'cache-control': 'private, max-age=60' }],
        ['CA-04 Vary: Authorization', { vary: 'Authorization' }],
        ['CA-04 Vary: Cookie', { vary: 'Cookie' }],
        ['CA-04 Vary: *', { vary: '*' }],
      ]
      const checkedWith = async (answer: Record<string, string>) => {
        const store = await open(`checked-${randomBytes(4).toString('hex')}`)
        const { fetch, seen } = cacheBefore(
          (_request, calls) => {
            if (calls !== 2) return new Response('public', { headers: said })
            const headers = { ...said, 'x-account': 'ada', ...answer }
            return new Response(null, { status: method === 'HEAD' ? 200 : 304, headers })
          },
          { rules: [{ match: '/v1/*', ttl: 60, shared: true }], store },
        )
        await textOf(fetch(undefined, { user: 'eve' }))
        await textOf(fetch(undefined, { user: 'ada', mode: 'no-cache' }, { method }))
        const grace = await fetch(undefined, { user: 'grace' })
        expect(await grace.text()).toBe('public')
        expect(seen[1]!.method).toBe(method)
        return { account: grace.headers.get('x-account'), asked: seen.length }
      }

      test.each(own)('%s: what it learned is not for the others', async (_what, answer) => {
        expect(await checkedWith(answer)).toEqual({ account: null, asked: 3 })
      })

      test('CA-02 public: it is brought up to date for all', async () => {
        expect(await checkedWith({})).toEqual({ account: 'ada', asked: 2 })
      })
    },
  )

  test('CA-10 a 500 with max-age is not stored', async () => {
    const { statusOf, seen } = cacheBefore(
      () => new Response('x', { status: 500, headers: { 'cache-control': 'max-age=60' } }),
      { policy: 'http', store: await open(`errors-${randomBytes(4).toString('hex')}`) },
    )
    await statusOf()
    expect(await statusOf()).toBe('fwd=uri-miss; fwd-status=500; detail=status-500')
    expect(seen).toHaveLength(2)
  })

  test('binary bodies of any length come back as they were', async () => {
    for (const length of [0, 1, 256, 70_000, 1_200_000]) {
      const bytes = randomBytes(length)
      const store = await open(`binary-${length}-${randomBytes(4).toString('hex')}`)
      const { fetch, seen } = cacheBefore(() => new Response(bytes), { store, defaultTtl: 60 })
      for (let round = 0; round < 2; round += 1) {
        const read = Buffer.from(await (await fetch()).arrayBuffer())
        expect(read.equals(bytes)).toBe(true)
      }
      expect(seen, `${length} bytes`).toHaveLength(1)
    }
  })

  test('twenty who find something stale ask upstream once between them', async () => {
    const headers = { 'cache-control': 'max-age=0, stale-while-revalidate=60' }
    let count = 0
    const store = await open(`stale-${randomBytes(4).toString('hex')}`)
    const { fetch, seen, cache } = cacheBefore(
      () => new Response(`reply ${(count += 1)}`, { headers }),
      { policy: 'http', store },
    )
    await (await fetch()).text()
    await new Promise((resolve) => setTimeout(resolve, 5))
    const all = await Promise.all(Array.from({ length: 20 }, () => textOf(fetch())))
    expect(new Set(all)).toEqual(new Set(['reply 1']))
    await cache.close()
    expect(seen).toHaveLength(2)
  })

  test('cachedFetch() stores nothing that came with credentials, unless it is told whose it is', async () => {
    let count = 0
    const upstream = async () =>
      new Response(`reply ${(count += 1)}`, { headers: { 'cache-control': 'public, max-age=60' } })
    const store = await open(`plain-${randomBytes(4).toString('hex')}`)
    const plain = cachedFetch(upstream, { store })
    for (const name of ['authorization', 'cookie']) {
      const headers = { [name]: 'of ada' }
      const first = await textOf(plain('https://api.example/x', { headers }))
      expect(await textOf(plain('https://api.example/x', { headers }))).not.toBe(first)
    }
    const whose = cachedFetch(upstream, {
      store,
      secret: 's'.repeat(32),
      partition: ({ headers }) => headers.get('authorization') ?? undefined,
    })
    const of = (user: string) =>
      textOf(whose('https://api.example/x', { headers: { authorization: user } }))
    const ada = await of('ada')
    expect(await of('ada')).toBe(ada)
    expect(await of('grace')).not.toBe(ada)
    // Everybody's entry is nobody's.
    const everybody = await textOf(plain('https://api.example/x'))
    expect([ada]).not.toContain(everybody)
    expect(await textOf(plain('https://api.example/x'))).toBe(everybody)
  })
})

test('cachedFetch() wants a secret for what it keeps of one partition outside the process', async () => {
  const outside = await stores.find(({ name }) => name === 'sqlite')!.open('no-secret')
  expect(() => cachedFetch(fetch, { store: outside, partition: 'ada' })).toThrow(/secret/)
})
