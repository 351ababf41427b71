import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { LoginRequiredError } from '../../src/errors.ts'
import { answering, cacheBefore, type CallerOptions, Clock, target } from './cache-caller.ts'

let clock: Clock
beforeEach(() => {
  clock = new Clock()
})
afterEach(() => clock.restore())

const http: CallerOptions = { policy: 'http' }

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
