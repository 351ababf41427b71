import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createTestApi, createTestProvider } from '../../src/testing/index.ts'
import type { TestApi, TestProvider } from '../../src/testing/index.ts'
import { callerOf as callerIn, everyScope } from './api-caller.ts'
import type { Caller, Page } from './api-caller.ts'

let provider: TestProvider
let api: TestApi

beforeAll(async () => {
  provider = await createTestProvider()
  api = await createTestApi({ provider })
})
afterEach(() => {
  provider.reset()
  api.reset()
})
afterAll(async () => {
  await api.close()
  await provider.close()
})

interface TrackJson {
  id: string
  name: string
  duration_ms: number
  popularity: number
  artists: Array<{ name: string }>
  album: { name: string; images: Array<{ url: string }> }
}

/** A client of the API, or of another one, that calls it as that user. */
function callerOf(user: string, scope = everyScope, target = api): Caller {
  return callerIn({ provider, api: target }, user, { scope })
}

const idsOf = (page: Page<TrackJson>) => page.items.map(({ id }) => id)

describe('me', () => {
  it('is the user of the access token', async () => {
    expect(await callerOf('mei').read('me')).toMatchObject({
      id: 'mei',
      display_name: 'Mei Tanaka',
      email: 'mei@example.test',
      country: 'JP',
      product: 'premium',
      images: [{ url: provider.users.find(({ id }) => id === 'mei')?.avatar }],
      followers: { total: expect.any(Number) },
    })
  })

  it('has no e-mail address without the scope for it', async () => {
    expect(await callerOf('mei', []).read('me')).not.toHaveProperty('email')
  })
})

describe('top tracks', () => {
  it('come in pages that lead to each other', async () => {
    const { read } = callerOf('ada')
    const first = await read<Page<TrackJson>>('me/top/tracks?limit=30')
    expect(first).toMatchObject({ limit: 30, offset: 0, total: 50, previous: null })
    expect(first.items).toHaveLength(30)
    const second = await read<Page<TrackJson>>(first.next ?? '')
    expect(second).toMatchObject({ offset: 30, next: null })
    expect(second.items).toHaveLength(20)
    expect(new Set([...idsOf(first), ...idsOf(second)]).size).toBe(50)
    expect(await read(second.previous ?? '')).toEqual(first)
  })

  it('are 20 by default, and differ by user and time range, not by call', async () => {
    const [ada, grace] = [callerOf('ada'), callerOf('grace')]
    const page = await ada.read<Page<TrackJson>>('me/top/tracks')
    expect(page.items).toHaveLength(20)
    expect(await ada.read('me/top/tracks')).toEqual(page)
    expect(await ada.read('me/top/tracks?time_range=short_term')).not.toEqual(page)
    expect(idsOf(await grace.read('me/top/tracks'))).not.toEqual(idsOf(page))
  })

  it('follow from the seed', async () => {
    const [same, other] = [
      await createTestApi({ provider }),
      await createTestApi({ provider, seed: 'other' }),
    ]
    const idsAt = async (target: TestApi) =>
      idsOf(await callerOf('ada', everyScope, target).read('me/top/tracks'))
    expect(await idsAt(same)).toEqual(await idsAt(api))
    expect(await idsAt(other)).not.toEqual(await idsAt(api))
    await Promise.all([same.close(), other.close()])
  })

  it('look like music', async () => {
    const { items } = await callerOf('ada').read<Page<TrackJson>>('me/top/tracks?limit=1')
    const track = items[0]!
    expect(track.name.length).toBeGreaterThan(3)
    expect(track.artists[0]!.name.length).toBeGreaterThan(3)
    expect(track.duration_ms).toBeGreaterThan(60_000)
    const cover = await fetch(track.album.images[0]!.url)
    expect(cover.headers.get('content-type')).toBe('image/svg+xml')
    expect(await cover.text()).toContain(track.album.name)
  })

  it('refuse a limit, offset or time range that does not exist', async () => {
    const { call } = callerOf('ada')
    for (const query of ['limit=0', 'limit=51', 'offset=-1', 'time_range=forever']) {
      const reply = await call(`me/top/tracks?${query}`)
      expect(reply.status).toBe(400)
      expect(await reply.json()).toMatchObject({ error: { status: 400 } })
    }
  })
})

describe('saved tracks', () => {
  const contains = (caller: Caller, id: string) =>
    caller.read<boolean[]>(`me/tracks/contains?ids=${id}`)

  it('are saved and removed by one user for that user', async () => {
    const [ada, grace] = [callerOf('ada'), callerOf('grace')]
    const saved = await ada.read<Page<{ added_at: string; track: TrackJson }>>('me/tracks')
    expect(Date.parse(saved.items[0]!.added_at)).toBeGreaterThan(0)
    const top = await ada.read<Page<TrackJson>>('me/top/tracks?limit=50')
    const flags = await ada.read<boolean[]>(`me/tracks/contains?ids=${idsOf(top).join(',')}`)
    const id = top.items[flags.indexOf(false)]!.id
    const graceHasIt = await contains(grace, id)

    expect((await ada.call(`me/tracks?ids=${id}`, { method: 'PUT' })).status).toBe(200)
    expect(await contains(ada, id)).toEqual([true])
    const after = await ada.read<Page<{ track: TrackJson }>>('me/tracks?limit=1')
    expect(after).toMatchObject({ total: saved.total + 1, items: [{ track: { id } }] })
    expect(await contains(grace, id)).toEqual(graceHasIt)

    const body = JSON.stringify({ ids: [id] })
    expect((await ada.call('me/tracks', { method: 'DELETE', body })).status).toBe(200)
    expect(await contains(ada, id)).toEqual([false])
  })

  it('are also reached by the routes that took their place in 2026', async () => {
    const ada = callerOf('ada')
    const { items } = await ada.read<Page<{ track: TrackJson }>>('me/tracks?limit=1')
    const uris = `uris=spotify:track:${items[0]!.track.id}`
    expect(await ada.read<boolean[]>(`me/library/contains?${uris}`)).toEqual([true])
    expect((await ada.call(`me/library?${uris}`, { method: 'DELETE' })).status).toBe(200)
    expect(await ada.read<boolean[]>(`me/library/contains?${uris}`)).toEqual([false])
    expect((await ada.call(`me/library?${uris}`, { method: 'PUT' })).status).toBe(200)
    expect(await ada.read<boolean[]>(`me/library/contains?${uris}`)).toEqual([true])
  })

  it('are not the same for two users to begin with', async () => {
    const ada = await callerOf('ada').read<Page<unknown>>('me/tracks')
    expect((await callerOf('grace').read<Page<unknown>>('me/tracks')).items).not.toEqual(ada.items)
  })

  it('are back at their start after reset()', async () => {
    const ada = callerOf('ada')
    const { items, total } = await ada.read<Page<{ track: TrackJson }>>('me/tracks?limit=1')
    await ada.call(`me/tracks?ids=${items[0]!.track.id}`, { method: 'DELETE' })
    expect(await ada.read('me/tracks?limit=1')).toMatchObject({ total: total - 1 })
    api.reset()
    expect(await ada.read('me/tracks?limit=1')).toMatchObject({ total })
  })

  it('refuse a body that is none', async () => {
    const { call } = callerOf('ada')
    for (const body of ['', '{', '{}', '{"ids":[1]}']) {
      expect((await call('me/tracks', { method: 'PUT', body })).status).toBe(400)
    }
  })
})

describe('tracks', () => {
  it('come alone or several at once, with null for the unknown', async () => {
    const { read, call } = callerOf('ada', ['user-top-read'])
    const [one, two] = (await read<Page<TrackJson>>('me/top/tracks?limit=2')).items
    const unknown = '0'.repeat(22)
    expect(await read(`tracks/${one!.id}`)).toEqual(one)
    expect(await read(`tracks?ids=${two!.id},${unknown},${one!.id}`)).toEqual({
      tracks: [two, null, one],
    })
    expect((await call(`tracks/${unknown}`)).status).toBe(404)
    expect((await call('tracks/short')).status).toBe(400)
    expect((await call('tracks')).status).toBe(400)
    const many = (count: number) => `tracks?ids=${`${one!.id},`.repeat(count).slice(0, -1)}`
    expect((await call(many(50))).status).toBe(200)
    expect((await call(many(51))).status).toBe(400)
  })
})

describe('access', () => {
  it('needs a token that is good', async () => {
    const none = await fetch(`${api.baseUrl}/me`)
    expect(none.status).toBe(401)
    expect(none.headers.get('www-authenticate')).not.toContain('invalid_token')
    const { call } = callerOf('ada')
    provider.expireAccessTokens()
    const expired = await call('me')
    expect(expired.status).toBe(401)
    expect(expired.headers.get('www-authenticate')).toContain('error="invalid_token"')
    expect(await expired.json()).toEqual({
      error: { status: 401, message: 'The access token expired' },
    })
  })

  it('needs the scope of the route', async () => {
    const { call } = callerOf('ada', ['user-read-email'])
    for (const [path, init] of [
      ['me/top/tracks', {}],
      ['me/tracks', {}],
      ['me/tracks?ids=x', { method: 'PUT' }],
      ['me/tracks/contains?ids=x', {}],
    ] as const) {
      const reply = await call(path, init)
      expect(reply.status).toBe(403)
      expect(reply.headers.get('www-authenticate')).toContain('error="insufficient_scope"')
      expect(await reply.json()).toMatchObject({ error: { status: 403 } })
    }
  })

  it('is decided by introspection when only the issuer is known', async () => {
    const remote = await createTestApi({ provider: provider.issuer })
    const { call } = callerOf('linus', ['user-read-email'], remote)
    const here = await callerOf('linus', ['user-read-email']).read<{ href: string }>('me')
    expect(await (await call('me')).json()).toEqual({
      ...here,
      href: here.href.replace(api.origin, remote.origin),
    })
    expect(provider.seen.introspections).toBe(1)
    provider.revokeGrants('linus')
    expect((await call('me')).status).toBe(401)
    await remote.close()
  })

  it('to a route that does not exist is 404', async () => {
    const { call } = callerOf('ada')
    expect((await call('me/nothing')).status).toBe(404)
    expect((await call('me', { method: 'POST' })).status).toBe(404)
  })
})

describe('what is seen', () => {
  it('is every request, with its user', async () => {
    await callerOf('ada').call('me/top/tracks?limit=2')
    await fetch(`${api.baseUrl}/me`)
    expect(api.requests).toEqual([
      {
        method: 'GET',
        path: '/v1/me/top/tracks',
        query: { limit: '2' },
        userId: 'ada',
        at: expect.any(Number),
      },
      { method: 'GET', path: '/v1/me', query: {}, userId: undefined, at: expect.any(Number) },
    ])
    expect([api.requestsTo('/v1/me'), api.requestsTo('me'), api.requestsTo('you')]).toEqual([
      1, 1, 0,
    ])
    api.reset()
    expect(api.requests).toEqual([])
  })

  it('says nothing of use about caching', async () => {
    const reply = await callerOf('ada').call('me')
    expect(reply.headers.get('cache-control')).toBe('private, max-age=0')
    expect(reply.headers.has('etag')).toBe(false)
  })
})

describe('switches', () => {
  it('status and retryAfter force an error', async () => {
    Object.assign(api.switches, { status: 429, retryAfter: 3 })
    const reply = await callerOf('ada').call('me')
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '3'])
    expect(await reply.json()).toMatchObject({ error: { status: 429 } })
  })

  it('reply gives a raw one where it wants to', async () => {
    api.switches.reply = ({ path }) =>
      path === '/v1/me' ? { status: 203, headers: { etag: '"raw"' }, body: 'raw' } : undefined
    const { call } = callerOf('ada')
    const raw = await call('me')
    expect([raw.status, raw.headers.get('etag'), await raw.text()]).toEqual([203, '"raw"', 'raw'])
    expect((await call('me/tracks')).status).toBe(200)
  })

  it('delay answers later', async () => {
    api.switches.delay = 0.2
    const startedAt = Date.now()
    await callerOf('ada').call('me')
    expect(Date.now() - startedAt).toBeGreaterThan(180)
  })

  it('behaviour breaks off the body, after its head has arrived', async () => {
    for (const behaviour of ['resets-mid-body', 'truncates'] as const) {
      api.switches.behaviour = behaviour
      const reply = await callerOf('ada').call('me')
      expect(reply.status).toBe(200)
      await expect(reply.text()).rejects.toThrow('terminated')
    }
  })

  it('behaviour hangs until the caller gives up', async () => {
    api.switches.behaviour = 'hangs'
    const call = callerOf('ada').call('me', { signal: AbortSignal.timeout(150) })
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(api.requestsTo('me')).toBe(1)
  })
})
