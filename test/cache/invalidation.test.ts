import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { compileRules } from '../../src/cache/rules/rules.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { chaosStore } from '../../src/testing/index.ts'
import { cacheBefore, type CallerOptions } from './cache-caller.ts'
import { cacheStoresForTests } from './cache-stores.ts'

const stores = await cacheStoresForTests()
afterAll(async () => {
  for (const { close } of stores) await close()
})

const list = 'https://api.example/v1/me/playlists'
const one = 'https://api.example/v1/playlists/7'
const other = 'https://api.example/v1/markets'

const rules = [
  { match: '/v1/me/playlists', ttl: 60, tags: ['playlists'] },
  { match: '/v1/playlists/:id', ttl: 60, tags: ['playlists'] },
  { match: '/v1/markets', ttl: 60 },
]
const write = { method: 'PUT' }

describe.each(stores)('what a write takes away, on $name', ({ open }) => {
  const numbered = async (options: CallerOptions) =>
    cacheBefore((_, calls) => new Response(`reply ${calls}`, { headers: { etag: '"a"' } }), {
      ...options,
      store: await open(`invalidation-${randomBytes(4).toString('hex')}`),
    })

  test('CA-07 a rule’s tags take what hangs on them, of this user, and nothing else', async () => {
    const mutation = { match: '/v1/playlists/*', method: 'PUT', invalidates: ['playlists'] }
    const { fetch, statusOf } = await numbered({ rules: [...rules, mutation] })
    for (const user of ['ada', 'grace']) {
      for (const url of [list, one, other]) await statusOf(url, { user })
    }
    await fetch(one, {}, write)
    expect(await statusOf(list)).toContain('fwd=uri-miss')
    expect(await statusOf(one)).toContain('fwd=uri-miss')
    expect(await statusOf(other)).toBe('hit; ttl=60')
    expect(await statusOf(list, { user: 'grace' })).toBe('hit; ttl=60')
    expect(await statusOf(list)).toBe('hit; ttl=60')
  })

  test('CA-07 a rule’s paths take those URLs, with what its pattern has found', async () => {
    const mutation = {
      match: '/v1/playlists/:id/tracks',
      invalidates: ['/v1/playlists/:id', '/v1/me/playlists'],
    }
    const { fetch, statusOf } = await numbered({ rules: [...rules, mutation] })
    const eight = one.replace('7', '8')
    for (const url of [list, one, eight]) await statusOf(url)
    await fetch(`${one}/tracks`, {}, { method: 'POST' })
    expect(await statusOf(list)).toContain('fwd=uri-miss')
    expect(await statusOf(one)).toContain('fwd=uri-miss')
    expect(await statusOf(eight)).toBe('hit; ttl=60')
  })

  test('a soft rule makes stale: what it names is asked about before its next use', async () => {
    const soft = {
      match: '/v1/playlists/*',
      invalidates: ['playlists', '/v1/markets'],
      soft: true,
    }
    const { fetch, statusOf, seen } = await numbered({ rules: [...rules, soft] })
    for (const url of [list, other]) await statusOf(url)
    await fetch(`${one}/tracks`, {}, write)
    for (const url of [list, other]) {
      expect(await statusOf(url)).toContain('fwd=stale')
      expect(seen.at(-1)!.headers.get('if-none-match')).toBe('"a"')
      expect(await statusOf(url)).toBe('hit; ttl=60')
    }
  })

  test('the tags of a call take it along', async () => {
    const mutation = { match: '/v1/player', invalidates: ['now'] }
    const { fetch, statusOf } = await numbered({ rules: [...rules, mutation] })
    await statusOf(other, { tags: ['now'] })
    expect(await statusOf(other)).toBe('hit; ttl=60')
    await fetch('https://api.example/v1/player', {}, write)
    expect(await statusOf(other)).toContain('fwd=uri-miss')
  })

  test('CA-07 a fill that was on its way when a write came is not served', async () => {
    for (const url of [list, one]) {
      let answer!: () => void
      const slow = new Promise<void>((resolve) => {
        answer = resolve
      })
      let asked!: () => void
      const called = new Promise<void>((resolve) => {
        asked = resolve
      })
      const mutation = { match: '/v1/playlists/*', invalidates: ['playlists'] }
      const { fetch, statusOf } = cacheBefore(
        async ({ method }, calls) => {
          if (method === 'GET' && calls === 1) {
            asked()
            await slow
          }
          return new Response(`reply ${calls}`)
        },
        {
          // The tag for one URL, the URL itself for the other.
          rules: url === list ? [...rules, mutation] : { '/v1/*': 60 },
          store: await open(`fence-${randomBytes(4).toString('hex')}`),
        },
      )
      const filling = fetch(url)
      await called
      await fetch(one, {}, write)
      answer()
      expect(await (await filling).text()).toBe('reply 1')
      expect(await statusOf(url)).toContain('fwd=uri-miss')
      expect(await statusOf(url)).toBe('hit; ttl=60')
    }
  })
})

describe('what a write takes away', () => {
  const mutation = { match: '/v1/playlists/*', invalidates: ['playlists'] }

  test.each([
    [200, true],
    [304, true],
    [404, false],
    [500, false],
  ])('CA-07 after a %i: %s', async (status, isGone) => {
    const { fetch, statusOf } = cacheBefore(
      ({ method }) => (method === 'GET' ? new Response('reply') : new Response(null, { status })),
      { rules: [...rules, mutation] },
    )
    await statusOf(list)
    await fetch(one, {}, write)
    expect(await statusOf(list)).toContain(isGone ? 'fwd=uri-miss' : 'hit')
  })

  test('CA-07 goes also where nobody knows whether it was carried out', async () => {
    const { fetch, statusOf } = cacheBefore(
      ({ method }) => {
        if (method !== 'GET') throw new TypeError('fetch failed')
        return new Response('reply')
      },
      { rules: [...rules, mutation] },
    )
    await statusOf(list)
    await expect(fetch(one, {}, write)).rejects.toThrow('fetch failed')
    expect(await statusOf(list)).toContain('fwd=uri-miss')
  })

  test('a reading that a mutation rule matches takes nothing, and the rule decides no lifetime', async () => {
    const { statusOf } = cacheBefore(
      () => new Response('reply', { headers: { 'cache-control': 'max-age=60' } }),
      { rules: [{ match: '/v1/*', invalidates: ['playlists'] }] },
    )
    await statusOf(list)
    expect(await statusOf(list)).toBe('hit; ttl=60')
  })

  test('CA-18 a write is answered when the store fails meanwhile', async () => {
    const store = chaosStore(memoryStore(), [{ fault: 'throw' }])
    const { fetch } = cacheBefore(() => new Response('done'), {
      rules: [...rules, mutation],
      store,
    })
    expect(await (await fetch(one, {}, write)).text()).toBe('done')
  })

  test.each([
    [{ match: '/v1/*', ttl: 60, invalidates: ['a'] }, /ttl needs a rule of its own/],
    [{ match: '/v1/*', ttl: 60, method: 'PUT' }, /method and soft need invalidates/],
    [{ match: '/v1/*', invalidates: 'a' as unknown as string[] }, /must be a list/],
  ])('a rule that is half of each is refused (%#)', (rule, message) => {
    expect(() => compileRules([rule])).toThrow(message)
  })
})
