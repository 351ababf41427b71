import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answering, cacheBefore, type CallerOptions, Clock } from './cache-caller.ts'

let clock: Clock
beforeEach(() => {
  clock = new Clock()
})
afterEach(() => clock.restore())

const http: CallerOptions = { policy: 'http' }
const date = (seconds: number) => new Date(Date.now() + seconds * 1000).toUTCString()

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

  test('CA-04 KY-14 CVE-2025-69202 many variants are kept, and each request gets its own', async () => {
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

  test('CA-04 that comes with a 304 is minded from then on', async () => {
    const { fetch, seen } = cacheBefore((request, calls) => {
      const headers = { 'cache-control': 'max-age=60', etag: '"1"', vary: 'Accept-Language' }
      if (calls === 2) return new Response(null, { status: 304, headers })
      const { vary: _later, ...first } = headers
      return new Response(request.headers.get('accept-language'), {
        headers: calls === 1 ? first : headers,
      })
    }, http)
    await (await fetch(undefined, {}, inLanguage('de'))).text()
    await (await fetch(undefined, { mode: 'no-cache' }, inLanguage('de'))).text()
    expect(await (await fetch(undefined, {}, inLanguage('de'))).text()).toBe('de')
    expect(seen).toHaveLength(2)
    expect(await (await fetch(undefined, {}, inLanguage('en'))).text()).toBe('en')
  })

  test('without the header is a variant of its own', async () => {
    const { statusOf } = varied()
    await statusOf(undefined, {}, inLanguage('de'))
    expect(await statusOf()).toMatch(/^fwd=vary-miss/)
    expect(await statusOf()).toContain('hit')
  })
})
