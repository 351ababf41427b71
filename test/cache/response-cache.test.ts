import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { deltaSeconds, parseCacheControl } from '../../src/cache/http/cache-control.ts'
import { grantPartition, type Partition, responseKey } from '../../src/cache/stored/partition.ts'
import type { CacheMode } from '../../src/cache/request.ts'
import { ResponseCache } from '../../src/cache/response-cache.ts'
import type { ResponseCacheOptions } from '../../src/cache/response-cache-options.ts'
import { forwardedRequest } from '../../src/cache/upstream/forwarding.ts'
import { compileRules } from '../../src/cache/rules/rules.ts'
import { decodeEntry, encodeEntry } from '../../src/cache/stored/stored-entry.ts'
import { responseCache } from '../../src/cache/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { hostileRows } from '../hostile.ts'

const folder = mkdtempSync(join(tmpdir(), 'behalf-cache-'))
afterAll(() => rmSync(folder, { recursive: true }))

const url = 'https://api.example/v1/me'
const partitionOf = (user: string, provider = 'p') =>
  grantPartition(provider, user, Buffer.alloc(32, user))
const [ada, grace] = [partitionOf('ada'), partitionOf('grace')]

interface Call {
  partition?: Partition
  mode?: CacheMode
  request?: Request
}

/** A cache before an upstream that answers with `reply`, and counts. */
function cacheBefore(reply: (request: Request) => Response, options: ResponseCacheOptions = {}) {
  const cache = new ResponseCache({ store: memoryStore(), rules: { '/v1/*': 60 }, ...options })
  const upstream = { calls: 0 }
  const call = async ({
    partition = ada,
    mode = 'default',
    request = new Request(url),
  }: Call = {}) => {
    const response = await cache.fetch(request, {
      partition: async () => partition,
      mode,
      rules: compileRules(undefined),
      authorized: true,
      forward: async (forwarding) => {
        upstream.calls += 1
        return reply(forwardedRequest(request, forwarding))
      },
    })
    return { response, status: response.headers.get('cache-status')!, text: await response.text() }
  }
  return { cache, upstream, call }
}

const ok =
  (headers: Record<string, string> = {}) =>
  () =>
    new Response('{"n":1}', { headers })

describe('the flow', () => {
  test('stores what a rule covers and reuses it while it is fresh', async () => {
    const { call, upstream, cache } = cacheBefore(ok({ 'x-kept': 'yes' }))
    expect((await call()).status).toBe('behalf; fwd=uri-miss; fwd-status=200; stored')
    const second = await call()
    expect(second.status).toBe('behalf; hit; ttl=60')
    expect(second.text).toBe('{"n":1}')
    expect(second.response.headers.get('x-kept')).toBe('yes')
    expect(second.response.headers.get('age')).toBe('0')
    expect(second.response.url).toBe(url)
    expect(upstream.calls).toBe(1)
    expect(cache.stats()).toEqual({ hits: 1, misses: 1, bypassed: 0, stored: 1, collapsed: 0 })
  })

  test('goes upstream again when the ttl is over', async () => {
    const { call, upstream } = cacheBefore(ok(), { rules: { '/v1/*': 0.05 } })
    await call()
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect((await call()).status).toContain('fwd=')
    expect(upstream.calls).toBe(2)
  })

  test('tells Age and the rest of the freshness', async () => {
    const { call } = cacheBefore(ok())
    await call()
    const now = Date.now
    const later = now() + 20_500
    Date.now = () => later
    try {
      const { response, status } = await call()
      expect(response.headers.get('age')).toBe('20')
      expect(status).toBe('behalf; hit; ttl=40')
    } finally {
      Date.now = now
    }
  })

  test.each([
    ['no rule', {}, { rules: { '/other': 60 } }, 'fwd=bypass; fwd-status=200; detail=no-rule'],
    [
      'ttl 0',
      {},
      { rules: { '/v1/me': 0, '/v1/*': 60 } },
      'fwd=bypass; fwd-status=200; detail=no-rule',
    ],
    ['mode no-store', { mode: 'no-store' }, {}, 'fwd=request; fwd-status=200'],
    [
      'a range',
      { request: new Request(url, { headers: { range: 'bytes=0-1' } }) },
      {},
      'fwd=request; fwd-status=200',
    ],
    [
      'request no-store',
      { request: new Request(url, { headers: { 'cache-control': 'no-store' } }) },
      {},
      'fwd=request; fwd-status=200',
    ],
    ['POST', { request: new Request(url, { method: 'POST' }) }, {}, 'fwd=method; fwd-status=200'],
  ] as Array<[string, Call, ResponseCacheOptions, string]>)(
    '%s passes by',
    async (_name, how, options, status) => {
      const { call, upstream } = cacheBefore(ok(), options)
      expect((await call(how)).status).toBe(`behalf; ${status}`)
      expect((await call(how)).status).toBe(`behalf; ${status}`)
      expect(upstream.calls).toBe(2)
    },
  )

  test.each([
    ['CR-01 no-store', { 'cache-control': 'no-store' }, 200],
    ['no-store in capitals', { 'cache-control': 'No-Store' }, 200],
    ['no-cache', { 'cache-control': 'no-cache' }, 200],
    ['CR-09 a negative max-age', { 'cache-control': 'max-age=-1' }, 200],
    ['CR-13 two max-ages', { 'cache-control': 'max-age=60, max-age=600' }, 200],
    ['CA-04 Vary: *', { vary: '*' }, 200],
    ['a Vary that is no list of names', { vary: 'accept;q=1' }, 200],
    ['a reply that has aged beyond its life', { 'cache-control': 'max-age=5', age: '5' }, 200],
    ['CR-17 401', {}, 401],
    ['403', {}, 403],
    ['404', {}, 404],
    ['429', { 'retry-after': '1' }, 429],
    ['500', { 'cache-control': 'max-age=60' }, 500],
    ['CR-16 206', { 'content-range': 'bytes 0-0/10' }, 206],
  ] as Array<[string, Record<string, string>, number]>)(
    '%s is not stored',
    async (_name, headers, status) => {
      const { call, upstream } = cacheBefore(() => new Response('x', { status, headers }))
      expect((await call()).status).not.toContain('stored')
      expect((await call()).status).toContain('fwd=uri-miss')
      expect(upstream.calls).toBe(2)
    },
  )

  test('a freshness lifetime shortens the rule, useless headers do not defeat it', async () => {
    const short = cacheBefore(ok({ 'cache-control': 'max-age=5' }))
    await short.call()
    expect((await short.call()).status).toBe('behalf; hit; ttl=5')
    const aged = cacheBefore(ok({ 'cache-control': 'max-age=50', age: '20' }))
    await aged.call()
    expect((await aged.call()).status).toBe('behalf; hit; ttl=30')
    const useless = cacheBefore(ok({ 'cache-control': 'private, max-age=0' }))
    await useless.call()
    expect((await useless.call()).status).toBe('behalf; hit; ttl=60')
  })

  test('CA-06 CR-08 Set-Cookie and hop-by-hop fields are not replayed', async () => {
    const { call } = cacheBefore(
      ok({ 'set-cookie': 'sid=SECRET', connection: 'close', 'content-encoding': 'gzip' }),
    )
    await call()
    const { response } = await call()
    for (const name of ['set-cookie', 'connection', 'content-encoding', 'content-length']) {
      expect(response.headers.get(name)).toBeNull()
    }
  })

  test('KY-14 Vary selects; Authorization and Cookie are answered for by the partition', async () => {
    const { call, upstream } = cacheBefore(
      (request) =>
        new Response(request.headers.get('accept-language'), {
          headers: { vary: 'Accept-Language, Authorization' },
        }),
    )
    const inLanguage = (language: string, token: string) =>
      call({
        request: new Request(url, {
          headers: { 'accept-language': language, authorization: token },
        }),
      })
    expect((await inLanguage('de', 'one')).text).toBe('de')
    expect((await inLanguage('de', 'two')).status).toContain('hit')
    expect((await inLanguage('en', 'one')).text).toBe('en')
    expect(upstream.calls).toBe(2)
  })

  test('reload asks upstream and stores, only-if-cached never asks', async () => {
    const { call, upstream } = cacheBefore(ok())
    expect((await call({ mode: 'only-if-cached' })).response.status).toBe(504)
    expect(upstream.calls).toBe(0)
    await call()
    expect((await call({ mode: 'reload' })).status).toBe(
      'behalf; fwd=request; fwd-status=200; stored',
    )
    expect((await call({ mode: 'only-if-cached' })).status).toContain('hit')
    expect(upstream.calls).toBe(2)
  })

  test('CA-07 a write that succeeds invalidates what was stored for its URL, one that fails does not', async () => {
    const { call, upstream } = cacheBefore(
      (request) =>
        new Response(null, {
          status: request.method === 'PUT' ? 204 : request.method === 'DELETE' ? 403 : 200,
        }),
    )
    const filled = cacheBefore(ok())
    await filled.call()
    await filled.call({ request: new Request(url, { method: 'DELETE' }) })
    expect((await filled.call()).status).toContain('uri-miss')
    await call()
    expect(upstream.calls).toBe(1)
    const refused = cacheBefore((request) =>
      request.method === 'GET' ? ok()() : new Response(null, { status: 403 }),
    )
    await refused.call()
    await refused.call({ request: new Request(url, { method: 'DELETE' }) })
    expect((await refused.call()).status).toContain('hit')
  })

  test('HEAD is answered from what GET stored', async () => {
    const { call, upstream } = cacheBefore(ok())
    await call()
    const head = await call({ request: new Request(url, { method: 'HEAD' }) })
    expect(head.status).toContain('hit')
    expect(head.text).toBe('')
    expect(upstream.calls).toBe(1)
  })

  test('a body over the limit passes through whole and is not stored', async () => {
    const big = randomBytes(50_000)
    const { call, upstream } = cacheBefore(() => new Response(big), { maxEntryBytes: 10_000 })
    const { cache } = cacheBefore(() => new Response(big), { maxEntryBytes: 10_000 })
    const response = await cache.fetch(new Request(url), {
      partition: async () => ada,
      mode: 'default',
      rules: [],
      authorized: true,
      forward: async () => new Response(big),
    })
    expect(Buffer.from(await response.arrayBuffer()).equals(big)).toBe(true)
    expect((await call()).status).toContain('detail=too-large')
    await call()
    expect(upstream.calls).toBe(2)
  })

  test('binary bodies come back as they were', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
    const cache = new ResponseCache({ store: memoryStore(), rules: { '/*': 60 } })
    const call = {
      partition: async () => ada,
      mode: 'default' as const,
      rules: [],
      authorized: true,
      forward: async () => new Response(bytes),
    }
    for (let round = 0; round < 2; round += 1) {
      const response = await cache.fetch(new Request(url), call)
      expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true)
    }
  })

  test("UP-11 a body that breaks off is the caller's error and is not stored", async () => {
    const { call, upstream } = cacheBefore(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(Buffer.from('{"a":')),
            pull: (controller) => controller.error(new TypeError('terminated')),
          }),
        ),
    )
    await expect(call()).rejects.toThrow('terminated')
    await expect(call()).rejects.toThrow('terminated')
    expect(upstream.calls).toBe(2)
  })
})

describe('a store that fails', () => {
  const failing = (how: () => Promise<never>): Store => ({
    ...({} as Store),
    get: how,
    set: how,
    delete: how,
    compareAndSwap: how,
    compareAndDelete: how,
    close: async () => {},
    reach: 'cluster',
    durable: true,
    maxValueBytes: 1e6,
  })

  test('CA-18 is passed by, also when it hangs', async () => {
    for (const store of [
      failing(() => Promise.reject(new Error('down'))),
      failing(() => new Promise(() => {})),
      failing(() => Promise.reject(new RangeError('redis://user:hush@host'))),
    ]) {
      const { call } = cacheBefore(ok(), { store })
      const startedAt = Date.now()
      expect((await call()).text).toBe('{"n":1}')
      expect(Date.now() - startedAt).toBeLessThan(2_000)
    }
  })

  test('CA-09 what it returns damaged is a miss', async () => {
    const store = memoryStore()
    const { call, upstream } = cacheBefore(ok(), { store })
    await call()
    const key = responseKey('behalf', ada, new Request(url))
    const { value } = (await store.get(key))!
    for (let length = 0; length < value.length; length += 7) {
      await store.set(key, value.subarray(0, Math.min(length, value.length - 8)))
      const { text } = await call()
      expect(text).toBe('{"n":1}')
    }
    for (const row of hostileRows('storeValue').filter(({ input }) => input.raw !== undefined)) {
      await store.set(key, Buffer.from(row.input.raw))
      expect((await call()).text, row.id).toBe('{"n":1}')
    }
    expect(upstream.calls).toBeGreaterThan(10)
  })
})

describe('partitions', () => {
  test('what one user stored, another does not find, and memory and files keep them apart alike', async () => {
    for (const store of [memoryStore(), sqliteStore(join(folder, 'partitions.sqlite'))]) {
      // The file is opened at the first use, and the cache does not wait for that.
      await store.get('a first key')
      const { call, upstream } = cacheBefore(ok(), { store })
      for (const partition of [ada, ada, grace, grace]) await call({ partition })
      expect(upstream.calls).toBe(2)
      await store.close()
    }
  })

  test('CA-08 a value of another key or another grant is a miss', async () => {
    for (const store of [memoryStore(), sqliteStore(join(folder, 'swap.sqlite'))]) {
      const { call } = cacheBefore((request) => new Response(request.url), { store })
      const [one, two] = [new Request(url), new Request(`${url}/two`)]
      await call({ request: one })
      await call({ request: two, partition: grace })
      const [first, second] = [responseKey('behalf', ada, one), responseKey('behalf', grace, two)]
      await store.set(first, (await store.get(second))!.value)
      const { text, status } = await call({ request: one })
      expect(text).toBe(url)
      expect(status).toContain('uri-miss')
      await store.close()
    }
  })

  test("outside memory nothing can be read without the grant's key", async () => {
    const file = join(folder, 'sealed.sqlite')
    const store = sqliteStore(file)
    // The first use loads a driver, which may take longer than a cache waits.
    await store.get('connect')
    const { call } = cacheBefore(() => new Response('a-very-private-reply'), { store })
    await call()
    expect((await call()).status).toContain('hit')
    const files = readdirSync(folder).filter((name) => name.startsWith('sealed.sqlite'))
    const bytes = Buffer.concat(files.map((name) => readFileSync(join(folder, name))))
    expect(bytes.length).toBeGreaterThan(0)
    expect(bytes.includes('a-very-private-reply')).toBe(false)
    expect(bytes.includes('/v1/me')).toBe(false)
    await store.close()
  })

  test.each(
    hostileRows('cacheKey')
      .filter(({ input }) => input.a.vary === undefined)
      .map((row) => [row.id, row.expect.note ?? '', row] as const),
  )('%s CA-01 keys: %s', (_id, _note, row) => {
    const key = Buffer.alloc(32)
    const keyOf = ({ user, url: path, provider = 'p', method = 'GET' }: Record<string, string>) =>
      responseKey(
        'behalf',
        grantPartition(provider, user!, key),
        new Request(new URL(path!, 'https://api.example'), { method }),
      )
    expect(keyOf(row.input.a) === keyOf(row.input.b)).toBe(row.expect.outcome === 'same')
  })

  test('CA-01 keys are injective in user and URL', () => {
    const text = fc.string({
      unit: fc.constantFrom(...'ab:/?&=%|"\\,[]'.split('')),
      minLength: 1,
      maxLength: 6,
    })
    fc.assert(
      fc.property(text, text, text, text, (u1, p1, u2, p2) => {
        const key = (user: string, path: string) =>
          responseKey(
            'behalf',
            grantPartition('p', user, Buffer.alloc(32)),
            new Request(`https://a.example/${encodeURIComponent(path)}`),
          )
        expect(key(u1, p1) === key(u2, p2)).toBe(u1 === u2 && p1 === p2)
      }),
    )
  })
})

describe('parsing', () => {
  test('Cache-Control never throws, reads names in any case and commas within quotes', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseCacheControl(text)))
    const parsed = parseCacheControl('MAX-AGE=10, private="set-cookie, x", no-transform')
    expect(Object.fromEntries(parsed)).toEqual({
      'max-age': '10',
      private: 'set-cookie, x',
      'no-transform': true,
    })
    expect(deltaSeconds(parseCacheControl('max-age="7"'), 'max-age')).toBe(7)
    expect(deltaSeconds(parseCacheControl('max-age=1.5'), 'max-age')).toBe(0)
    expect(deltaSeconds(parseCacheControl(''), 'max-age')).toBeUndefined()
  })

  test('HD-15 a header of any length is read in time', () => {
    const startedAt = performance.now()
    parseCacheControl(`max-age=${'0'.repeat(65_000)}`)
    parseCacheControl('a'.repeat(65_000) + '="'.repeat(10_000))
    expect(performance.now() - startedAt).toBeLessThan(500)
  })

  test('a stored response is what was encoded, and no other bytes decode', () => {
    const seconds = fc.double({ min: 0, max: 2 ** 31, noNaN: true })
    const response = fc.record({
      status: fc.integer({ min: 200, max: 599 }),
      headers: fc.array(fc.tuple(fc.string(), fc.string())),
      variant: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
      tags: fc.array(fc.string()),
      marks: fc.array(fc.tuple(fc.string(), fc.string())),
      url: fc.string(),
      receivedAt: fc.nat(),
      initialAge: seconds,
      lifetime: seconds,
      staleWhileRevalidate: seconds,
      staleIfError: seconds,
      revalidation: fc.constantFrom('always' as const, 'when-stale' as const, 'optional' as const),
      body: fc.uint8Array(),
    })
    const entry = fc.array(response, { minLength: 1, maxLength: 16 })
    fc.assert(
      fc.property(fc.string(), entry, (key, stored) => {
        const encoded = encodeEntry(key, stored)
        const decoded = decodeEntry(key, encoded)!
        const plain = (some: typeof decoded) =>
          some.map(({ body, ...about }) => [
            JSON.parse(JSON.stringify(about)),
            Buffer.from(body).toString('hex'),
          ])
        expect(plain(decoded)).toEqual(plain(stored))
        expect(decodeEntry(`${key}!`, encoded)).toBeUndefined()
        expect(decodeEntry(key, encoded.subarray(0, -1))).toBeUndefined()
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(decodeEntry('k', bytes)).toBeUndefined()
      }),
    )
  })
})

test('a rule that cannot be read is refused with its name', () => {
  expect(() => responseCache({ rules: { '/v1/:(': 60 } })).toThrow(/'\/v1\/:\('/)
  expect(() => responseCache({ rules: [{ match: '/x', ttl: -1 }] })).toThrow(/ttl/)
  expect(() => responseCache({ rules: { 'no slash': 1 } })).toThrow(/begin it with/)
})

test('as middleware it puts itself on the request', () => {
  const cache = responseCache()
  const req = {}
  const next = vi.fn()
  cache(req, {}, next)
  expect(req).toEqual({ responseCache: cache.engine })
  expect(next).toHaveBeenCalledOnce()
})
