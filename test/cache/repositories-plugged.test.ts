import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import {
  cachedFetch,
  type CachedFetchInit,
  type CachedFetchOptions,
  text,
} from '../../src/cache/index.ts'
import { compileRules } from '../../src/cache/rules/rules.ts'
import { ResponseCache } from '../../src/cache/response-cache.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { chaosStore } from '../../src/testing/index.ts'
import { cacheStoresForTests } from './cache-stores.ts'
import { cacheBefore, Clock } from './cache-caller.ts'

const stores = await cacheStoresForTests()
afterAll(async () => {
  for (const { close } of stores) await close()
})

const at = (path: string) => `https://api.example/v1/${path}`
const track = (id: string, by = 'api') => ({ id, name: `Track ${id}`, by })

const repositories: CachedFetchOptions['repositories'] = {
  tracks: {
    match: '/v1/tracks/:id',
    key: ['id', 'market'],
    ttl: 60,
    name: (one) => (one as { name: string }).name,
    batch: { match: '/v1/tracks', param: 'ids', items: 'tracks', max: 3 },
  },
  lyrics: { match: '/v1/lyrics/:id', key: ['id'], ttl: 60, payload: text() as never },
}

const rules = [
  { match: '/v1/tracks/:id/like', method: 'PUT', invalidates: ['/v1/tracks/:id'] },
  { match: '/v1/tracks/:id/play', method: 'PUT', invalidates: ['/v1/tracks/:id'], soft: true },
]

/** Users are told apart by a header; the track `none` is null. */
function api(options: CachedFetchOptions) {
  const seen: string[] = []
  const control: { headers: Record<string, string>; before?: () => Promise<void> } = { headers: {} }
  const upstream: typeof fetch = async (input, init) => {
    const { method, url, headers } = new Request(input, init)
    const { pathname, search, searchParams } = new URL(url)
    const by = headers.get('x-user') ?? 'ada'
    seen.push(`${method} ${pathname.slice(4)}${search}`)
    await control.before?.()
    const one = (id: string) => (id === 'none' ? null : track(id, by))
    const ids = searchParams.get('ids')?.split(',')
    const body = ids ? { tracks: ids.map(one) } : one(pathname.split('/')[3]!)
    return Response.json(body, { headers: control.headers })
  }
  const cached = cachedFetch(upstream, {
    repositories,
    rules,
    secret: 's'.repeat(32),
    partition: ({ headers }) => headers.get('x-user') ?? 'ada',
    ...options,
  })
  const get = async (path: string, user = 'ada', init: CachedFetchInit = {}) => {
    const reply = await cached(at(path), { ...init, headers: { 'x-user': user } })
    const status = reply.headers.get('cache-status')!.replace('behalf; ', '')
    return { reply, status, body: (await reply.json()) as unknown }
  }
  const tracksOf = (user: string) => cached.partition(user).repository<object>('tracks')
  return { cached, cache: cached.cache, seen, control, get, tracksOf, tracks: tracksOf('ada') }
}

const all = async <T>(some: AsyncIterable<T>) => {
  const found: T[] = []
  for await (const one of some) found.push(one)
  return found
}

describe.each(stores)('repositories in the cache, on $name', ({ open }) => {
  const fresh = async () => api({ store: await open(`repo-${randomBytes(4).toString('hex')}`) })

  test('a single item that was fetched by its URL answers a batch, and the other way round', async () => {
    const { get, seen } = await fresh()
    await get('tracks/a')
    const batch = await get('tracks?ids=a')
    expect(batch.body).toEqual({ tracks: [track('a', 'ada')] })
    expect(batch.status).toBe('hit; detail=items-1-stored-0-fetched')
    await get('tracks?ids=b')
    expect(await get('tracks/b')).toMatchObject({
      body: track('b', 'ada'),
      status: expect.stringMatching(/^hit; ttl=/) as string,
    })
    expect(seen).toEqual(['GET tracks/a', 'GET tracks?ids=b'])
  })

  test('only what is missing is fetched, in order, and null stays null', async () => {
    const { get, seen, cache } = await fresh()
    await get('tracks?ids=c,a')
    const ids = ['b', 'a', 'none', 'd', 'c', 'e', 'b']
    const { body, status, reply } = await get(`tracks?ids=${ids.join(',')}`)
    expect(body).toEqual({
      tracks: ids.map((id) => (id === 'none' ? null : track(id, 'ada'))),
    })
    expect(status).toBe('fwd=uri-miss; fwd-status=200; stored; detail=items-2-stored-4-fetched')
    expect(reply.url).toBe(at(`tracks?ids=${ids.join(',')}`))
    expect(seen).toEqual(['GET tracks?ids=c,a', 'GET tracks?ids=b,none,d', 'GET tracks?ids=e'])
    await get('tracks?ids=none,b')
    expect(seen.at(-1)).toBe('GET tracks?ids=none')
    expect(cache.stats()).toMatchObject({ misses: 3, stored: 5 })
  })

  test('the repositories of two users never meet', async () => {
    const { get, seen, tracksOf } = await fresh()
    await get('tracks?ids=a,b')
    await get('tracks/c')
    expect((await get('tracks?ids=a,b,c', 'grace')).body).toEqual({
      tracks: ['a', 'b', 'c'].map((id) => track(id, 'grace')),
    })
    expect(seen).toHaveLength(3)
    expect(await tracksOf('grace').get({ id: 'a' })).toEqual(track('a', 'grace'))
    await tracksOf('grace').clear()
    expect(await tracksOf('grace').count()).toBe(0)
    expect(await tracksOf('ada').count()).toBe(3)
  })

  test('what is saved by hand is served, and what is deleted is not', async () => {
    const { get, seen, tracks } = await fresh()
    expect(await tracks.save({ id: 'a/#b', market: 'SE' }, track('by hand'))).toBe(true)
    expect((await get('tracks/a%2F%23b?market=SE')).body).toEqual(track('by hand'))
    expect(await tracks.contains({ id: 'a/#c', market: 'SE' })).toBe(false)
    await tracks.save({ id: 'a' }, track('a', 'hand'))
    expect((await get('tracks?ids=a')).body).toEqual({ tracks: [track('a', 'hand')] })
    expect(seen).toEqual([])
    expect(await tracks.deleteMany([{ id: 'a' }, { id: 'x' }])).toEqual([true, false])
    expect((await get('tracks/a')).body).toEqual(track('a', 'ada'))
  })

  test('counts, lists by key and name, and clears what has expired', async () => {
    const { get, cached, tracks } = await fresh()
    await cached.partition('ada').repository('lyrics').save('other', 'la la')
    const clock = new Clock()
    try {
      await get('tracks/old')
      clock.pass(61)
      await get('tracks?ids=new&market=SE')
      expect(await tracks.count({ expired: true })).toBe(1)
      const listed = (await all(tracks)).map(({ key, name }) => [key, name])
      expect(listed).toHaveLength(2)
      expect(listed).toContainEqual([{ id: 'old' }, 'Track old'])
      expect(listed).toContainEqual([{ id: 'new', market: 'SE' }, 'Track new'])
      expect(await tracks.get({ id: 'old' })).toBeUndefined()
      expect(await tracks.clear({ expiredOnly: true })).toBe(1)
      expect(await tracks.count()).toBe(1)
    } finally {
      clock.restore()
    }
  })

  test('a write takes away the item of its URL, and the one that its rule names', async () => {
    const { get, cached, tracks, seen } = await fresh()
    await tracks.saveMany(['a', 'b', 'c', 'd'].map((id) => [{ id }, track(id)] as const))
    const put = (path: string) => cached(at(path), { method: 'PUT' })
    await put('tracks/a/like')
    await put('tracks/b')
    await put('tracks/c/play')
    expect(await tracks.getMany(['a', 'b', 'c', 'd'].map((id) => ({ id })))).toEqual([
      undefined,
      undefined,
      undefined,
      track('d'),
    ])
    await get('tracks?ids=a,b,c,d')
    expect(seen.at(-1)).toBe('GET tracks?ids=a,b,c')
  })

  test('an item that was spoiled while its batch was on its way is not kept', async () => {
    const { get, cache, cached, control, tracks } = await fresh()
    control.before = async () => {
      delete control.before
      await cache.delete({ url: at('tracks/a'), partition: cached.partition('ada') })
    }
    await get('tracks?ids=a,b')
    expect(await tracks.contains({ id: 'a' })).toBe(false)
    expect(await tracks.contains({ id: 'b' })).toBe(true)
  })

  test('one repository is deleted as a whole, of one partition or of everybody', async () => {
    const { get, cache, cached, tracksOf } = await fresh()
    for (const user of ['ada', 'grace']) {
      await get('tracks/a', user)
      await cached.partition(user).repository('lyrics').save('a', 'la la')
    }
    const there = () =>
      Promise.all(['ada', 'grace'].map((user) => tracksOf(user).contains({ id: 'a' })))
    await cache.delete({ repository: 'tracks', partition: cached.partition('ada') })
    expect(await there()).toEqual([false, true])
    await cache.delete({ repository: 'tracks' })
    expect(await there()).toEqual([false, false])
    expect(await cached.partition('ada').repository('lyrics').get('a')).toBe('la la')
  })
})

describe('repositories in the cache', () => {
  test('calls about several repositories at once are refused', async () => {
    const { repositories: ofAda } = api({}).cached.partition('ada')
    const requests = ['tracks/a', 'lyrics/a'].map((path) => new Request(at(path)))
    await expect(ofAda.getMany(requests)).rejects.toMatchObject({ code: 'repository_mismatch' })
    await expect(ofAda.deleteMany(requests)).rejects.toMatchObject({ code: 'repository_mismatch' })
    expect([...ofAda].map(({ name }) => name)).toEqual(['tracks', 'lyrics'])
    expect(() => ofAda.get('none')).toThrow(/tracks, lyrics/)
  })

  test('a reply that forbids storing is not kept, whatever the repository says', async () => {
    const { get, control, tracks } = api({})
    control.headers = { 'cache-control': 'no-store' }
    expect((await get('tracks?ids=a')).status).not.toContain('; stored')
    expect((await get('tracks/b')).status).toContain('detail=no-store')
    expect(await tracks.count()).toBe(0)
  })

  test('a call that wants it from the API is not answered from what is stored', async () => {
    const { get, seen, tracks } = api({})
    await tracks.save({ id: 'a' }, track('a', 'hand'))
    await get('tracks?ids=a', 'ada', { cache: 'reload' })
    await get('tracks?ids=a', 'ada', { cache: 'no-store' })
    await get('tracks?ids=a', 'ada', { ttl: 5 })
    expect(seen).toEqual(Array.from({ length: 3 }, () => 'GET tracks?ids=a'))
  })

  test('a store that fails is passed by in a call; deleting says so', async () => {
    const { get, tracks } = api({ store: chaosStore(memoryStore(), [{ fault: 'throw' }]) })
    expect((await get('tracks?ids=a')).body).toEqual({ tracks: [track('a', 'ada')] })
    expect(await tracks.save({ id: 'a' }, track('a'))).toBe(false)
    await expect(tracks.delete({ id: 'a' })).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('a repository comes before the rules, and its items belong to who asked', async () => {
    const { cache, fetch } = cacheBefore(
      () => Response.json(track('a'), { headers: { 'cache-control': 'public, max-age=60' } }),
      { repositories, rules: [{ match: '/v1/*', ttl: 5, shared: true, as: 'app' }] },
    )
    const provider = compileRules(undefined)
    expect(cache.ruleFor(at('tracks/a'), provider)).toMatchObject({ ttl: 60 })
    expect(cache.ruleFor(at('tracks/a'), provider)?.as).toBeUndefined()
    expect(cache.ruleFor(at('tracks?ids=a'), provider)).toBeUndefined()
    expect(cache.ruleFor(at('other'), provider)).toMatchObject({ as: 'app' })
    expect(cache.explain(at('tracks/a'))).toMatchObject({ rule: '/v1/tracks/:id', ttl: 60 })
    await fetch(at('tracks/a'), { user: 'ada' })
    const other = await fetch(at('tracks/a'), { user: 'grace' })
    expect(other.headers.get('cache-status')).toContain('fwd=uri-miss')
  })

  test('a repository that cannot be read is refused at once', () => {
    const wrong = { tracks: { match: 'tracks', key: ['id'], ttl: 60 } }
    expect(() => new ResponseCache({ repositories: wrong })).toThrow(/Repository 'tracks'/)
  })
})
