import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { createStore } from '../../src/stores/create-store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { hostileRows } from '../hostile.ts'

afterEach(() => vi.restoreAllMocks())

const bytes = (text: string) => Buffer.from(text)

test('what was set and least recently used goes first beyond maxEntries', async () => {
  const store = memoryStore({ maxEntries: 3 })
  for (const key of ['a', 'b', 'c']) await store.set(key, bytes(key))
  await store.get('a')
  await store.set('d', bytes('d'))
  expect(await present(store, ['a', 'b', 'c', 'd'])).toEqual(['a', 'c', 'd'])
})

test('what was set goes beyond maxBytes', async () => {
  const store = memoryStore({ maxBytes: 1000 })
  await store.set('a', Buffer.alloc(600))
  await store.set('b', Buffer.alloc(600))
  expect(await present(store, ['a', 'b'])).toEqual(['b'])
})

test('what compareAndSwap wrote stays, however much is set', async () => {
  const store = memoryStore({ maxEntries: 10, maxBytes: 1000 })
  const leases = Array.from({ length: 50 }, (_, index) => `lease${index}`)
  for (const key of leases) await store.compareAndSwap(key, undefined, Buffer.alloc(100))
  for (let index = 0; index < 100; index += 1) await store.set(`s${index}`, Buffer.alloc(100))
  expect(await present(store, leases)).toEqual(leases)
})

test('the last writer decides whether an entry may be evicted', async () => {
  const store = memoryStore({ maxEntries: 2 })
  await store.set('set then swapped', bytes('1'))
  const found = await store.get('set then swapped')
  await store.compareAndSwap('set then swapped', found?.version, bytes('2'))
  await store.compareAndSwap('swapped then set', undefined, bytes('1'))
  await store.set('swapped then set', bytes('2'))
  for (const key of ['x', 'y', 'z']) await store.set(key, bytes(key))
  expect(await present(store, ['set then swapped', 'swapped then set'])).toEqual([
    'set then swapped',
  ])
})

test('expired leases are let go of by later writes', async () => {
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  const store = memoryStore()
  collectGarbage()
  const before = process.memoryUsage().arrayBuffers
  for (let index = 0; index < 3_000; index += 1) {
    await store.compareAndSwap(`lease${index}`, undefined, Buffer.alloc(100_000), { ttl: 0.001 })
  }
  // What is collected is given back a moment later.
  await vi.waitFor(
    () => {
      collectGarbage()
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000)
    },
    { timeout: 10_000 },
  )
  expect(await store.get('lease0')).toBeUndefined()
})

test('a clock that jumps neither ends nor prolongs a ttl', async () => {
  const store = memoryStore()
  const now = Date.now()
  const clock = vi.spyOn(Date, 'now')
  await store.set('key', bytes('value'), { ttl: 60 })
  await store.set('short', bytes('value'), { ttl: 0.02 })
  clock.mockReturnValue(now + 365 * 86_400_000)
  expect(await store.get('key')).toBeDefined()
  clock.mockReturnValue(0)
  await vi.waitFor(async () => expect(await store.get('short')).toBeUndefined())
})

test('entries with a ttl leave no timer behind', async () => {
  const timer = vi.spyOn(globalThis, 'setTimeout')
  const interval = vi.spyOn(globalThis, 'setInterval')
  const store = memoryStore()
  await store.set('a', bytes('a'), { ttl: 60 })
  await store.compareAndSwap('b', undefined, bytes('b'), { ttl: 60 })
  expect([...timer.mock.calls, ...interval.mock.calls]).toEqual([])
})

test('a memoryStore() is private, a named one is the same everywhere in the process', async () => {
  const [one, other] = [memoryStore(), memoryStore()]
  await one.set('key', bytes('value'))
  expect(await other.get('key')).toBeUndefined()

  vi.resetModules()
  const again = await import('../../src/stores/create-store.ts')
  expect(again.createStore).not.toBe(createStore)
  await createStore('memory:shared').set('key', bytes('value'))
  const found = await again.createStore('memory:shared').get('key')
  expect(Buffer.from(found!.value).toString()).toBe('value')
  expect(await again.createStore('memory:another').get('key')).toBeUndefined()
})

test('closing a named store does not take it from its other users', async () => {
  await createStore('memory:closed').set('key', bytes('value'))
  await createStore('memory:closed').close()
  expect(await createStore('memory:closed').get('key')).toBeDefined()
})

test.each([0, -1, 1.5, Number.NaN, Infinity])('a bound of %s is refused', (bound) => {
  expect(() => memoryStore({ maxBytes: bound })).toThrow(ConfigError)
  expect(() => memoryStore({ maxEntries: bound })).toThrow(ConfigError)
})

test('hostile keys are kept apart or refused with a RangeError', async () => {
  const store = memoryStore()
  const kept = new Map<string, string>()
  for (const { id, input } of hostileRows('storeKey')) {
    const key = input as string
    const error: unknown = await store.set(key, bytes(id)).catch((reason: unknown) => reason)
    if (error === undefined) kept.set(key, id)
    expect(error instanceof RangeError).toBe(typeof key !== 'string' || key.includes('\0'))
  }
  expect(kept.size).toBeGreaterThan(35)
  for (const [key, id] of kept) expect((await store.get(key))?.value).toEqual(encoded(id))
})

test.each(['', 'a\uD800', '\uDC00a', 'k'.repeat(1025)])('the key %j is refused', async (key) => {
  const store = memoryStore()
  await expect(store.get(key)).rejects.toThrow(RangeError)
  await expect(store.set(key, bytes('value'))).rejects.toThrow(RangeError)
  await expect(store.delete(key)).rejects.toThrow(RangeError)
  await expect(store.compareAndSwap(key, undefined, bytes('value'))).rejects.toThrow(RangeError)
  await expect(store.compareAndDelete(key, 'version')).rejects.toThrow(RangeError)
})

test('an expired lease does not bring back what was set before it', async () => {
  const store = memoryStore()
  await store.set('key', bytes('before'))
  const found = await store.get('key')
  await store.compareAndSwap('key', found?.version, bytes('lease'), { ttl: 0.001 })
  await new Promise((resolve) => setTimeout(resolve, 20))
  for (let index = 0; index < 10; index += 1) await store.set(`other${index}`, bytes('value'))
  expect(await store.get('key')).toBeUndefined()
})

const encoded = (text: string) => new TextEncoder().encode(text)

async function present(
  store: ReturnType<typeof memoryStore>,
  keys: readonly string[],
): Promise<string[]> {
  const found = await Promise.all(keys.map((key) => store.get(key)))
  return keys.filter((_, index) => found[index])
}

describe('a partition beyond its share', () => {
  const fill = async (store: Store, partition: string, count: number) => {
    for (let index = 0; index < count; index += 1) {
      await store.set(`app:${partition}:${index}`, bytes('value'))
    }
  }
  const held = async (store: Store, partition: string, count: number) => {
    const names = Array.from({ length: count }, (_, index) => `app:${partition}:${index}`)
    return (await present(store, names)).length
  }

  test('gives up its own entries, not those of the others', async () => {
    const store = memoryStore({ maxEntries: 100 })
    await fill(store, 'alice', 20)
    await fill(store, 'bob', 20)
    await fill(store, 'mallory', 1_000)
    expect(await held(store, 'alice', 20)).toBe(20)
    expect(await held(store, 'bob', 20)).toBe(20)
    expect(await held(store, 'mallory', 1_000)).toBe(60)
    expect(await present(store, ['app:mallory:999', 'app:mallory:939'])).toEqual([
      'app:mallory:999',
    ])
  })

  test('is measured in bytes as well', async () => {
    const store = memoryStore({ maxBytes: 1_000 })
    await fill(store, 'alice', 20)
    for (let index = 0; index < 100; index += 1) {
      await store.set(`app:mallory:${index}`, new Uint8Array(90))
    }
    expect(await held(store, 'alice', 20)).toBe(20)
    expect(await held(store, 'mallory', 100)).toBe(10)
  })

  test('may fill what nobody else uses', async () => {
    const store = memoryStore({ maxEntries: 100 })
    await fill(store, 'alice', 90)
    expect(await held(store, 'alice', 90)).toBe(90)
    await fill(store, 'bob', 20)
    expect(await held(store, 'bob', 20)).toBe(20)
  })

  test('that has gone counts for nothing', async () => {
    const store = memoryStore({ maxEntries: 10, partitionShare: 0.5 })
    await fill(store, 'mallory', 10)
    await store.clear?.('app:mallory:')
    await fill(store, 'alice', 1)
    await fill(store, 'mallory', 9)
    expect(await held(store, 'mallory', 9)).toBe(9)
    expect(await held(store, 'alice', 1)).toBe(1)
  })
})

test.each([0, -1, 1.01, Number.NaN])('a partitionShare of %s is refused', (partitionShare) => {
  expect(() => memoryStore({ partitionShare })).toThrow(/partitionShare/)
})
