import { describe, expect, test } from 'vitest'
import { cachedFetch } from '../../src/cache/index.ts'
import { UnexpectedResponseError, UpstreamError } from '../../src/errors.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store, StoredValue } from '../../src/stores/store.ts'
import { answering, cacheBefore } from './cache-caller.ts'

const url = 'https://api.example/v1/items'
const fresh = { 'cache-control': 'max-age=60', 'content-type': 'application/json' }

/** A store outside the process, which gives other bytes while `forge` says so. */
function outside(): { store: Store; forged: { forge?: (found: StoredValue) => void } } {
  const inner = memoryStore()
  const forged: { forge?: (found: StoredValue) => void } = {}
  const read = async (key: string) => {
    const found = await inner.get(key)
    if (found && key.includes(':response:')) forged.forge?.(found)
    return found
  }
  const store = new Proxy(inner, {
    get(target, name: keyof Store) {
      if (name === 'reach') return 'cluster'
      if (name === 'atHand' || name === 'notices') return undefined
      if (name === 'get') return read
      if (name === 'getMany') return (keys: string[]) => Promise.all(keys.map(read))
      const value = target[name]
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  return { store, forged }
}

describe('the reply of a hit', () => {
  test.each([
    ['text', '{"n":1}'],
    ['text beyond Latin-1, with a byte order mark', '\uFEFF{"näme":"日本語 🎧"}'],
    ['bytes that are no text', new Uint8Array([0xff, 0xfe, 0, 0x80, 0xc3])],
    ['nothing', ''],
  ])('is the caller’s own, whatever it does with %s', async (_, body) => {
    const headers = { 'cache-control': 'max-age=60', 'content-type': 'text/plain', etag: '"1"' }
    const cached = cachedFetch(async () => new Response(body, { headers }))
    const first = await (await cached(url)).arrayBuffer()
    for (let time = 0; time < 3; time += 1) {
      const reply = await cached(url)
      expect(reply.headers.get('cache-status')).toMatch(/^behalf; hit/)
      expect(reply.headers.get('etag')).toBe('"1"')
      reply.headers.set('etag', 'changed')
      const bytes = new Uint8Array(await reply.arrayBuffer())
      expect(bytes).toEqual(new Uint8Array(first))
      bytes.fill(0)
    }
  })

  test('has all that a reply of fetch has', async () => {
    const type = 'application/x-www-form-urlencoded'
    const headers = { ...fresh, 'content-type': type }
    const cached = cachedFetch(async () => new Response('a=1', { headers }))
    await cached(url)
    const reply = await cached(url)
    expect(reply).toBeInstanceOf(Response)
    expect(reply).toMatchObject({ url, status: 200, ok: true, bodyUsed: false })
    const copy = reply.clone()
    expect(copy).toMatchObject({ url, status: 200 })
    expect([...copy.headers]).toEqual([...reply.headers])
    expect((await copy.blob()).type).toBe(type)
    expect(reply.bodyUsed).toBe(false)
    expect((await reply.formData()).get('a')).toBe('1')
    expect(reply.bodyUsed).toBe(true)
    await expect(reply.text()).rejects.toThrow(TypeError)
    const passedOn = new Response(null, await cached(url))
    expect(passedOn.headers.get('content-type')).toBe(type)
  })

  test('has no type where the reply had none', async () => {
    const cached = cachedFetch(
      async () => new Response(Buffer.from('text'), { headers: { 'cache-control': 'max-age=60' } }),
    )
    await cached(url)
    const reply = await cached(url)
    expect(reply.headers.has('content-type')).toBe(false)
    expect((await reply.blob()).type).toBe('')
  })
})

describe('json()', () => {
  test('gives each caller an object of its own, of what came and of what is stored', async () => {
    const body = { list: [1, { name: 'ä日' }] }
    const upstream = { calls: 0 }
    const cached = cachedFetch(async () => {
      upstream.calls += 1
      return Response.json(body, { headers: fresh })
    })
    for (let time = 0; time < 3; time += 1) {
      const found = await cached.json<typeof body>(url)
      expect(found).toEqual(body)
      found.list.length = 0
    }
    expect(upstream.calls).toBe(1)
    expect(cached.cache.stats()).toMatchObject({ hits: 2, misses: 1 })
  })

  test.each(['miss', 'hit'])('throws for what is no success and no JSON: a %s', async (kind) => {
    const at = async (reply: () => Response) => {
      const cached = cachedFetch(async () => reply(), {
        rules: [{ match: '/*', ttl: 60, negative: { 404: 60 } }],
      })
      if (kind === 'hit') await cached(`${url}?secret=1`)
      const outcome = await cached.json(`${url}?secret=1`).catch((error: unknown) => error)
      expect(cached.cache.stats().hits).toBe(kind === 'hit' ? 1 : 0)
      return outcome
    }
    const missing = await at(() => Response.json({ error: 'gone' }, { status: 404 }))
    expect(missing).toBeInstanceOf(UpstreamError)
    expect(missing).toMatchObject({ status: 404, body: { error: 'gone' }, provider: 'api.example' })
    expect(String(missing)).not.toContain('secret')
    const headers = { 'content-type': 'text/html' }
    const page = await at(() => new Response('<html>', { headers }))
    expect(page).toBeInstanceOf(UnexpectedResponseError)
    expect(String(page)).not.toContain('secret')
    expect(await at(() => new Response('', { headers }))).toBeUndefined()
  })

  test('reads what begins with a byte order mark, as fetch does', async () => {
    const headers = { ...fresh, 'content-type': 'text/plain' }
    const cached = cachedFetch(async () => new Response('\uFEFF{"n":1}', { headers }))
    for (let time = 0; time < 2; time += 1) expect(await cached.json(url)).toEqual({ n: 1 })
    expect(cached.cache.stats().hits).toBe(1)
    const text = await (await cached(url)).arrayBuffer()
    expect(text.byteLength).toBe(10)
  })

  test('tells of hits and misses, as a call does', async () => {
    const told: string[] = []
    const cached = cachedFetch(async () => Response.json({}, { headers: fresh }), {
      onEvent: ({ type }) => told.push(type),
    })
    await cached.json(url)
    await cached.json(url)
    expect(told).toEqual(['cache_miss', 'cache_hit'])
  })
})

describe('what was opened before', () => {
  test.each([true, false])(
    'CA-05 is good for the very bytes that it was in, whatever version the store calls them (sealed: %s)',
    async (isSealed) => {
      const { store, forged } = outside()
      const secret = isSealed ? 's'.repeat(32) : undefined
      const upstream = { calls: 0 }
      const fetch = async () => {
        upstream.calls += 1
        return Response.json({ n: 1 }, { headers: fresh })
      }
      const cached = cachedFetch(fetch, { store, secret, ...(isSealed && { partition: 'ada' }) })
      await cached.json(url)
      await cached.json(url)
      await cached.json(url)
      expect(upstream.calls).toBe(1)
      for (const at of [-1, -3, 20, 0]) {
        forged.forge = ({ value }) => {
          const index = at < 0 ? value.length + at : at
          value[index]! ^= 1
        }
        const before = upstream.calls
        expect(await cached.json(url)).toEqual({ n: 1 })
        expect(upstream.calls).toBe(before + 1)
      }
      delete forged.forge
      const before = upstream.calls
      expect(await cached.json(url)).toEqual({ n: 1 })
      expect(upstream.calls).toBe(before)
    },
  )

  test('is not served after a change that another cache made in the same memory', async () => {
    const store = memoryStore()
    const rules = [{ match: '/*', ttl: 60, tags: ['items'] }]
    const one = cacheBefore(answering(fresh), { store, rules })
    const other = cacheBefore(answering(fresh), { store, rules })
    await one.statusOf()
    expect(await one.statusOf()).toMatch(/^hit/)
    await other.cache.delete({ tags: ['items'], soft: true })
    expect(await one.statusOf()).toMatch(/^fwd=stale/)
    expect(await one.statusOf()).toMatch(/^hit/)
    await other.cache.delete({ tags: ['items'] })
    expect(await one.statusOf()).toMatch(/^fwd=uri-miss/)
    expect(await one.statusOf()).toMatch(/^hit/)
    await other.cache.clear()
    expect(await one.statusOf()).toMatch(/^fwd=uri-miss/)
  })
})
