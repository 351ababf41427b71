import fc from 'fast-check'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { cachedFetch } from '../../src/cache/index.ts'
import { type EntryKeys, everything, tag, type Tag } from '../../src/cache/stored/tag.ts'
import type { Standing } from '../../src/cache/stored/tag-version.ts'
import { type Marks, Tags } from '../../src/cache/stored/tags.ts'
import { StoreUnavailableError } from '../../src/errors.ts'
import { createStore } from '../../src/stores/create-store.ts'
import { guarded } from '../../src/stores/guarded.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { chaosStore } from '../../src/testing/index.ts'
import { tortureBackends } from '../torture/backends.ts'

const kinds = ['sqlite', 'file', 'redis', 'postgres', 'memcached', 'mongodb']
const backends = tortureBackends().filter(({ name }) => kinds.includes(name))

describe.each([
  { name: 'memory', start: async () => ({ url: 'memory:', close: async () => {} }) },
  ...backends,
])('tags in $name', async ({ start }) => {
  const backend = await start()
  const store = createStore(backend.url)
  const tags = new Tags(store, 'behalf')
  let entries = 0
  const newEntry = () => `behalf:response:${(entries += 1)}`

  afterAll(async () => {
    await store.close()
    await backend.close()
  })

  /** An entry that was fetched while `meanwhile` happened. */
  async function filled(known: readonly Tag[], meanwhile?: (entryKey: string) => Promise<void>) {
    const key = newEntry()
    const { marks } = await tags.capture(tags.keysOf(key, known))
    await meanwhile?.(key)
    return { key, standing: async () => (await tags.read(tags.keysOf(key, known))).standing(marks) }
  }

  test('an entry is good until one of its tags is invalidated, and its successor is good again', async () => {
    const known = [tag('artist:1'), tag('library', 'ada'), everything('ada'), everything()]
    for (const one of known) {
      const { standing } = await filled(known)
      expect(await standing()).toBe('valid')
      await tags.invalidate([tag('artist:2')])
      expect(await standing()).toBe('valid')
      await tags.invalidate([one])
      expect(await standing()).toBe('invalid')
      expect(await (await filled(known)).standing()).toBe('valid')
    }
  })

  test('the same name in two partitions, and everybody’s, are three tags', async () => {
    const three = [tag('library', 'ada'), tag('library', 'grace'), tag('library')]
    const fills = await Promise.all(three.map((one) => filled([one])))
    await tags.invalidate([three[0]!])
    expect(await Promise.all(fills.map(({ standing }) => standing()))).toEqual([
      'invalid',
      'valid',
      'valid',
    ])
  })

  test('what overlaps an invalidation is dead on arrival', async () => {
    const known = [tag('library', 'ada'), everything('ada'), everything()]
    for (const one of known) {
      const fill = await filled(known, () => tags.invalidate([one]))
      expect(await fill.standing()).toBe('invalid')
    }
  })

  test('what overlaps the deletion of its entry is dead on arrival, and what comes after is not', async () => {
    const known = [everything()]
    const fill = await filled(known, (key) => tags.fence([key]))
    expect(await fill.standing()).toBe('invalid')
    const { marks } = await tags.capture(tags.keysOf(fill.key, known))
    expect(await (await tags.read(tags.keysOf(fill.key, known))).standing(marks)).toBe('valid')
    expect(await (await filled(known)).standing()).toBe('valid')
  })

  test('what was made stale is stale, and nothing worse or better', async () => {
    const one = tag('chart')
    const fill = await filled([one, everything()])
    await tags.makeStale([one])
    expect(await fill.standing()).toBe('stale')
    expect(await (await filled([one])).standing()).toBe('valid')
    await tags.invalidate([one])
    expect(await fill.standing()).toBe('invalid')
    await tags.makeStale([one])
    expect(await fill.standing()).toBe('invalid')
  })

  test('of many who make stale and one who invalidates at the same time, that one prevails', async () => {
    const one = tag('contended')
    for (let round = 0; round < 10; round += 1) {
      const fill = await filled([one])
      const stale = Array.from({ length: 5 }, () => tags.makeStale([one]))
      await Promise.all([...stale, tags.invalidate([one]), tags.makeStale([one])])
      expect(await fill.standing()).toBe('invalid')
    }
  })

  test('an entry that is there comes with its tags, in one operation', async () => {
    const known = [tag('artist:1'), everything()]
    const key = newEntry()
    const { marks } = await tags.capture(tags.keysOf(key, known))
    await store.set(key, Buffer.from('entry'), { ttl: 60 })
    const operations: string[] = []
    const counted = new Tags(spied(store, operations), 'behalf')
    const { entry, standing } = await counted.read(counted.keysOf(key, known))
    expect(Buffer.from(entry?.value ?? []).toString()).toBe('entry')
    expect(await standing(marks)).toBe('valid')
    expect(operations.filter((name) => name === (store.getMany ? 'getMany' : 'get'))).toHaveLength(
      store.getMany ? 1 : 4,
    )
  })
})

test('a tag that only the reply named is looked at too, in a second operation', async () => {
  const store = memoryStore()
  const tags = new Tags(store, 'behalf')
  const { marks } = await tags.capture(tags.keysOf('entry', [everything(), tag('from the reply')]))
  const operations: string[] = []
  const counted = new Tags(spied(store, operations), 'behalf')
  const reading = await counted.read(counted.keysOf('entry', [everything()]))
  expect(await reading.standing(marks)).toBe('valid')
  expect(operations).toEqual(['getMany', 'getMany'])
  await tags.invalidate([tag('from the reply')])
  expect(await (await tags.read(tags.keysOf('entry', [everything()]))).standing(marks)).toBe(
    'invalid',
  )
})

test('what was stored before its rule had a tag is invalid once it has', async () => {
  const tags = new Tags(memoryStore(), 'behalf')
  const { marks } = await tags.capture(tags.keysOf('entry', [everything()]))
  const reading = await tags.read(tags.keysOf('entry', [everything(), tag('new')]))
  expect(await reading.standing(marks)).toBe('invalid')
})

test('a tag that the store has lost takes along what hung on it, also once it is there again', async () => {
  const store = memoryStore()
  const tags = new Tags(store, 'behalf')
  const known = [tag('library')]
  const { marks } = await tags.capture(tags.keysOf('entry', known))
  await store.clear?.('behalf:tag:')
  const standing = async () => (await tags.read(tags.keysOf('entry', known))).standing(marks)
  expect(await standing()).toBe('invalid')
  await tags.capture(tags.keysOf('other', known))
  expect(await standing()).toBe('invalid')
})

test('what stands in the place of a version and is none spoils, and is replaced', async () => {
  const store = memoryStore()
  const tags = new Tags(store, 'behalf')
  const known = [tag('library'), everything()]
  await tags.capture(tags.keysOf('entry', known))
  await tags.fence(['entry'])
  for await (const key of store.keys?.('behalf:') ?? []) {
    const { marks } = await tags.capture(tags.keysOf('entry', known))
    const standing = async () => (await tags.read(tags.keysOf('entry', known))).standing(marks)
    expect(await standing()).toBe('valid')
    await store.set(key, Buffer.from('anything'))
    expect(await standing()).toBe('invalid')
    if (key.includes(':tag:')) {
      const { marks: next } = await tags.capture(tags.keysOf('entry', known))
      expect(await (await tags.read(tags.keysOf('entry', known))).standing(next)).toBe('valid')
    } else await store.delete(key)
  }
})

test('a request that took longer than a fence stands is not to be stored', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  try {
    const tags = new Tags(memoryStore(), 'behalf')
    const { mayStore } = await tags.capture(tags.keysOf('entry', []))
    vi.advanceTimersByTime(110_000)
    expect(mayStore()).toBe(true)
    vi.advanceTimersByTime(10_000)
    expect(mayStore()).toBe(false)
  } finally {
    vi.useRealTimers()
  }
})

test('keys are short, plain, and tell nothing of names', async () => {
  const keys: string[] = []
  const store = memoryStore()
  const tags = new Tags(store, 'n'.repeat(32))
  await tags.capture(
    tags.keysOf('entry', [tag('ada@example.com', 'p:1'), everything('p:1'), everything()]),
  )
  await tags.fence(['entry'])
  for await (const key of store.keys?.('') ?? []) keys.push(key)
  expect(keys).toHaveLength(4)
  for (const key of keys)
    expect(key).toMatch(/^n{32}:(tag:([0-9a-f]{12}:)?[0-9a-f]{32}|fence:entry)$/)
})

test('a store that fails is the caller’s to pass by', async () => {
  const broken = chaosStore(memoryStore(), [{ fault: 'throw' }])
  const tags = new Tags(
    guarded(broken, { name: 'cache', deadline: { read: 1, write: 1 } }),
    'behalf',
  )
  await expect(tags.read(tags.keysOf('entry', []))).rejects.toThrow(StoreUnavailableError)
  await expect(tags.capture(tags.keysOf('entry', [everything()]))).rejects.toThrow(
    StoreUnavailableError,
  )
  await expect(tags.invalidate([everything()])).rejects.toThrow(StoreUnavailableError)
})

test('whatever happens in whatever order, what is valid was fetched after the last invalidation', async () => {
  const names = ['a', 'b', 'c']
  const name = fc.constantFrom(...names)
  const step = fc.oneof(
    fc.record({ do: fc.constant('begin' as const), on: fc.uniqueArray(name) }),
    fc.record({ do: fc.constant('invalidate' as const), on: name }),
    fc.record({ do: fc.constant('makeStale' as const), on: name }),
    fc.record({ do: fc.constant('lose' as const), on: name }),
    fc.record({ do: fc.constant('fence' as const), which: fc.nat(10) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const store = memoryStore()
      const tags = new Tags(store, 'behalf')
      const fills: Array<{ keys: EntryKeys; on: string[]; marks: Marks; expected: Standing }> = []
      const spoil = (on: string, standing: Standing) => {
        for (const fill of fills) {
          if (fill.on.includes(on) && fill.expected !== 'invalid') fill.expected = standing
        }
      }
      for (const one of steps) {
        if (one.do === 'begin') {
          const key = `entry ${fills.length}`
          const keys = tags.keysOf(
            key,
            one.on.map((on) => tag(on)),
          )
          const { marks } = await tags.capture(keys)
          fills.push({ keys, on: one.on, marks, expected: 'valid' })
        } else if (one.do === 'fence') {
          const fill = fills[one.which % Math.max(1, fills.length)]
          if (fill) await tags.fence([fill.keys.entry])
          if (fill) fill.expected = 'invalid'
        } else if (one.do === 'lose') {
          const before = await listed(store)
          await tags.invalidate([tag(one.on)])
          const after = await listed(store)
          const changed = after.filter(([key, v]) => before.find(([k]) => k === key)?.[1] !== v)
          for (const [key] of changed) await store.delete(key)
          spoil(one.on, 'invalid')
        } else {
          await tags[one.do]([tag(one.on)])
          spoil(one.on, one.do === 'invalidate' ? 'invalid' : 'stale')
        }
        for (const { keys, marks, expected } of fills) {
          expect(tags.readAtHand(keys)?.standingAtHand(marks)).toBe(expected)
        }
      }
      for (const { keys, marks, expected } of fills) {
        expect(await (await tags.read(keys)).standing(marks)).toBe(expected)
      }
    }),
    { numRuns: 150 },
  )
})

async function listed(store: Store): Promise<Array<[string, string | undefined]>> {
  const found: Array<[string, string | undefined]> = []
  for await (const key of store.keys?.('') ?? []) {
    found.push([key, (await store.get(key))?.version])
  }
  return found
}

function spied(store: Store, operations: string[]): Store {
  return new Proxy(store, {
    get: (target, name: keyof Store) => {
      const member = target[name]
      if (typeof member !== 'function') return member
      return (...args: unknown[]) => {
        operations.push(name)
        return Reflect.apply(member, target, args) as unknown
      }
    },
  })
}

test('CA-12 in memory there is an end to tags, however many users and names there were', async () => {
  const store = memoryStore({ maxEntries: 300 })
  const cached = cachedFetch(async () => new Response('{}'), {
    store,
    partition: ({ headers }) => headers.get('authorization') ?? undefined,
    rules: [{ match: '/*', ttl: 60, tags: ['of the rule'] }],
  })
  const ask = async (user: string, tags: string[]) => {
    const reply = await cached('https://api.example/x', { headers: { authorization: user }, tags })
    await reply.text()
    return reply.headers.get('cache-status')
  }
  const users = Array.from({ length: 400 }, (_, number) => `user ${number}`)
  for (const user of users) await ask(user, [`of ${user}`])
  let entries = 0
  for await (const _key of store.keys!('')) entries += 1
  expect(entries).toBeLessThanOrEqual(300)
  expect(await ask(users.at(-1)!, [`of ${users.at(-1)}`])).toContain('hit')
})

test('in memory those who begin a tag at the same time do not invalidate each other', async () => {
  const cached = cachedFetch(async () => new Response('{}'), { defaultTtl: 60 })
  const urls = Array.from({ length: 20 }, (_, number) => `https://api.example/${number}`)
  await Promise.all(urls.map(async (url) => (await cached(url, { tags: ['one'] })).text()))
  for (const url of urls) {
    expect((await cached(url, { tags: ['one'] })).headers.get('cache-status')).toContain('hit')
  }
})
