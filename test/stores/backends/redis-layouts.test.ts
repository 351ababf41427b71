import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../../src/errors.ts'
import { redisStore } from '../../../src/stores/redis.ts'
import type { RedisStoreOptions } from '../../../src/stores/redis.ts'
import type { Store } from '../../../src/stores/store.ts'
import { component } from '../../components.ts'
import { startRedis, until } from '../../support/redis-servers.ts'
import { describeStore } from '../describe-store.ts'

const redis = component('redis-server')
const bytes = (text: string) => Buffer.from(text)
const memory = (policy: string) => ['--maxmemory', '512mb', '--maxmemory-policy', policy]

describe.skipIf(!redis.present)('redis layouts', async () => {
  if (!redis.present) return
  const server = await startRedis()
  const volatile = await startRedis({ args: memory('volatile-lru') })
  const direct = new Redis(volatile.port)
  const stores: Store[] = []
  const open = (url: string, options?: RedisStoreOptions) => {
    const store = redisStore(url, options)
    stores.push(store)
    return store as Required<Store>
  }

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()))
    direct.disconnect()
    await Promise.all([server.close(), volatile.close()])
  })

  describeStore('a hash', () => redisStore(server.url, { namespace: 'fields', layout: 'hash' }))
  describeStore('a server that drops what has a ttl', () => redisStore(volatile.url))

  test('in a hash there is one Redis key, and clear of all deletes it', async () => {
    const store = open(server.url, { namespace: 'one', layout: 'hash' })
    const neighbour = open(server.url, { namespace: 'one' })
    await neighbour.set('key', bytes('neighbour'))
    await store.setMany(['a', 'b', 'c'].map((key) => [key, bytes(key)] as const))
    expect(await server.cli('type', 'one')).toBe('hash\n')
    expect(await server.cli('hlen', 'one')).toBe('3\n')
    await store.clear('')
    expect(await server.cli('exists', 'one')).toBe('0\n')
    expect((await neighbour.get('key'))?.value).toEqual(bytes('neighbour'))
  })

  test('in a hash what has expired goes as others are written', async () => {
    const store = open(server.url, { namespace: 'swept', layout: 'hash' })
    const keys = Array.from({ length: 600 }, (_, index) => `short:${index}`)
    await store.setMany(
      keys.map((key) => [key, bytes(key)] as const),
      { ttl: 0.05 },
    )
    await sleep(60)
    await until(async () => {
      for (let count = 0; count < 16; count += 1) await store.set('other', bytes('other'))
      return (await server.cli('hlen', 'swept')) === '1\n'
    })
    expect(await store.getMany(['short:1', 'short:2'])).toEqual([undefined, undefined])
  })

  test('in a hash reading what has expired removes it', async () => {
    const store = open(server.url, { namespace: 'read', layout: 'hash' })
    await store.set('key', bytes('value'), { ttl: 0.05 })
    await sleep(60)
    expect(await store.get('key')).toBeUndefined()
    expect(await server.cli('exists', 'read')).toBe('0\n')
  })

  test('what must last has no ttl where that would let the server drop it; what set wrote has', async () => {
    const store = open(volatile.url, { namespace: 'kept' })
    await store.set('cached', bytes('value'), { ttl: 60 })
    const version = await store.compareAndSwap('lease', undefined, bytes('value'), { ttl: 60 })
    await store.increment('count', 1, { ttl: 60 })
    const pttl = (key: string) => direct.pttl(`kept:${key}`)
    expect(await pttl('cached')).toBeGreaterThan(50_000)
    for (const key of ['lease', 'count']) {
      expect(await pttl(key)).toBe(-1)
      expect(await store.ttl(key)).toBeGreaterThan(50)
      expect(await store.expire(key, 70)).toBe(true)
      expect(await pttl(key)).toBe(-1)
      expect(await store.ttl(key)).toBeGreaterThan(60)
    }
    expect((await store.get('lease'))?.version).toBe(version)
    await store.expire('cached', 70)
    expect(await pttl('cached')).toBeGreaterThan(60_000)
    await store.set('counted', bytes('5'), { ttl: 60 })
    await store.increment('counted', 1)
    expect(await pttl('counted')).toBe(-1)
    expect(await store.ttl('counted')).toBeGreaterThan(50)
  })

  test('what must last and has expired is absent in every way', async () => {
    const store = open(volatile.url, { namespace: 'absent' })
    for (const key of ['a', 'b', 'c', 'd']) {
      await store.compareAndSwap(key, undefined, bytes(key), { ttl: 0.05 })
    }
    await store.compareAndSwap('long', undefined, bytes('long'), { ttl: 60 })
    await sleep(60)
    expect(await store.delete('a')).toBe(false)
    expect(await store.deleteMany(['b', 'c', 'long', 'long'])).toBe(1)
    const found: string[] = []
    for await (const key of store.keys('')) found.push(key)
    expect(found).toEqual([])
  })

  test('what must last and has expired is reclaimed as others are written', async () => {
    const store = open(volatile.url, { namespace: 'reclaimed' })
    const keys = Array.from({ length: 100 }, (_, index) => `short:${index}`)
    for (const key of keys) await store.compareAndSwap(key, undefined, bytes('v'), { ttl: 0.05 })
    await sleep(60)
    const left = async () => (await volatile.cli('--scan', '--pattern', 'reclaimed:short*')).length
    expect(await left()).toBeGreaterThan(0)
    await until(async () => {
      for (let count = 0; count < 64; count += 1) await store.set('other', bytes('other'))
      return (await left()) === 0
    })
  })

  test('a deadline holds also for a store that found another policy', async () => {
    const before = open(volatile.url, { namespace: 'policy' })
    await before.compareAndSwap('short', undefined, bytes('short'), { ttl: 0.2 })
    await before.compareAndSwap('long', undefined, bytes('long'), { ttl: 60 })
    await direct.config('SET', 'maxmemory-policy', 'noeviction')
    try {
      const after = open(volatile.url, { namespace: 'policy' })
      expect((await after.get('short'))?.value).toEqual(bytes('short'))
      await sleep(220)
      expect(await after.get('short')).toBeUndefined()
      expect((await after.getMany(['short', 'long']))[0]).toBeUndefined()
      expect((await after.getMany(['long', 'long']))[1]?.value).toEqual(bytes('long'))
      expect(await after.compareAndSwap('short', undefined, bytes('new'))).toBeDefined()
    } finally {
      await direct.config('SET', 'maxmemory-policy', 'volatile-lru')
    }
  })

  test.each(['allkeys-lru', 'allkeys-random', 'allkeys-lfu'])(
    'a server that may drop anything (%s) is refused, until the store is for caching only',
    async (policy) => {
      const dropping = await startRedis({ args: memory(policy) })
      const store = open(dropping.url)
      const attempt = store.get('key')
      await expect(attempt).rejects.toThrow(ConfigError)
      await expect(attempt).rejects.toThrow(/noeviction.*durable: false/)
      await expect(store.set('key', bytes('value'))).rejects.toThrow(ConfigError)
      await sleep(50)
      expect((await dropping.cli('client', 'list')).trim().split('\n')).toHaveLength(1)
      const cache = open(dropping.url, { durable: false })
      expect(cache.durable).toBe(false)
      await cache.set('key', bytes('value'))
      expect((await cache.get('key'))?.value).toEqual(bytes('value'))
      await dropping.cli('config', 'set', 'maxmemory-policy', 'noeviction')
      expect((await store.get('key'))?.value).toEqual(bytes('value'))
      await dropping.close()
    },
  )

  test('a policy without a limit drops nothing', async () => {
    const unlimited = await startRedis({ args: ['--maxmemory-policy', 'allkeys-lru'] })
    await expect(open(unlimited.url).set('key', bytes('value'))).resolves.toBeUndefined()
    await unlimited.close()
  })
})
