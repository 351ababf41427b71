import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { answering, cacheBefore, type CallerOptions, Clock } from './cache-caller.ts'

let clock: Clock
beforeEach(() => {
  clock = new Clock()
})
afterEach(() => clock.restore())

const http: CallerOptions = { policy: 'http' }
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

  test('in a shared cache nothing private is stored, and of a user only what permits sharing', async () => {
    const told = async (control: string, wish = {}) => {
      const made = cacheBefore(answering({ 'cache-control': control }), { ...http, mode: 'shared' })
      await made.statusOf(undefined, wish)
      return made.statusOf(undefined, wish)
    }
    const anonymous = { authorized: false }
    expect(await told('private, max-age=60', anonymous)).toContain('detail=private')
    expect(await told('private="x, public", max-age=60', anonymous)).toContain('hit')
    expect(await told('max-age=60', anonymous)).toContain('hit')
    expect(await told('max-age=60')).toContain('detail=authorization')
    for (const permits of ['public, max-age=60', 's-maxage=60', 'must-revalidate, max-age=60']) {
      expect(await told(permits), permits).toContain('hit')
    }
  })

  test('fields that private or no-cache is limited to are left out', async () => {
    const headers = {
      'cache-control': 'max-age=60, no-cache="x-a", private="x-b"',
      'x-a': '1',
      'x-b': '2',
    }
    const fieldsIn = async (mode: 'private' | 'shared') => {
      const { fetch } = cacheBefore(answering(headers), { ...http, mode })
      const wish = { authorized: false }
      await (await fetch(undefined, wish)).text()
      const stored = await fetch(undefined, wish)
      expect(stored.headers.get('cache-status')).toContain('hit')
      return ['x-a', 'x-b'].map((name) => stored.headers.get(name))
    }
    expect(await fieldsIn('private')).toEqual([null, '2'])
    expect(await fieldsIn('shared')).toEqual([null, null])
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
