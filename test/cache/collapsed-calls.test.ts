import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { cachedFetch, type CachedFetchInit } from '../../src/cache/index.ts'
import { createStore } from '../../src/stores/create-store.ts'
import { cacheBefore } from './cache-caller.ts'

const rules = { '/*': 60 }

/** Upstream answers when it is let. */
function gate() {
  let open!: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, opened }
}

/** A `fetch` that numbers its replies, once the gate is open; it ends with its signal. */
function upstream(reply = (calls: number) => new Response(`reply ${calls}`)) {
  const { open, opened } = gate()
  const seen: Request[] = []
  const fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init)
    const calls = seen.push(request)
    const { signal } = init ?? {}
    await new Promise<void>((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason))
      void opened.then(resolve)
    })
    return reply(calls)
  }
  return { open, seen, fetch }
}

const settled = async () => {
  for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
}
const url = 'https://api.example/cold'
const textOf = async (reply: Promise<Response>) => (await reply).text()

describe('CA-15 calls for one cold key at the same time', () => {
  test('are one upstream call for 1,000 callers, each with a reply of its own', async () => {
    const { open, seen, fetch } = upstream()
    const cached = cachedFetch(fetch, { rules })
    const all = Array.from({ length: 1_000 }, () => cached(url))
    await settled()
    open()
    const replies = await Promise.all(all)
    expect(seen).toHaveLength(1)
    const texts = await Promise.all(replies.map((reply) => reply.text()))
    expect(new Set(texts)).toEqual(new Set(['reply 1']))
    const told = replies.map((reply) => reply.headers.get('cache-status'))
    const plain = 'behalf; fwd=uri-miss; fwd-status=200; stored'
    expect(told.filter((one) => one === plain)).toHaveLength(1)
    expect(told.filter((one) => one === `${plain}; collapsed`)).toHaveLength(999)
    expect(cached.cache.stats()).toMatchObject({ misses: 1_000, stored: 1, collapsed: 999 })
  })

  test('are all answered when the first caller aborts, whose call goes on', async () => {
    const { open, seen, fetch } = upstream()
    const cached = cachedFetch(fetch, { rules })
    const first = new AbortController()
    const left = cached(url, { signal: first.signal })
    const others = [1, 2, 3].map(() => cached(url))
    await settled()
    first.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    open()
    expect(await Promise.all(others.map(textOf))).toEqual(['reply 1', 'reply 1', 'reply 1'])
    expect(seen).toHaveLength(1)
  })

  test('end with the last caller who aborts', async () => {
    const { seen, fetch } = upstream()
    const ended: unknown[] = []
    const watched = (input: string | URL | Request, init?: RequestInit) => {
      init?.signal?.addEventListener('abort', () => ended.push(init.signal!.reason))
      return fetch(input, init)
    }
    const cached = cachedFetch(watched, { rules })
    const callers = [new AbortController(), new AbortController()]
    const all = callers.map(({ signal }) => cached(url, { signal }))
    await settled()
    for (const caller of callers) caller.abort('gone')
    for (const one of all) await expect(one).rejects.toBe('gone')
    expect(ended).toEqual(['gone'])
    expect(seen).toHaveLength(1)
  })

  test('of two users are two', async () => {
    const { fetch, seen } = cacheBefore((_, calls) => new Response(`reply ${calls}`), { rules })
    const all = ['ada', 'grace', 'ada'].map((user) => fetch(undefined, { user }))
    expect(await Promise.all(all.map(textOf))).toEqual(['reply 1', 'reply 2', 'reply 1'])
    expect(seen).toHaveLength(2)
  })

  test('of several variants are one for each, and nobody gets another language', async () => {
    const { fetch, seen, statusOf } = cacheBefore(
      (request) =>
        new Response(request.headers.get('accept-language'), {
          headers: { vary: 'accept-language' },
        }),
      { rules },
    )
    const languages = ['en', 'de', 'en', 'de', 'fr', 'de']
    const inLanguage = (language: string) => ({ headers: { 'accept-language': language } })
    const all = languages.map((language) => fetch(undefined, {}, inLanguage(language)))
    expect(await Promise.all(all.map(textOf))).toEqual(languages)
    expect(seen).toHaveLength(3)
    expect(await statusOf(undefined, {}, inLanguage('en'))).toBe('hit; ttl=60')
  })

  test('whose reply must not be stored are a call each', async () => {
    const reply = (_: Request, calls: number) =>
      new Response(`reply ${calls}`, { headers: { 'cache-control': 'no-store' } })
    const { fetch, seen } = cacheBefore(reply, { rules })
    const all = [1, 2, 3].map(() => fetch())
    expect((await Promise.all(all.map(textOf))).toSorted()).toEqual([
      'reply 1',
      'reply 2',
      'reply 3',
    ])
    expect(seen).toHaveLength(3)
  })

  test.each<[string, CachedFetchInit]>([
    ['reload', { cache: 'reload' }],
    ['no-cache', { cache: 'no-cache' }],
    ['Cache-Control', { headers: { 'cache-control': 'max-age=5' } }],
    ['If-None-Match', { headers: { 'if-none-match': '"a"' } }],
  ])('are made each where the caller asks in a way of its own: %s', async (_name, init) => {
    const { open, seen, fetch } = upstream()
    const cached = cachedFetch(fetch, { rules })
    const all = [cached(url), cached(url, init), cached(url, init)]
    await settled()
    open()
    await Promise.all(all)
    expect(seen).toHaveLength(3)
  })

  test('are made each with collapse: false', async () => {
    const { open, seen, fetch } = upstream()
    const cached = cachedFetch(fetch, { rules, collapse: false })
    const all = [1, 2, 3].map(() => cached(url))
    await settled()
    open()
    expect((await Promise.all(all.map(textOf))).toSorted()).toEqual([
      'reply 1',
      'reply 2',
      'reply 3',
    ])
    expect(seen).toHaveLength(3)
  })

  test('that validate something stale ask once, and share the 304', async () => {
    const reply = (calls: number) =>
      calls === 1
        ? new Response('body', { headers: { etag: '"a"', 'cache-control': 'max-age=0' } })
        : new Response(null, {
            status: 304,
            headers: { etag: '"a"', 'cache-control': 'max-age=60' },
          })
    const { open, seen, fetch } = upstream(reply)
    open()
    const cached = cachedFetch(fetch)
    await cached(url)
    const all = [1, 2, 3].map(() => cached(url))
    expect(await Promise.all(all.map(textOf))).toEqual(['body', 'body', 'body'])
    expect(seen).toHaveLength(2)
  })

  test('that validate something which must no longer be stored ask each', async () => {
    const reply = (calls: number) =>
      calls === 1
        ? new Response('body', { headers: { etag: '"a"', 'cache-control': 'max-age=0' } })
        : new Response(null, {
            status: 304,
            headers: { etag: '"a"', 'cache-control': 'no-store' },
          })
    const { open, seen, fetch } = upstream(reply)
    open()
    const cached = cachedFetch(fetch)
    await cached(url)
    const all = [1, 2, 3].map(() => cached(url))
    expect(await Promise.all(all.map(textOf))).toEqual(['body', 'body', 'body'])
    expect(seen).toHaveLength(4)
  })

  test('fail together, and the next one is made again', async () => {
    let calls = 0
    const fetch = async () => {
      calls += 1
      await settled()
      if (calls === 1) throw new TypeError('fetch failed')
      return new Response('works')
    }
    const cached = cachedFetch(fetch, { rules })
    const all = await Promise.allSettled([1, 2, 3].map(() => cached(url)))
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    expect(await textOf(cached(url))).toBe('works')
    expect(calls).toBe(2)
  })
})

describe('CA-15 CA-12 CVE-2026-2581 a reply of many megabytes', () => {
  test('is whole for each of those who wait for it, and held once', async () => {
    const bytes = new Uint8Array(4_000_000).fill(7)
    const { open, seen, fetch } = upstream(() => new Response(bytes))
    const cached = cachedFetch(fetch, { rules })
    const all = Array.from({ length: 100 }, () => cached(url))
    await settled()
    const before = process.memoryUsage().arrayBuffers
    open()
    const replies = await Promise.all(all)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(100_000_000)
    expect(seen).toHaveLength(1)
    for (const reply of [replies[0]!, replies[99]!]) {
      expect(Buffer.compare(new Uint8Array(await reply.arrayBuffer()), bytes)).toBe(0)
    }
  })

  test('beyond the limit is not shared, and its first caller has all of it', async () => {
    const { open, fetch } = upstream((calls) => new Response(`${calls} ${'x'.repeat(2_000)}`))
    const cached = cachedFetch(fetch, { rules, maxEntryBytes: 1_000 })
    const all = [cached(url), cached(url)]
    await settled()
    open()
    const texts = await Promise.all(all.map(textOf))
    expect(texts.map((text) => text.slice(0, 2)).toSorted()).toEqual(['1 ', '2 '])
    expect(texts.every(({ length }) => length === 2_002)).toBe(true)
  })
})

describe('CA-15 two caches over one store with collapse: store', () => {
  const opened: Array<{ close(): Promise<void> }> = []
  const folder = mkdtempSync(join(tmpdir(), 'behalf-collapse-'))
  afterAll(async () => {
    for (const one of opened.splice(0)) await one.close()
    rmSync(folder, { recursive: true })
  })

  test('make one call, and the other one finds what it has stored', async () => {
    const { open, seen, fetch } = upstream()
    const both = [1, 2].map(() => {
      const store = createStore(`sqlite:${folder}/cache.sqlite`)
      const cached = cachedFetch(fetch, { rules, store, collapse: 'store' })
      opened.push(cached, store)
      return cached
    })
    const all = both.map((cached) => cached(url))
    await new Promise((resolve) => setTimeout(resolve, 100))
    open()
    expect(await Promise.all(all.map(textOf))).toEqual(['reply 1', 'reply 1'])
    expect(seen).toHaveLength(1)
  })
})
