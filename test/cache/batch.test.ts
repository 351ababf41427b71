import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { compileRepositories, Repositories } from '../../src/cache/repositories/repositories.ts'
import type { BatchOptions } from '../../src/cache/repositories/batch-rule.ts'
import { memoryShelf } from './memory-shelf.ts'

const base = 'https://api.example/v1/tracks'
const usual: BatchOptions = { match: '/v1/tracks', param: 'ids', items: 'tracks', max: 3 }

/** An API that knows all tracks but those whose id begins with `x`, and a cache in front of it. */
function world(
  batch: BatchOptions = usual,
  answer?: (ids: string[], url: URL) => Response | undefined,
) {
  const calls: string[] = []
  const { shelf, items, finds } = memoryShelf()
  const rules = compileRepositories({
    tracks: {
      match: '/v1/tracks/:id',
      key: ['id', 'market'],
      ttl: 60,
      batch,
      name: (track) => (track as { id: string }).id,
    },
  })
  const repositories = new Repositories(rules, shelf)
  const forward = async (request: Request) => {
    const url = new URL(request.url)
    calls.push(`${url.pathname}${url.search}`)
    const ids = url.searchParams.get('ids')?.split(',') ?? []
    const tracks = ids.map((id) =>
      id.startsWith('x') ? null : { id, market: url.searchParams.get('market') },
    )
    return answer?.(ids, url) ?? Response.json({ tracks }, { headers: { etag: '"list"' } })
  }
  const get = async (query: string, init?: RequestInit) =>
    repositories.answerBatch(new Request(`${base}?${query}`, init), forward)
  const idsOf = async (query: string) => {
    const { reply } = (await get(query))!
    const { tracks } = (await reply.json()) as { tracks: Array<{ id: string } | null> }
    return tracks.map((track) => track?.id ?? null)
  }
  return { calls, get, idsOf, repositories, items, finds }
}

describe('a request for several items', () => {
  test('is answered from what is stored one by one, and only the rest is fetched', async () => {
    const { calls, get, idsOf, repositories } = world()
    expect(await idsOf('ids=a,b')).toEqual(['a', 'b'])
    const second = (await get('ids=b,c,a,d'))!
    expect(second).toMatchObject({ stored: 2, fetched: 2 })
    expect(second.reply.url).toBe(`${base}?ids=b,c,a,d`)
    expect(await second.reply.json()).toEqual({
      tracks: ['b', 'c', 'a', 'd'].map((id) => ({ id, market: null })),
    })
    expect(await idsOf('ids=d,a')).toEqual(['d', 'a'])
    expect(calls).toEqual(['/v1/tracks?ids=a,b', '/v1/tracks?ids=c,d'])
    expect(await repositories.get('tracks').get({ id: 'c' })).toEqual({ id: 'c', market: null })
  })

  test('uses what was stored by a request for one, and the other way round', async () => {
    const { calls, idsOf, repositories } = world()
    await repositories.get('tracks').save({ id: 'a' }, { id: 'a' })
    expect(await idsOf('ids=a')).toEqual(['a'])
    expect(calls).toEqual([])
  })

  test('asks for as many at a time as the API gives', async () => {
    const { calls, idsOf } = world()
    expect(await idsOf('ids=a,b,c,d,e,f,g')).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g'])
    expect(calls).toEqual(['ids=a,b,c', 'ids=d,e,f', 'ids=g'].map((ids) => `/v1/tracks?${ids}`))
  })

  test('keeps what the API says is null in its place, and asks for it again', async () => {
    const { calls, idsOf } = world()
    expect(await idsOf('ids=a,x1,b')).toEqual(['a', null, 'b'])
    expect(await idsOf('ids=x1,a')).toEqual([null, 'a'])
    expect(calls).toEqual(['/v1/tracks?ids=a,x1,b', '/v1/tracks?ids=x1'])
  })

  test('gives one item as often as it was asked for, and asks for it once', async () => {
    const { calls, idsOf } = world()
    expect(await idsOf('ids=a,b,a')).toEqual(['a', 'b', 'a'])
    expect(calls).toEqual(['/v1/tracks?ids=a,b'])
  })

  test('of one market has nothing of another', async () => {
    const { calls, get, idsOf } = world()
    await idsOf('ids=a&market=SE')
    expect(await (await get('market=DE&ids=a'))!.reply.json()).toEqual({
      tracks: [{ id: 'a', market: 'DE' }],
    })
    expect(calls).toHaveLength(2)
  })

  test('leaves the rest of the request as it was written', async () => {
    const { calls, idsOf } = world()
    await idsOf('ids=a%2Cb&market=S%45')
    await idsOf('market=S%45&ids=a,b%20c,d%2fe')
    expect(calls).toEqual([
      '/v1/tracks?ids=a%2Cb&market=S%45',
      '/v1/tracks?market=S%45&ids=b%20c,d%2fe',
    ])
  })

  test('carries headers and signal of the request on', async () => {
    const forwarded: Request[] = []
    const rules = compileRepositories({
      tracks: { match: '/v1/tracks/:id', key: ['id'], ttl: 60, batch: usual },
    })
    const repositories = new Repositories(rules, memoryShelf().shelf)
    const caller = new AbortController()
    const headers = { 'accept-language': 'sv' }
    const asked = new Request(`${base}?ids=a,b,c,d`, { headers, signal: caller.signal })
    await repositories.answerBatch(asked, async (request) => {
      forwarded.push(request)
      return Response.json({ tracks: [{}, {}, {}].slice(0, forwarded.length === 1 ? 3 : 1) })
    })
    caller.abort()
    expect(forwarded).toHaveLength(2)
    for (const request of forwarded) {
      expect(request.headers.get('accept-language')).toBe('sv')
      expect(request.signal.aborted).toBe(true)
    }
  })

  test('has no validator of another list, and an item has none either', async () => {
    const { get, items } = world()
    expect((await get('ids=a,b'))!.reply.headers.get('etag')).toBeNull()
    for (const item of items.values()) expect(item.response().headers.get('etag')).toBeNull()
    expect([...items.values()].map(({ name }) => name)).toEqual(['a', 'b'])
  })

  test.each([401, 404, 429, 500])(
    'that the API answers with %i has that answer, and keeps what came before',
    async (status) => {
      let fails = false
      const { get, idsOf } = world(usual, () =>
        fails ? new Response('no', { status, headers: { 'retry-after': '7' } }) : undefined,
      )
      await idsOf('ids=a')
      fails = true
      const { reply } = (await get('ids=a,b'))!
      expect(reply.status).toBe(status)
      expect(reply.headers.get('retry-after')).toBe('7')
      expect(await reply.text()).toBe('no')
      expect(await idsOf('ids=a')).toEqual(['a'])
    },
  )

  test('is not stored where the reply forbids it', async () => {
    const { calls, idsOf } = world(usual, (ids) =>
      Response.json(
        { tracks: ids.map((id) => ({ id })) },
        { headers: { 'cache-control': 'no-store' } },
      ),
    )
    await idsOf('ids=a')
    expect(await idsOf('ids=a')).toEqual(['a'])
    expect(calls).toHaveLength(2)
  })

  test('is fetched anew once an item has expired', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    try {
      const { calls, idsOf } = world()
      await idsOf('ids=a')
      vi.setSystemTime(Date.now() + 60_001)
      await idsOf('ids=a')
      expect(calls).toHaveLength(2)
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('a reply that is not what the rule says', () => {
  const foreign: Record<string, () => Response> = {
    'no JSON': () => new Response('<p>Hello</p>'),
    'an item too few': () => Response.json({ tracks: [{ id: 'a' }] }),
    'something beside the list': () => Response.json({ tracks: [{}, {}], total: 2 }),
    'no list': () => Response.json({ tracks: { a: {} } }),
    'a list where there should be an object': () => Response.json([{}, {}]),
    null: () => Response.json(null),
    nothing: () => new Response(null, { status: 200 }),
  }
  test.each(Object.entries(foreign))(
    '(%s) reaches the caller whole, and is not stored',
    async (_, make) => {
      const { calls, get, items, repositories } = world(usual, (ids) =>
        ids.includes('b') ? make() : undefined,
      )
      const expected = await make().text()
      expect(await (await get('ids=a,b'))!.reply.text()).toBe(expected)
      expect(items.size).toBe(0)
      expect(calls).toHaveLength(1)
      await repositories.get('tracks').save({ id: 'a' }, { id: 'a' })
      // Of a part nothing can be made: all is asked for.
      expect(await (await get('ids=a,b,c'))!.reply.text()).toBe(expected)
      expect(calls.at(-1)).toBe('/v1/tracks?ids=a,b,c')
      expect(items.size).toBe(1)
    },
  )

  test('is found by its items’ own ids where the rule names them', async () => {
    const { idsOf, calls } = world({ ...usual, id: 'id' }, (ids) =>
      Response.json({
        tracks: ids
          .filter((id) => !id.startsWith('x'))
          .toReversed()
          .map((id) => ({ id })),
      }),
    )
    expect(await idsOf('ids=a,x1,b')).toEqual(['a', null, 'b'])
    expect(await idsOf('ids=b,a')).toEqual(['b', 'a'])
    expect(calls).toHaveLength(1)
  })

  test('can be the list itself', async () => {
    const { items: _, ...bare } = usual
    const { get, calls } = world(bare, (ids) => Response.json(ids.map((id) => ({ id }))))
    await get('ids=a,b')
    expect(await (await get('ids=b'))!.reply.json()).toEqual([{ id: 'b' }])
    expect(calls).toHaveLength(1)
  })
})

test.each([
  'ids=',
  'ids=a,,b',
  'ids=a&ids=b',
  'ids=a&fields=name',
  'market=SE',
  'ids=a&id=b',
  `ids=${'a,'.repeat(1_000)}a`,
])('%.20s is no batch', async (query) => {
  expect(await world().get(query)).toBeUndefined()
})

test('what changes something, and another path, is no batch', async () => {
  const { get, repositories } = world()
  expect(await get('ids=a', { method: 'DELETE' })).toBeUndefined()
  const other = new Request('https://api.example/v1/albums?ids=a')
  expect(await repositories.answerBatch(other, async () => new Response())).toBeUndefined()
})

test('whatever was asked for before, the answer is the API’s, and nothing fresh is fetched twice', async () => {
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f,'.slice(0, 1), 'x1', 'x2', 'å/ä?&=')
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(id, { minLength: 1, maxLength: 9 }), { maxLength: 8 }),
      async (requests) => {
        const { idsOf, calls } = world()
        for (const ids of requests) {
          const query = `ids=${ids.map((one) => encodeURIComponent(one)).join(',')}`
          const expected = ids.map((one) => (one.startsWith('x') ? null : one))
          expect(await idsOf(query)).toEqual(expected)
        }
        const fetched = calls.flatMap((call) =>
          new URL(call, base).searchParams.get('ids')!.split(','),
        )
        const known = fetched.filter((one) => !one.startsWith('x'))
        expect(new Set(known).size).toBe(known.length)
      },
    ),
    { numRuns: 200 },
  )
})
