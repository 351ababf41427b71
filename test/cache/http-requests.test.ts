import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answering, cacheBefore, type CallerOptions, Clock, target } from './cache-caller.ts'

let clock: Clock
beforeEach(() => {
  clock = new Clock()
})
afterEach(() => clock.restore())

const http: CallerOptions = { policy: 'http' }

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
