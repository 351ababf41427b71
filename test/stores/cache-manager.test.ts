import * as fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../src/errors.ts'
import { behalf, responseCache } from '../../src/middleware/express.ts'
import { spotify } from '../../src/oauth/providers/index.ts'
import { cacheManager } from '../../src/stores/cache-manager.ts'
import { escapeKey, unescapeKey } from '../../src/stores/cache-manager/escaping.ts'
import { Pattern } from '../../src/stores/cache-manager/pattern.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { chaosStore } from '../../src/testing/stores/chaos-store.ts'

const minimal = {
  baseUrl: 'https://app.example.com',
  secret: '0123456789abcdef0123456789abcdef',
  providers: { spotify: spotify({ clientId: 'id' }) },
}

test('a cache that is switched off finds nothing and asks its store for nothing', async () => {
  const store = chaosStore(memoryStore(), [{ fault: 'throw' }])
  const manager = cacheManager(store, { enabled: false })
  await manager.set('key', 'value')
  await manager.setMany({ a: 1 })
  expect(await manager.get('key')).toBeUndefined()
  expect(await manager.getMany(['key', 'a'])).toEqual([undefined, undefined])
  expect(await manager.exists('key')).toBe(false)
  expect(await manager.existsMany(['key'])).toEqual([false])
  expect(await manager.delete('key')).toBe(false)
  expect(await manager.deleteMany(['key'])).toBe(0)
  expect(await manager.getOrSet('key', () => 'made')).toBe('made')
  expect(await manager.increment('count', 3)).toBe(3)
  expect(await manager.setIfNotExists('key', 'value')).toBe(true)
  expect(await manager.getTtl('key')).toBeUndefined()
  expect(await manager.expire('key', 1)).toBe(false)
  expect(await manager.countKeys()).toBe(0)
  await manager.clear()
  await manager.clear('a*b')
})

test('a serializer of your own keeps what JSON cannot', async () => {
  const serializer = {
    serialize: (value: unknown) => JSON.stringify([...(value as Set<string>)]),
    deserialize: (bytes: Uint8Array) =>
      new Set(JSON.parse(Buffer.from(bytes).toString()) as string[]),
  }
  const manager = cacheManager(memoryStore(), { serializer })
  await manager.set('key', new Set(['a', 'b']))
  expect(await manager.get('key')).toEqual(new Set(['a', 'b']))
})

test('a value that the serializer cannot read is a miss', async () => {
  const store = memoryStore()
  await cacheManager(store, {
    serializer: { serialize: () => '{', deserialize: () => undefined },
  }).set('key', 'value')
  expect(await cacheManager(store).get('key')).toBeUndefined()
})

test('on a store that cannot count, counting still loses nothing', async () => {
  const { get, set, compareAndSwap, ...rest } = bare(memoryStore())
  const manager = cacheManager({ get, set, compareAndSwap, ...rest })
  await Promise.all(Array.from({ length: 100 }, () => manager.increment('count')))
  expect(await manager.get('count')).toBe(100)
})

test('a store that fails is a typed error without what the driver said', async () => {
  const store: Store = { ...bare(memoryStore()), reach: 'host' }
  store.get = () => Promise.reject(new Error('redis://:hunter2@host failed'))
  const error: unknown = await cacheManager(store)
    .get('key')
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(StoreUnavailableError)
  expect(String(error)).not.toContain('hunter2')
})

test('while the store is away getOrSet makes each value', async () => {
  const manager = cacheManager(chaosStore(memoryStore(), [{ fault: 'throw' }]))
  expect(await manager.getOrSet('key', () => 'made')).toBe('made')
  expect(await manager.getOrSet('key', () => 'made again')).toBe('made again')
})

test('counting ends where nothing that is written stays', async () => {
  const store = { ...bare(memoryStore()), compareAndSwap: async () => undefined }
  await expect(cacheManager(store).increment('count')).rejects.toThrow(StoreUnavailableError)
})

test('the URL of a store is no store', () => {
  const url = 'redis://user:hunter2@host' as unknown as Store
  expect(() => cacheManager(url)).toThrow(/createStore/)
  expect(() => responseCache({ store: url })).toThrow(/createStore/)
})

test('ST-08 a store that hangs is given up after the timeout', async () => {
  vi.useFakeTimers()
  try {
    const store: Store = { ...bare(memoryStore()), reach: 'cluster' }
    store.get = () => new Promise(() => {})
    const got = cacheManager(store, { timeout: 0.5 }).get('key')
    const outcome = got.catch((error: unknown) => error)
    await vi.advanceTimersByTimeAsync(501)
    expect(await outcome).toBeInstanceOf(StoreUnavailableError)
  } finally {
    vi.useRealTimers()
  }
})

test("clearing a cache leaves behalf's own keys, whatever the namespaces are", async () => {
  const store = memoryStore()
  const own = ['behalf:grant:abc', 'a_5f:grant:abc', 'cache:response:0:1']
  for (const key of own) await store.set(key, Buffer.from('kept'))
  for (const namespace of ['behalf', 'a_', 'a', 'cache']) {
    await cacheManager(store, { namespace }).clear()
  }
  for (const key of own) expect(await store.get(key)).toBeDefined()
  expect(() => behalf({ ...minimal, store, namespace: '_cache' })).toThrow(/namespace/)
})

test('what is deleted while it is being made is not kept, and is made anew for who asks later', async () => {
  const manager = cacheManager(memoryStore())
  let finish: ((value: string) => void) | undefined
  const slow = new Promise<string>((resolve) => (finish = resolve))
  for (const forget of [
    () => manager.delete('key'),
    () => manager.deleteMany(['key']),
    () => manager.clear(),
  ]) {
    const first = manager.getOrSet('key', () => slow)
    await new Promise((resolve) => setTimeout(resolve, 5))
    await forget()
    expect(await manager.getOrSet('key', () => 'new')).toBe('new')
    finish?.('old')
    expect(await first).toBe('old')
    expect(await manager.get('key')).toBe('new')
    await manager.delete('key')
  }
  const overwritten = manager.getOrSet('key', async () => {
    await manager.set('key', 'written')
    return 'made'
  })
  expect(await overwritten).toBe('made')
  expect(await manager.get('key')).toBe('written')
})

test('a key that is too long once escaped is refused with the reason', async () => {
  await expect(cacheManager(memoryStore()).set('K'.repeat(400), 1)).rejects.toThrow(
    /three for each/,
  )
})

test('a damaged value is a miss, never another one', async () => {
  const store = chaosStore(memoryStore(), [{ fault: 'corrupt', operations: ['get'] }])
  const manager = cacheManager(store)
  for (let round = 0; round < 200; round += 1) {
    await manager.set(`key:${round}`, { round })
    // JSON has no checksum: inside it a flipped bit may be another value of the same key.
    const found = await manager.get(`key:${round}`)
    expect(found === undefined || typeof found === 'object').toBe(true)
  }
})

test.each([
  { defaultTtl: 0 },
  { defaultTtl: -1 },
  { defaultTtl: Number.NaN },
  { namespace: '' },
  { namespace: 'a\0b' },
  { namespace: 'x'.repeat(61) },
  { namespace: '💩'.repeat(6) },
  { namespace: null as unknown as string },
  { enabled: 'false' as unknown as boolean },
  { timeout: -1 },
])('%j is refused', (options) => {
  expect(() => cacheManager(memoryStore(), options)).toThrow(ConfigError)
})

describe('keys and patterns', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 12 })
  const tricky = fc.string({
    unit: fc.constantFrom('a', 'b', '*', ':', '_', '%', '5', 'f', 'é', 'A', '.', '?'),
    maxLength: 8,
  })

  test('escaping can be undone, and uses few characters', () => {
    fc.assert(
      fc.property(fc.oneof(text, tricky), (key) => {
        expect(escapeKey(key)).toMatch(/^[a-z0-9:_-]*$/)
        expect(unescapeKey(escapeKey(key))).toBe(key)
      }),
    )
  })

  test('what was not escaped here is no key', () => {
    for (const text_ of ['_', '_5', '_5F', '_zz', 'A', 'é', '_ff', 'a b']) {
      expect(unescapeKey(text_)).toBeUndefined()
    }
  })

  test('a pattern matches what the like regular expression matches', () => {
    const noStar = fc.string({ unit: fc.constantFrom('a', 'b', ':', '.', '?'), maxLength: 8 })
    fc.assert(
      fc.property(tricky, fc.oneof(noStar, tricky), (pattern, key) => {
        const source = pattern
          .split('*')
          .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*')
        expect(new Pattern(pattern).matches(key)).toBe(new RegExp(`^${source}$`, 'su').test(key))
      }),
      { numRuns: 2_000 },
    )
  })

  test('a pattern of many stars ends', () => {
    expect(new Pattern('*a'.repeat(500)).matches(`${'a'.repeat(20_000)}b`)).toBe(false)
  })
})

/** Only what every store has. */
function bare(store: Store): Store {
  return {
    get: (key) => store.get(key),
    set: (...all) => store.set(...all),
    delete: (key) => store.delete(key),
    compareAndSwap: (...all) => store.compareAndSwap(...all),
    compareAndDelete: (...all) => store.compareAndDelete(...all),
    close: () => store.close(),
    reach: store.reach,
    durable: store.durable,
    maxValueBytes: store.maxValueBytes,
  }
}
