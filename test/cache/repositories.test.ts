import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { cachedResponse } from '../../src/cache/repositories/cached-response.ts'
import { text } from '../../src/cache/repositories/payload.ts'
import {
  compileRepositories,
  placeOf,
  Repositories,
} from '../../src/cache/repositories/repositories.ts'
import type { RepositoryOptions } from '../../src/cache/repositories/repository-rule.ts'
import { ConfigError, RepositoryMismatchError } from '../../src/errors.ts'
import { memoryShelf } from './memory-shelf.ts'

interface Track {
  id: string
  name: string
}

const options: Record<string, RepositoryOptions> = {
  tracks: {
    match: '/v1/tracks/:id',
    key: ['id', 'market'],
    ttl: 60,
    name: (track) => (track as Track).name,
  },
  lyrics: {
    match: '/v1/lyrics/:id',
    key: ['id'],
    ttl: 60,
    payload: text() as never,
  },
  searches: {
    match: '/v1/search',
    key: ['q'],
    ttl: 10,
    keyOf: (request) => {
      const q = new URL(request.url).searchParams.get('q')
      return q ? q.toLowerCase() : undefined
    },
  },
}

const track = (id: string): Track => ({ id, name: `Track ${id}` })
const request = (path: string, init?: RequestInit) =>
  new Request(`https://api.example/v1/${path}`, init)

function create() {
  const { shelf, items } = memoryShelf()
  return { repositories: new Repositories(compileRepositories(options), shelf), items, shelf }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a repository', () => {
  test('gives back what was saved, one and many, in the order in which they are asked for', async () => {
    const tracks = create().repositories.get<Track>('tracks')
    expect(await tracks.save({ id: 'a' }, track('a'))).toBe(true)
    expect(
      await tracks.saveMany([
        [{ id: 'b' }, track('b')],
        [{ id: 'b', market: 'SE' }, track('b in Sweden')],
      ]),
    ).toEqual([true, true])
    expect(await tracks.get({ id: 'a' })).toEqual(track('a'))
    expect(
      await tracks.getMany([
        { id: 'b', market: 'SE' },
        { id: 'x' },
        { id: 'a' },
        { id: 'b' },
        { id: 'a' },
      ]),
    ).toEqual([track('b in Sweden'), undefined, track('a'), track('b'), track('a')])
    expect(await tracks.deleteMany([{ id: 'x' }, { id: 'a' }])).toEqual([false, true])
    expect(await tracks.delete({ id: 'a' })).toBe(false)
    expect(await tracks.contains({ id: 'a' })).toBe(false)
    expect(await tracks.contains({ id: 'b' })).toBe(true)
  })

  test('takes the value where a key has one field, and refuses keys that are none', async () => {
    const { repositories } = create()
    const lyrics = repositories.get<string>('lyrics')
    await lyrics.save('a', 'la la')
    expect(await lyrics.get({ id: 'a' })).toBe('la la')
    const tracks = repositories.get('tracks')
    for (const key of ['a', {}, { market: 'SE' }, { id: '' }, { id: 'a', country: 'SE' }]) {
      await expect(tracks.get(key as never)).rejects.toThrow(RangeError)
    }
  })

  test('counts, lists and clears what is fresh and what has expired', async () => {
    const { repositories } = create()
    const tracks = repositories.get<Track>('tracks')
    await tracks.save({ id: 'old' }, track('old'))
    await repositories.get('lyrics').save('old', 'la la')
    vi.setSystemTime(Date.now() + 61_000)
    await tracks.save({ id: 'new', market: 'SE' }, track('new'))
    expect(await tracks.get({ id: 'old' })).toBeUndefined()
    expect(await tracks.contains({ id: 'old' })).toBe(false)
    expect(await tracks.count()).toBe(2)
    expect(await tracks.count({ expired: true })).toBe(1)
    expect(await tracks.count({ expired: false })).toBe(1)
    const listed = []
    for await (const { key, name, storedAt, freshUntil, payload } of tracks) {
      listed.push({ key, name, lives: freshUntil - storedAt, payload: await payload() })
    }
    expect(listed).toEqual([
      { key: { id: 'old' }, name: 'Track old', lives: 60_000, payload: track('old') },
      { key: { id: 'new', market: 'SE' }, name: 'Track new', lives: 60_000, payload: track('new') },
    ])
    expect(await tracks.clear({ expiredOnly: true })).toBe(1)
    expect(await tracks.count()).toBe(1)
    expect(await tracks.clear()).toBe(1)
    expect(await tracks.count()).toBe(0)
    expect(await repositories.get('lyrics').count()).toBe(1)
  })

  test('what is stored and no payload is not there', async () => {
    const { repositories, shelf } = create()
    const response = new Response('{"cut')
    await shelf.keep('tracks', [{ key: ['a', undefined], name: undefined, response, ttl: 60 }])
    expect(await repositories.get('tracks').get({ id: 'a' })).toBeUndefined()
  })
})

describe('the repository of a request', () => {
  const rules = compileRepositories(options)
  test.each<[string, string, ReadonlyArray<string | undefined>]>([
    ['tracks/a', 'tracks', ['a', undefined]],
    ['tracks/a?market=SE', 'tracks', ['a', 'SE']],
    ['tracks/a#part', 'tracks', ['a', undefined]],
    ['tracks/a%2Fb', 'tracks', ['a/b', undefined]],
    ['lyrics/%61', 'lyrics', ['a']],
    ['search?q=Abba&limit=5', 'searches', ['abba']],
  ])('%s is in %s', (path, name, key) => {
    const place = placeOf(rules, request(path))
    expect(place?.rule.name).toBe(name)
    expect(place?.key).toEqual(key)
  })

  test.each([
    'tracks/a?fields=name',
    'tracks/a?market=SE&market=DE',
    'tracks/a?id=b',
    'tracks/%FF',
    'tracks/a/b',
    'tracks',
    'search?limit=5',
  ])('%s is in none: it may have another answer', (path) => {
    expect(placeOf(rules, request(path))).toBeUndefined()
  })

  test('is none for what changes something', () => {
    expect(placeOf(rules, request('tracks/a', { method: 'DELETE' }))).toBeUndefined()
    expect(placeOf(rules, request('tracks/a', { method: 'HEAD' }))).toBeDefined()
  })
})

describe('the repositories of a cache', () => {
  test('are iterated over, and found by name and by request', () => {
    const { repositories } = create()
    expect([...repositories].map(({ name }) => name)).toEqual(['tracks', 'lyrics', 'searches'])
    expect(repositories.of(request('lyrics/a'))?.name).toBe('lyrics')
    expect(repositories.of(request('me'))).toBeUndefined()
    expect(() => repositories.get('albums')).toThrow(/tracks, lyrics, searches/)
  })

  test('take many requests of one of them', async () => {
    const { repositories } = create()
    const requests = ['a', 'b'].map((id) => request(`tracks/${id}?market=SE`))
    expect(await repositories.saveMany(requests.map((one) => [one, track(one.url)]))).toEqual([
      true,
      true,
    ])
    expect(await repositories.getMany(requests)).toEqual(requests.map(({ url }) => track(url)))
    expect(await repositories.get('tracks').contains({ id: 'a', market: 'SE' })).toBe(true)
    expect(await repositories.deleteMany(requests)).toEqual([true, true])
    expect(await repositories.getMany([])).toEqual([])
  })

  test('refuse many of several of them, or of none, and do nothing', async () => {
    const { repositories, items } = create()
    const mixed = [request('tracks/a'), request('lyrics/a')]
    const calls = [
      () => repositories.saveMany(mixed.map((one) => [one, 'x'] as const)),
      () => repositories.getMany(mixed),
      () => repositories.deleteMany(mixed),
      () => repositories.deleteMany([request('tracks/a'), request('me')]),
      () => repositories.deleteMany([request('me')]),
    ]
    for (const call of calls) await expect(call()).rejects.toThrow(RepositoryMismatchError)
    await expect(calls[0]!()).rejects.toMatchObject({
      code: 'repository_mismatch',
      repositories: ['tracks', 'lyrics'],
    })
    expect(items.size).toBe(0)
  })

  test.each<[string, Partial<RepositoryOptions>]>([
    ['tracks', { match: 'tracks' }],
    ['tracks', { ttl: 0 }],
    ['tracks', { ttl: Number.NaN }],
    ['tracks', { key: [] }],
    ['tracks', { key: ['id', 'id'] }],
    ['a:b', {}],
    ['tracks', { batch: { match: 'x', param: 'ids', max: 50 } }],
    ['tracks', { batch: { match: '/x', param: 'ids', max: 0 } }],
    ['tracks', { batch: { match: '/x', param: 'ids', max: 5 }, payload: text() as never }],
  ])('a rule that cannot be is refused (%s, %j)', (name, change) => {
    const rule = { ...options['tracks']!, ...change }
    expect(() => compileRepositories({ [name]: rule })).toThrow(ConfigError)
  })
})

describe('cachedResponse()', () => {
  test('is a response as if it had come from the network', async () => {
    const response = cachedResponse(request('tracks/a#part'), track('a'), {
      headers: { 'cache-control': 'max-age=60' },
    })
    expect(response.url).toBe('https://api.example/v1/tracks/a')
    expect(response.ok).toBe(true)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('cache-control')).toBe('max-age=60')
    expect(Date.parse(response.headers.get('date') ?? '')).toBeGreaterThan(Date.now() - 2_000)
    expect(await response.json()).toEqual(track('a'))
  })

  test.each([
    ['la la', 'text/plain;charset=utf-8', 'la la'],
    [new Uint8Array([104, 105]), 'application/octet-stream', 'hi'],
    [null, 'application/json', 'null'],
    [undefined, 'application/json', 'null'],
  ])('takes %j as %s', async (payload, type, body) => {
    const response = cachedResponse('https://api.example/x', payload, { status: 201 })
    expect(response.status).toBe(201)
    expect(response.headers.get('content-type')).toBe(type)
    expect(await response.text()).toBe(body)
  })
})
