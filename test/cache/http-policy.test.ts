import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { hostileRows } from '../hostile.ts'
import { cacheBefore, type CallerOptions, Clock, target } from './cache-caller.ts'

let clock: Clock
beforeEach(() => {
  clock = new Clock()
})
afterEach(() => clock.restore())

const http: CallerOptions = { policy: 'http' }
const answering =
  (headers: Record<string, string>, body: string | null = '{"n":1}', status = 200) =>
  () =>
    new Response(body, { status, headers })
const date = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString()

describe('how long a reply is fresh', () => {
  test.each([
    ['max-age', { 'cache-control': 'max-age=100' }, 100],
    ['Expires', { expires: date(100), date: date(0) }, 100],
    ['max-age before Expires', { 'cache-control': 'max-age=100', expires: date(500) }, 100],
    [
      'a tenth of the time since Last-Modified',
      { 'last-modified': date(-1000), date: date(0) },
      100,
    ],
    ['a day at most by that guess', { 'last-modified': date(-1e8), date: date(0) }, 86_400],
    ['s-maxage is for shared caches', { 'cache-control': 'max-age=100, s-maxage=7' }, 100],
  ])('%s', async (_name, headers, lifetime) => {
    const { statusOf, seen } = cacheBefore(answering(headers), http)
    await statusOf()
    clock.pass(lifetime - 5)
    expect(await statusOf()).toMatch(/^hit; ttl=[4-5]$/)
    clock.pass(7)
    expect(await statusOf()).toMatch(/^fwd=stale/)
    expect(seen).toHaveLength(2)
  })

  test('in a shared cache s-maxage counts', async () => {
    const headers = { 'cache-control': 'max-age=100, s-maxage=7' }
    const { statusOf } = cacheBefore(answering(headers), { ...http, mode: 'shared' })
    await statusOf()
    expect(await statusOf()).toBe('hit; ttl=7')
  })

  test('the time in other caches counts, and Age goes on from there', async () => {
    const headers = { 'cache-control': 'max-age=100', age: '40' }
    const { fetch } = cacheBefore(answering(headers), http)
    await (await fetch()).text()
    clock.pass(20)
    const response = await fetch()
    expect(response.headers.get('age')).toBe('60')
    expect(response.headers.get('cache-status')).toBe('behalf; hit; ttl=40')
  })

  test.each([
    ['no-store', { 'cache-control': 'no-store, max-age=60' }, 'no-store'],
    ['nothing said, nothing to guess by', {}, 'stale'],
    ['a status nobody may guess for', { 'last-modified': date(-1000) }, 'no-lifetime', 201],
    [
      'must-understand, and it does not',
      { 'cache-control': 'max-age=9, must-understand' },
      'must-understand',
      299,
    ],
    ['Vary: *', { 'cache-control': 'max-age=60', vary: '*' }, 'vary'],
    ['no-cache without a validator', { 'cache-control': 'no-cache' }, 'stale'],
    ['CR-09 a negative max-age', { 'cache-control': 'max-age=-60' }, 'stale'],
    ['an Age that is none', { 'cache-control': 'max-age=60', age: 'abc' }, 'stale'],
    ['an Expires that is none', { expires: '0' }, 'stale'],
  ] as Array<[string, Record<string, string>, string, number?]>)(
    '%s: not stored',
    async (_name, headers, detail, status = 200) => {
      const { statusOf } = cacheBefore(answering(headers, 'x', status), http)
      await statusOf()
      expect(await statusOf()).toBe(`fwd=uri-miss; fwd-status=${status}; detail=${detail}`)
    },
  )

  test('must-understand lets a cache that does ignore no-store', async () => {
    const headers = { 'cache-control': 'max-age=60, must-understand, no-store' }
    const { statusOf } = cacheBefore(answering(headers), http)
    await statusOf()
    expect(await statusOf()).toBe('hit; ttl=60')
  })

  test.each([401, 403, 429, 500, 503])(
    'CA-10 %i is not stored, whatever it says',
    async (status) => {
      const { statusOf } = cacheBefore(
        answering({ 'cache-control': 'max-age=60' }, 'x', status),
        http,
      )
      await statusOf()
      expect(await statusOf()).toContain(`detail=status-${status}`)
    },
  )

  test('404 is stored by what it says, and by a rule where the rule has it', async () => {
    const said = cacheBefore(answering({ 'cache-control': 'max-age=60' }, 'x', 404), http)
    await said.statusOf()
    expect(await said.statusOf()).toBe('hit; ttl=60')
    const rules = [{ match: '/v1/*', ttl: 60, negative: { 404: 5, 503: 1 } }]
    for (const [status, ttl] of [
      [404, 5],
      [503, 1],
    ] as const) {
      const ruled = cacheBefore(answering({}, 'x', status), { rules })
      expect((await ruled.fetch()).status).toBe(status)
      expect(await ruled.statusOf()).toBe(`hit; ttl=${ttl}`)
      expect((await ruled.fetch()).status).toBe(status)
    }
    const silent = cacheBefore(answering({}, 'x', 404), { rules: { '/v1/*': 60 } })
    await silent.statusOf()
    expect(await silent.statusOf()).toContain('detail=status-404')
  })
})

describe('validation', () => {
  const validated = (changes: Record<string, string> = {}) => {
    const first = { 'cache-control': 'max-age=10', etag: '"1"', 'x-kept': 'a', 'x-new': 'a' }
    return cacheBefore((request, calls) => {
      const is304 = request.headers.get('if-none-match') === '"1"'
      const headers =
        calls === 1 ? first : { 'cache-control': 'max-age=20', 'x-new': 'b', ...changes }
      return new Response(is304 ? null : `body ${calls}`, { status: is304 ? 304 : 200, headers })
    }, http)
  }

  test('a 304 makes what is stored fresh again, with the fields that it brings', async () => {
    const { fetch, seen } = validated({ etag: '"2"', 'content-length': '7' })
    await (await fetch()).text()
    clock.pass(11)
    const second = await fetch()
    expect(await second.text()).toBe('body 1')
    expect(second.headers.get('cache-status')).toBe('behalf; fwd=stale; fwd-status=304; stored')
    expect(second.headers.get('x-new')).toBe('b')
    expect(second.headers.get('x-kept')).toBe('a')
    expect(second.headers.get('etag')).toBe('"1"')
    expect(second.status).toBe(200)
    clock.pass(15)
    expect((await fetch()).headers.get('cache-status')).toBe('behalf; hit; ttl=5')
    expect(seen).toHaveLength(2)
  })

  test('what a 304 forbids is given once more and then gone', async () => {
    const { fetch, statusOf } = validated({ 'cache-control': 'no-store' })
    await (await fetch()).text()
    clock.pass(11)
    expect(await (await fetch()).text()).toBe('body 1')
    expect(await statusOf()).toMatch(/^fwd=uri-miss/)
  })

  test('another reply takes the place of what is stored', async () => {
    const { fetch } = cacheBefore(
      (_request, calls) =>
        new Response(`body ${calls}`, {
          headers: { 'cache-control': 'max-age=10', etag: `"${calls}"` },
        }),
      http,
    )
    await (await fetch()).text()
    clock.pass(11)
    expect(await (await fetch()).text()).toBe('body 2')
    expect(await (await fetch()).text()).toBe('body 2')
  })

  test('an answer that is not stored takes what was stored away', async () => {
    const { fetch, statusOf } = cacheBefore(
      (_request, calls) =>
        calls === 1
          ? new Response('old', { headers: { 'cache-control': 'max-age=60' } })
          : new Response('new', { headers: { 'cache-control': 'no-store' } }),
      http,
    )
    await (await fetch()).text()
    await statusOf(undefined, { mode: 'reload' })
    expect(await statusOf()).toMatch(/^fwd=uri-miss/)
  })

  test('a question of the caller’s own is answered from the store', async () => {
    const headers = {
      'cache-control': 'max-age=60',
      etag: 'W/"1"',
      'last-modified': 'Wed, 01 Jan 2020 00:00:00 GMT',
      'content-type': 'text/plain',
    }
    const { fetch, seen } = cacheBefore(answering(headers, 'x'), http)
    await (await fetch()).text()
    const ask = async (name: string, value: string) =>
      (await fetch(undefined, {}, { headers: { [name]: value } })).status
    expect(await ask('if-none-match', '"0", "1"')).toBe(304)
    expect(await ask('if-none-match', '*')).toBe(304)
    expect(await ask('if-none-match', '"2"')).toBe(200)
    expect(await ask('if-modified-since', 'Wed, 01 Jan 2020 00:00:00 GMT')).toBe(304)
    expect(await ask('if-modified-since', 'Tue, 31 Dec 2019 00:00:00 GMT')).toBe(200)
    expect(await ask('if-modified-since', 'yesterday')).toBe(200)
    const response = await fetch(undefined, {}, { headers: { 'if-none-match': '"1"' } })
    expect(response.headers.get('etag')).toBe('W/"1"')
    expect(response.headers.get('content-type')).toBeNull()
    expect(response.headers.get('cache-status')).toContain('hit')
    expect(seen).toHaveLength(1)
  })

  test('CR-25 a 304 to the caller’s own question is theirs, and nothing is stored', async () => {
    const { fetch, statusOf } = cacheBefore(
      (request) =>
        request.headers.has('if-none-match')
          ? new Response(null, {
              status: 304,
              headers: { etag: '"other"', 'cache-control': 'max-age=9' },
            })
          : new Response('whole', { headers: { 'cache-control': 'max-age=9' } }),
      http,
    )
    expect((await fetch(undefined, {}, { headers: { 'if-none-match': '"other"' } })).status).toBe(
      304,
    )
    expect(await statusOf()).toBe('fwd=uri-miss; fwd-status=200; stored')
  })

  test('our own conditions say max-age=0 to the caches on the way, and reload says no-cache', async () => {
    const { fetch, seen } = validated()
    await (await fetch()).text()
    clock.pass(11)
    await (await fetch()).text()
    expect(seen[1]!.headers.get('cache-control')).toBe('max-age=0')
    await (await fetch(undefined, { mode: 'reload' })).text()
    expect(seen[2]!.headers.get('cache-control')).toBe('no-cache')
    expect(seen[2]!.headers.has('if-none-match')).toBe(false)
  })
})

describe('HEAD', () => {
  test('is answered from what GET stored, and brings it up to date when it goes upstream', async () => {
    const changedAt = date(-9)
    const { fetch, seen } = cacheBefore(
      (request, calls) =>
        new Response(request.method === 'HEAD' ? null : 'body', {
          headers: {
            'cache-control': 'max-age=10',
            'last-modified': changedAt,
            'x-n': String(calls),
          },
        }),
      http,
    )
    await (await fetch()).text()
    const head = () => fetch(undefined, {}, { method: 'HEAD' })
    expect((await head()).headers.get('cache-status')).toContain('hit')
    clock.pass(11)
    expect((await head()).headers.get('x-n')).toBe('2')
    const got = await fetch()
    expect(await got.text()).toBe('body')
    expect(got.headers.get('x-n')).toBe('2')
    expect(seen).toHaveLength(2)
  })

  test('what HEAD shows to have changed is not used again', async () => {
    const { fetch, statusOf } = cacheBefore(
      (request, calls) =>
        new Response(request.method === 'HEAD' ? null : 'body', {
          headers: { 'cache-control': 'max-age=60', etag: `"${calls}"` },
        }),
      http,
    )
    await (await fetch()).text()
    await fetch(undefined, { mode: 'reload' }, { method: 'HEAD' })
    expect(await statusOf()).toMatch(/^fwd=uri-miss/)
  })
})

describe('Vary', () => {
  const inLanguage = (language: string) => ({ headers: { 'accept-language': language } })
  const varied = () =>
    cacheBefore(
      (request) =>
        new Response(request.headers.get('accept-language'), {
          headers: { 'cache-control': 'max-age=60', vary: 'Accept-Language' },
        }),
      http,
    )

  test('CA-04 KY-14 many variants are kept, and each request gets its own', async () => {
    const { fetch, seen } = varied()
    const languages = Array.from({ length: 16 }, (_, index) => `l${index}`)
    for (let round = 0; round < 2; round += 1) {
      for (const language of languages) {
        expect(await (await fetch(undefined, {}, inLanguage(language))).text()).toBe(language)
      }
    }
    expect(seen).toHaveLength(16)
    // The seventeenth makes the oldest go.
    await (await fetch(undefined, {}, inLanguage('l16'))).text()
    await (await fetch(undefined, {}, inLanguage('l15'))).text()
    expect(seen).toHaveLength(17)
    await (await fetch(undefined, {}, inLanguage('l0'))).text()
    expect(seen).toHaveLength(18)
  })

  test('a write takes all of them away', async () => {
    const { fetch, statusOf } = varied()
    for (const language of ['de', 'en'])
      await (await fetch(undefined, {}, inLanguage(language))).text()
    await statusOf(undefined, {}, { method: 'POST' })
    for (const language of ['de', 'en']) {
      expect(await statusOf(undefined, {}, inLanguage(language))).not.toContain('hit')
    }
  })

  test('without the header is a variant of its own', async () => {
    const { statusOf } = varied()
    await statusOf(undefined, {}, inLanguage('de'))
    expect(await statusOf()).toMatch(/^fwd=vary-miss/)
    expect(await statusOf()).toContain('hit')
  })
})

describe('what a request asks of the cache', () => {
  const aged = async () => {
    const made = cacheBefore(answering({ 'cache-control': 'max-age=100' }), http)
    await made.statusOf()
    clock.pass(50)
    return made
  }
  const asking = (control: string) => ({ headers: { 'cache-control': control } })

  test.each([
    ['max-age=60', 'hit'],
    ['max-age=40', 'fwd=stale'],
    ['min-fresh=40', 'hit'],
    ['min-fresh=60', 'fwd=stale'],
    ['no-cache', 'fwd=stale'],
    ['no-store', 'fwd=request'],
    ['only-if-cached', 'hit'],
    ['max-age=x', 'fwd=stale'],
  ])('%s: %s', async (control, status) => {
    const { statusOf } = await aged()
    expect(await statusOf(undefined, {}, asking(control))).toMatch(new RegExp(`^${status}`))
  })

  test.each([
    ['max-stale', 'hit; ttl=-50'],
    ['max-stale=60', 'hit; ttl=-50'],
    ['max-stale=40', 'fwd=stale'],
    ['max-stale=x', 'fwd=stale'],
    ['only-if-cached', 'detail=only-if-cached'],
  ])('of something stale, %s: %s', async (control, status) => {
    const { statusOf } = await aged()
    clock.pass(100)
    expect(await statusOf(undefined, {}, asking(control))).toMatch(new RegExp(`^${status}`))
  })

  test('max-stale does not reach what must be revalidated', async () => {
    const headers = { 'cache-control': 'max-age=10, must-revalidate' }
    const { statusOf } = cacheBefore(answering(headers), http)
    await statusOf()
    clock.pass(20)
    expect(await statusOf(undefined, {}, asking('max-stale'))).toMatch(/^fwd=stale/)
  })

  test('only-if-cached never goes upstream: 504', async () => {
    const { fetch, seen } = cacheBefore(answering({}), http)
    expect((await fetch(undefined, {}, asking('only-if-cached'))).status).toBe(504)
    expect(seen).toHaveLength(0)
  })

  test('the cache modes of fetch', async () => {
    const { statusOf, seen } = cacheBefore(
      answering({ 'cache-control': 'max-age=10', etag: '"1"' }, 'x'),
      http,
    )
    await statusOf()
    expect(await statusOf(undefined, { mode: 'no-cache' })).toMatch(/^fwd=request/)
    expect(seen[1]!.headers.get('if-none-match')).toBe('"1"')
    clock.pass(20)
    expect(await statusOf(undefined, { mode: 'force-cache' })).toMatch(/^hit; ttl=-/)
    expect(await statusOf(undefined, { mode: 'only-if-cached' })).toMatch(/^hit; ttl=-/)
    expect(await statusOf(undefined, { mode: 'no-store' })).toBe('fwd=request; fwd-status=200')
    expect(seen).toHaveLength(3)
  })

  test('ttl of a call: for so long it is kept, and nothing older is taken', async () => {
    const { statusOf } = cacheBefore(answering({ 'cache-control': 'max-age=0' }), http)
    await statusOf(undefined, { ttl: 30 })
    clock.pass(20)
    expect(await statusOf()).toBe('hit; ttl=10')
    expect(await statusOf(undefined, { ttl: 10 })).toMatch(/^fwd=stale/)
    expect(await statusOf(undefined, { ttl: 0 })).toMatch(/^fwd=bypass/)
  })
})

describe('CA-07 what an unsafe request spoils', () => {
  const filled = async (write: (request: Request) => Response) => {
    const made = cacheBefore(
      (request) =>
        request.method === 'GET'
          ? new Response('x', { headers: { 'cache-control': 'max-age=60' } })
          : write(request),
      http,
    )
    for (const path of ['/v1/me', '/v1/a', '/v1/b']) {
      await made.statusOf(`https://api.example${path}`)
    }
    await made.statusOf('https://other.example/v1/a')
    return made
  }

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH'])(
    '%s: its own URL, Location and Content-Location, of the same origin only',
    async (method) => {
      const { statusOf } = await filled(
        () =>
          new Response(null, {
            status: 201,
            headers: { location: '/v1/a#x', 'content-location': 'https://other.example/v1/a' },
          }),
      )
      await statusOf(target, {}, { method })
      expect(await statusOf('https://other.example/v1/a')).toContain('hit')
      expect(await statusOf('https://api.example/v1/b')).toContain('hit')
      for (const path of ['/v1/me', '/v1/a']) {
        expect(await statusOf(`https://api.example${path}`)).toContain('uri-miss')
      }
    },
  )

  test('a refused one spoils nothing, one that nobody knows the outcome of does', async () => {
    const refused = await filled(() => new Response(null, { status: 409 }))
    await refused.statusOf(target, {}, { method: 'PUT' })
    expect(await refused.statusOf()).toContain('hit')
    const lost = await filled(() => {
      throw new TypeError('fetch failed')
    })
    await expect(lost.fetch(target, {}, { method: 'PUT' })).rejects.toThrow('fetch failed')
    expect(await lost.statusOf()).toContain('uri-miss')
  })

  test('another user’s stored response stays', async () => {
    const { statusOf } = await filled(() => new Response(null, { status: 204 }))
    await statusOf(target, { user: 'grace' })
    await statusOf(target, {}, { method: 'PUT' })
    expect(await statusOf(target, { user: 'grace' })).toContain('hit')
  })
})

describe('stale responses', () => {
  const failing = (headers: Record<string, string>, how: () => Response, options = {}) =>
    cacheBefore((_request, calls) => (calls === 1 ? new Response('old', { headers }) : how()), {
      ...http,
      ...options,
    })

  test.each([
    ['500', () => new Response('x', { status: 500 }), '; fwd-status=500'],
    ['503', () => new Response('x', { status: 503 }), '; fwd-status=503'],
    ['429', () => new Response('x', { status: 429 }), '; fwd-status=429'],
    [
      'no connection',
      () => {
        throw new TypeError('fetch failed')
      },
      '',
    ],
  ])('stale-if-error: served after %s, so long', async (_name, how, told) => {
    const headers = { 'cache-control': 'max-age=10, stale-if-error=30' }
    const { fetch } = failing(headers, how)
    await (await fetch()).text()
    clock.pass(35)
    const response = await fetch()
    expect(await response.text()).toBe('old')
    expect(response.headers.get('cache-status')).toBe(
      `behalf; fwd=stale${told}; detail=stale-if-error`,
    )
    clock.pass(10)
    const after = await fetch().then((late) => late.text(), String)
    expect(after).not.toBe('old')
  })

  test.each(['must-revalidate', 'no-cache', 's-maxage=10', 'proxy-revalidate'])(
    'CA-10 %s wins over stale-if-error',
    async (directive) => {
      const headers = { 'cache-control': `public, max-age=10, ${directive}`, etag: '"1"' }
      const options = { staleIfError: 60, staleWhileRevalidate: 60, mode: 'shared' }
      const { fetch } = failing(headers, () => new Response('x', { status: 503 }), options)
      await (await fetch()).text()
      clock.pass(20)
      expect((await fetch()).status).toBe(503)
    },
  )

  test('an error of ours, such as a missing login, is no reason to serve it', async () => {
    const { LoginRequiredError } = await import('../../src/errors.ts')
    const { fetch } = failing(
      { 'cache-control': 'max-age=10' },
      () => {
        throw new LoginRequiredError('p', undefined)
      },
      { staleIfError: 60 },
    )
    await (await fetch()).text()
    clock.pass(20)
    await expect(fetch()).rejects.toThrow(LoginRequiredError)
  })

  test('stale-while-revalidate: served at once, refreshed in the background, close() waits', async () => {
    const background: Array<Promise<unknown>> = []
    const { fetch, statusOf, cache, seen } = cacheBefore(
      (_request, calls) =>
        new Response(`body ${calls}`, {
          headers: { 'cache-control': 'max-age=10, stale-while-revalidate=30' },
        }),
      http,
    )
    await (await fetch()).text()
    clock.pass(20)
    const controller = new AbortController()
    const wish = { background: (work: Promise<unknown>) => void background.push(work) }
    const response = await fetch(undefined, wish, { signal: controller.signal })
    // The caller has what it wanted; the refresh is not the caller's to end.
    controller.abort()
    expect(await response.text()).toBe('body 1')
    expect(response.headers.get('cache-status')).toBe('behalf; hit; ttl=-10')
    await cache.close()
    expect(background).toHaveLength(1)
    expect(seen[1]!.signal.aborted).toBe(false)
    expect(await (await fetch()).text()).toBe('body 2')
    clock.pass(100)
    expect(await statusOf()).toMatch(/^fwd=stale/)
  })

  test('a background refresh that fails is nobody’s error', async () => {
    const headers = { 'cache-control': 'max-age=10, stale-while-revalidate=30' }
    const { fetch, cache } = failing(headers, () => {
      throw new TypeError('fetch failed')
    })
    await (await fetch()).text()
    clock.pass(20)
    expect(await (await fetch()).text()).toBe('old')
    await cache.close()
    expect(await (await fetch()).text()).toBe('old')
    await cache.close()
  })

  test('early refresh: the first hit after that part of the life refreshes', async () => {
    const { fetch, cache, seen } = cacheBefore(answering({ 'cache-control': 'max-age=100' }), {
      ...http,
      earlyRefresh: 0.8,
    })
    await (await fetch()).text()
    clock.pass(70)
    await (await fetch()).text()
    await cache.close()
    expect(seen).toHaveLength(1)
    clock.pass(15)
    expect((await fetch()).headers.get('cache-status')).toBe('behalf; hit; ttl=15')
    await cache.close()
    expect(seen).toHaveLength(2)
    expect((await fetch()).headers.get('cache-status')).toBe('behalf; hit; ttl=100')
  })

  test('jitter ends lives at different times, and none later', async () => {
    const { fetch } = cacheBefore(answering({}), { defaultTtl: 1000, jitter: 0.5 })
    const left = new Set<number>()
    for (let index = 0; index < 20; index += 1) {
      await (await fetch(`${target}/${index}`)).text()
      const status = (await fetch(`${target}/${index}`)).headers.get('cache-status')!
      const ttl = Number(/ttl=(\d+)/.exec(status)![1])
      expect(ttl).toBeGreaterThanOrEqual(500)
      expect(ttl).toBeLessThanOrEqual(1000)
      left.add(ttl)
    }
    expect(left.size).toBeGreaterThan(5)
  })
})

describe('an upstream that is slow', () => {
  const slow = (headers: Record<string, string>, options: CallerOptions) => {
    let release = () => {}
    const gate = new Promise<void>((resolve) => (release = resolve))
    const made = cacheBefore(
      async (_request, calls) => {
        if (calls > 1) await gate
        return new Response(`body ${calls}`, { headers })
      },
      { ...http, ...options },
    )
    return { ...made, release: () => release() }
  }

  test('soft time-out: what is stale, where it may be, instead of waiting; the reply is kept', async () => {
    const headers = { 'cache-control': 'max-age=10, stale-if-error=60' }
    const { fetch, cache, release } = slow(headers, { softTimeout: 0.02 })
    await (await fetch()).text()
    clock.pass(20)
    const response = await fetch()
    expect(await response.text()).toBe('body 1')
    expect(response.headers.get('cache-status')).toBe('behalf; fwd=stale; detail=soft-timeout')
    release()
    await cache.close()
    expect(await (await fetch()).text()).toBe('body 2')
  })

  test('soft time-out does not serve what must be revalidated', async () => {
    const headers = { 'cache-control': 'max-age=10, must-revalidate, stale-if-error=60' }
    const { fetch, release } = slow(headers, { softTimeout: 0.02 })
    await (await fetch()).text()
    clock.pass(20)
    const waiting = fetch()
    setTimeout(release, 60)
    expect(await (await waiting).text()).toBe('body 2')
  })

  test('hard time-out: a TimeoutError, and what comes later is stored', async () => {
    const { fetch, cache, release } = slow({ 'cache-control': 'max-age=10' }, { hardTimeout: 0.02 })
    await (await fetch()).text()
    clock.pass(20)
    await expect(fetch()).rejects.toMatchObject({ name: 'TimeoutError' })
    release()
    await cache.close()
    expect(await (await fetch()).text()).toBe('body 2')
  })
})

describe('bodies', () => {
  test('UP-17 one that is shorter than was announced is not stored', async () => {
    const headers = { 'cache-control': 'max-age=60', 'content-length': '100' }
    const { statusOf } = cacheBefore(answering(headers, 'short'), http)
    await statusOf()
    expect(await statusOf()).toContain('detail=incomplete')
  })

  test('its length is of the sent bytes where they were encoded', async () => {
    const headers = {
      'cache-control': 'max-age=60',
      'content-length': '3',
      'content-encoding': 'gzip',
    }
    const { fetch, statusOf } = cacheBefore(answering(headers, 'decoded'), http)
    await statusOf()
    const response = await fetch()
    expect(response.headers.get('cache-status')).toContain('hit')
    expect(response.headers.get('content-length')).toBeNull()
  })

  test('a text whose bytes are no UTF-8 comes back byte for byte', async () => {
    const bytes = Buffer.from([0x61, 0xff, 0xfe, 0xc3, 0x28])
    for (const body of [bytes, Buffer.from('\uFEFFwith a mark')]) {
      const { fetch } = cacheBefore(
        () =>
          new Response(body, {
            headers: { 'cache-control': 'max-age=9', 'content-type': 'text/plain' },
          }),
        http,
      )
      await (await fetch()).arrayBuffer()
      expect(Buffer.from(await (await fetch()).arrayBuffer()).equals(body)).toBe(true)
    }
  })

  test('without a type it has none when it comes from the store', async () => {
    const bytes = Buffer.from('plain')
    const { fetch } = cacheBefore(
      () => new Response(bytes, { headers: { 'cache-control': 'max-age=9' } }),
      http,
    )
    await (await fetch()).arrayBuffer()
    expect((await fetch()).headers.get('content-type')).toBeNull()
  })

  test.each([204, 301, 404])('a %i without a body can be stored', async (status) => {
    const { fetch } = cacheBefore(answering({ 'cache-control': 'max-age=9' }, null, status), http)
    await fetch()
    const again = await fetch()
    expect([again.status, await again.text()]).toEqual([status, ''])
    expect(again.headers.get('cache-status')).toContain('hit')
  })

  test('where it came from after redirects is told from the store too', async () => {
    const { fetch } = cacheBefore(() => {
      const response = new Response('x', { headers: { 'cache-control': 'max-age=9' } })
      return Object.defineProperty(response, 'url', { value: 'https://api.example/v2/me' })
    }, http)
    expect((await fetch()).url).toBe('https://api.example/v2/me')
    expect((await fetch()).url).toBe('https://api.example/v2/me')
  })
})

describe('CA-03 hostile replies', () => {
  const own = new Set(['CR-22', 'CR-24', 'CR-27'])
  const rows = hostileRows('cacheResponse').filter(({ id }) => !own.has(id))

  test.each(rows.map((row) => [row.id, row.expect.outcome, row] as const))(
    '%s %s',
    async (_id, outcome, { input }) => {
      const { status, headers, body = '{"id":1}' } = input.response
      const noBody = status === 304
      const reply = () => new Response(noBody ? null : body, { status, headers })
      const { fetch, seen } = cacheBefore(reply, http)
      const first = await fetch()
      const text = await first.text()
      const again = await fetch()
      expect(await again.text()).toBe(text)
      await fetch(undefined, { user: 'grace' })
      const isHit = again.headers.get('cache-status')!.includes('hit')
      if (outcome.startsWith('not-')) {
        expect(isHit).toBe(false)
      } else if (outcome === 'stored-capped') {
        clock.pass(61)
        expect((await fetch()).headers.get('cache-status')).not.toContain('hit')
      } else {
        expect(isHit).toBe(true)
        expect(again.headers.get('set-cookie')).toBeNull()
        expect(seen).toHaveLength(2)
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
      }
    },
  )

  test('CR-22 CA-17 a body that unpacks to more than may be stored is not, and comes whole', async () => {
    const zeros = Buffer.alloc(3_000_000)
    const { fetch, statusOf } = cacheBefore(
      () =>
        new Response(zeros, {
          headers: { 'cache-control': 'max-age=60', 'content-encoding': 'gzip' },
        }),
      { ...http, maxEntryBytes: 1_000_000 },
    )
    expect((await (await fetch()).arrayBuffer()).byteLength).toBe(3_000_000)
    expect(await statusOf()).toBe('fwd=uri-miss; fwd-status=200; detail=too-large')
  })

  test('CR-24 headers beyond all measure are not stored', async () => {
    const headers = { 'cache-control': 'max-age=60', 'x-a': 'h'.repeat(300_000) }
    const { fetch, statusOf } = cacheBefore(answering(headers), http)
    expect(await (await fetch()).text()).toBe('{"n":1}')
    expect(await statusOf()).toMatch(/^fwd=uri-miss/)
  })
})

describe('rules beside HTTP', () => {
  test('auto: the rules where anybody has some, else what the reply says', async () => {
    const said = answering({ 'cache-control': 'max-age=60' })
    expect(await cacheBefore(said).statusOf()).toContain('stored')
    const withRules = cacheBefore(said, { providerRules: { '/other': 5 } })
    expect(await withRules.statusOf()).toContain('detail=no-rule')
    const http1 = cacheBefore(said, { policy: 'http', providerRules: { '/v1/*': 5 } })
    await http1.statusOf()
    expect(await http1.statusOf()).toBe('hit; ttl=60')
    const onlyRules = cacheBefore(said, { policy: 'rules' })
    expect(await onlyRules.statusOf()).toContain('detail=no-rule')
  })

  test('a rule without ttl leaves it to the reply', async () => {
    const { statusOf } = cacheBefore(answering({ 'cache-control': 'max-age=60' }), {
      rules: [{ match: '/v1/*', staleIfError: 9 }],
    })
    await statusOf()
    expect(await statusOf()).toBe('hit; ttl=60')
  })

  test('a validator makes the rule’s ttl begin again with a 304', async () => {
    const { statusOf } = cacheBefore(
      (request) =>
        request.headers.has('if-none-match')
          ? new Response(null, { status: 304 })
          : new Response('x', { headers: { etag: '"1"', 'cache-control': 'max-age=0' } }),
      { rules: { '/v1/*': 30 } },
    )
    await statusOf()
    clock.pass(31)
    expect(await statusOf()).toBe('fwd=stale; fwd-status=304; stored')
    expect(await statusOf()).toBe('hit; ttl=30')
  })

  test.each([
    [{ staleIfError: -1 }, /staleIfError/],
    [{ jitter: 2 }, /jitter/],
    [{ policy: 'https' }, /policy/],
    [{ mode: 'public' }, /mode/],
    [{ partition: 'user' }, /partition/],
    [{ rules: [{ match: '/x', negative: { 404: Number.NaN } }] }, /negative.404/],
  ])('what is out of range is refused by its name: %j', (options, message) => {
    expect(() => cacheBefore(answering({}), options as CallerOptions)).toThrow(message)
  })
})
