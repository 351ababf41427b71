import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createClient, createClientPool } from 'redis'
import { afterAll, describe, expect, test } from 'vitest'
import { StoreUnavailableError } from '../../../src/errors.ts'
import { isRedisClient, redisStore } from '../../../src/stores/redis.ts'
import type { RedisClient, RedisStoreOptions } from '../../../src/stores/redis.ts'
import type { Store } from '../../../src/stores/store.ts'
import { component } from '../../components.ts'
import { startRedis } from '../../support/redis-servers.ts'

const redis = component('redis-server')
const bytes = (text: string) => Buffer.from(text)

describe.skipIf(!redis.present)('redis', async () => {
  if (!redis.present) return
  const server = await startRedis()
  const direct = new Redis(server.port)
  const stores: Store[] = []
  const open = (source: string | RedisClient = server.url, options?: RedisStoreOptions) => {
    const store = redisStore(source, options)
    stores.push(store)
    return store as Required<Store>
  }

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()))
    direct.disconnect()
    await server.close()
  })

  test('a value is under namespace:key, and the server itself expires it', async () => {
    const store = open(server.url, { namespace: 'named' })
    await store.set('key', bytes('value'), { ttl: 60 })
    expect(await direct.pttl('named:key')).toBeGreaterThan(59_000)
    await store.compareAndSwap('other', undefined, bytes('value'), { ttl: 30 })
    expect(await direct.pttl('named:other')).toBeGreaterThan(29_000)
    await store.increment('count', 1, { ttl: 30 })
    await store.increment('count', 1, { ttl: 3_000 })
    expect(await direct.pttl('named:count')).toBeLessThanOrEqual(30_000)
    await store.expire('key', Infinity)
    expect(await direct.pttl('named:key')).toBe(-1)
    for (const ttl of [1e15, 1e300, Number.MAX_VALUE]) {
      await store.set('key', bytes('value'), { ttl })
      expect(await store.ttl('key')).toBe(Infinity)
    }
  })

  test('ST-02 clear leaves other namespaces, also those that a pattern would match', async () => {
    const mine = open(server.url, { namespace: 'clear' })
    await direct.set('clear', 'not mine')
    await direct.set('clearance:key', 'not mine')
    await direct.set('xclear:key', 'not mine')
    await mine.set('key', bytes('value'))
    await mine.clear('')
    expect(await mine.get('key')).toBeUndefined()
    expect(await direct.exists('clear', 'clearance:key', 'xclear:key')).toBe(3)
  })

  test('ST-02 a hundred thousand keys are cleared in short steps, without KEYS or FLUSHDB', async () => {
    const store = open(server.url, { namespace: 'many' })
    await direct.eval(
      "for i = 1, 100000 do redis.call('SET', 'many:gone:' .. i, string.rep('x', 100)) end",
      0,
    )
    await store.set('stays', bytes('stays'))
    await direct.config('RESETSTAT')
    await store.clear('gone:')
    const times = await direct.info('latencystats')
    for (const command of ['scan', 'unlink']) {
      const [, p99] = new RegExp(`usec_${command}:p50=[^,]+,p99=([\\d.]+)`).exec(times) ?? []
      expect(Number(p99), command).toBeLessThan(10_000)
    }
    const stats = await direct.info('commandstats')
    expect(stats).toContain('cmdstat_scan')
    expect(stats).not.toMatch(/cmdstat_(?:keys|flushdb|flushall|del):/)
    expect(await listed(store)).toEqual(['stays'])
  }, 30_000)

  test('a key that is listed twice comes once', async () => {
    const real = new Redis(server.port)
    const twice = fake(real, async (method, args) => {
      const reply = await call(real, method, args)
      if (method !== 'scanBuffer') return reply
      const [cursor, found] = reply as [unknown, Buffer[]]
      return [cursor, [...found, ...found]]
    })
    const store = open(twice, { namespace: 'twice' })
    await store.set('a', bytes('a'))
    await store.set('b', bytes('b'))
    expect((await listed(store)).toSorted()).toEqual(['a', 'b'])
    real.disconnect()
  })

  describe.each(['keys', 'hash'] as const)('in the layout %s', (layout) => {
    const namespace = `foreign_${layout}`
    const place = async (store: Required<Store>, key: string, value: Buffer) => {
      await store.delete(key)
      if (layout === 'hash') await direct.hset(namespace, key, value)
      else await direct.set(`${namespace}:${key}`, value)
    }
    const raw = async (key: string): Promise<Buffer> =>
      (layout === 'hash'
        ? await direct.hgetBuffer(namespace, key)
        : await direct.getBuffer(`${namespace}:${key}`)) ?? Buffer.alloc(0)

    test('what others wrote, what is damaged and what is of another key are absent', async () => {
      const store = open(server.url, { namespace, layout })
      await store.set('source', bytes('a value of 1'))
      const good = await raw('source')
      const { version } = (await store.get('source'))!
      const changed = (at: number, byte: number) => {
        const copy = Buffer.from(good)
        copy[at] = byte
        return copy
      }
      const foreign = {
        text: bytes('{"a":1}'),
        empty: Buffer.alloc(0),
        digits: bytes('41'),
        'a record of another key': good,
        'cut off': good.subarray(0, -1),
        'cut in the head': good.subarray(0, 20),
        'too long': Buffer.concat([good, bytes('x')]),
      }
      for (const [key, value] of Object.entries(foreign)) {
        await place(store, key, value)
        expect(await store.get(key), key).toBeUndefined()
        expect(await store.getMany([key]), key).toEqual([undefined])
        expect(await store.ttl(key), key).toBeUndefined()
        expect(await store.expire(key, 60), key).toBe(false)
        expect(await store.compareAndDelete(key, version), key).toBe(false)
        expect(await store.compareAndSwap(key, version, bytes('new')), key).toBeUndefined()
        await place(store, key, value)
        expect(await store.compareAndSwap(key, undefined, bytes('new')), key).toBeDefined()
        expect((await store.get(key))?.value, key).toEqual(bytes('new'))
        await place(store, key, value)
        expect(await store.increment(key, 1), key).toBe(1)
      }
      for (const record of [changed(0, 3), changed(13, good[13]! ^ 1), changed(17, 1)]) {
        await place(store, 'source', record)
        expect(await store.get('source')).toBeUndefined()
        expect(await store.getMany(['source'])).toEqual([undefined])
        expect(await store.compareAndSwap('source', undefined, bytes('new'))).toBeDefined()
      }
    })

    test('a command that a driver sends twice writes once, and gives the same answer', async () => {
      const real = new Redis(server.port)
      const again = fake(real, async (method, args) => {
        if (method === 'evalshaBuffer') await call(real, method, args).catch(() => {})
        return call(real, method, args)
      })
      const store = open(again, { namespace: `again_${layout}`, layout })
      const version = await store.compareAndSwap('key', undefined, bytes('1'))
      expect(version).toBeDefined()
      expect(await store.compareAndSwap('key', version, bytes('2'))).toBeDefined()
      expect(await store.increment('key', 5)).toBe(7)
      expect(await store.increment('new', 5)).toBe(5)
      real.disconnect()
    })

    test('comparisons go on after the server forgot its scripts', async () => {
      const store = open(server.url, { namespace: `scripts_${layout}`, layout })
      let version = await store.compareAndSwap('key', undefined, bytes('0'))
      for (let count = 1; count < 4; count += 1) {
        await direct.script('FLUSH')
        version = await store.compareAndSwap('key', version, bytes(String(count)))
        expect(version).toBeDefined()
      }
      await store.delete('key')
    })
  })

  test('a key of another type is absent, and can be written', async () => {
    const store = open(server.url, { namespace: 'types' })
    const lists = ['a', 'b', 'c']
    for (const key of lists) await direct.rpush(`types:${key}`, 'item')
    expect(await store.get('a')).toBeUndefined()
    expect(await store.getMany(lists)).toEqual([undefined, undefined, undefined])
    expect(await store.ttl('a')).toBeUndefined()
    expect(await store.compareAndSwap('a', undefined, bytes('new'))).toBeDefined()
    expect(await store.increment('b', 2)).toBe(2)
    await store.set('c', bytes('new'))
    expect((await store.get('c'))?.value).toEqual(bytes('new'))
  })

  test('a listing leaves out names that no key can have', async () => {
    const store = open(server.url, { namespace: 'names' })
    await store.set('good é', bytes('value'))
    await direct.set(Buffer.from('names:\xff', 'latin1'), 'x')
    await direct.set('names:', 'x')
    await direct.set(`names:${'x'.repeat(1025)}`, 'x')
    expect(await listed(store)).toEqual(['good é'])
  })

  test('a hundred values found at once are at least three times as fast as one by one', async () => {
    const store = open(server.url, { namespace: 'batch' })
    const keys = Array.from({ length: 100 }, (_, index) => `key:${index}`)
    await store.setMany(keys.map((key) => [key, Buffer.alloc(500)] as const))
    const time = async (run: () => Promise<unknown>) => {
      const times: number[] = []
      for (let round = 0; round < 9; round += 1) {
        const began = performance.now()
        await run()
        times.push(performance.now() - began)
      }
      return Math.min(...times)
    }
    const oneByOne = await time(async () => {
      for (const key of keys) await store.get(key)
    })
    expect(oneByOne / (await time(() => store.getMany(keys)))).toBeGreaterThan(3)
  })

  test('many first uses at a time open one connection', async () => {
    const before = await clients()
    const store = open(server.url)
    await Promise.all(Array.from({ length: 50 }, (_, index) => store.get(`key:${index}`)))
    expect(await clients()).toBe(before + 1)
    await store.close()
    await sleep(50)
    expect(await clients()).toBe(before)
  })

  test('a buffer that changes while the store connects is stored as it was', async () => {
    const store = open(server.url, { namespace: 'buffers' })
    const [one, two, three] = [bytes('one'), bytes('two'), bytes('three')]
    const written = Promise.all([
      store.set('one', one),
      store.compareAndSwap('two', undefined, two),
      store.setMany([['three', three]]),
    ])
    for (const buffer of [one, two, three]) buffer.fill(0)
    await written
    const found = await store.getMany(['one', 'two', 'three'])
    expect(found.map((entry) => Buffer.from(entry?.value ?? []).toString())).toEqual([
      'one',
      'two',
      'three',
    ])
  })

  describe('a client that was handed in', () => {
    test('stays open after close', async () => {
      const client = await createClient({ url: server.url }).connect()
      const pool = createClientPool({ url: server.url })
      await pool.connect()
      for (const handedIn of [direct, client, pool]) {
        expect(isRedisClient(handedIn)).toBe(true)
        const store = open(handedIn, { namespace: 'handed' })
        await store.set('key', bytes('value'))
        await store.close()
        await expect(store.get('key')).rejects.toThrow(/it has been closed/)
        await expect(store.set('key', bytes('value'))).rejects.toThrow(StoreUnavailableError)
      }
      expect(await direct.ping()).toBe('PONG')
      expect(await client.ping()).toBe('PONG')
      client.destroy()
      pool.destroy()
    })

    test('and is not connected is said to be so, until it is', async () => {
      const client = createClient({ url: server.url })
      const store = open(client)
      await expect(store.get('key')).rejects.toMatchObject({ code: 'config_invalid' })
      await expect(store.get('key')).rejects.toThrow(/await client\.connect\(\)/)
      await client.connect()
      expect(await store.get('key')).toBeUndefined()
      client.destroy()
      await expect(store.get('key')).rejects.toThrow(StoreUnavailableError)
    })

    test('of ioredis connects itself if it is lazy', async () => {
      const client = new Redis(server.port, { lazyConnect: true })
      expect(await open(client).get('key')).toBeUndefined()
      client.disconnect()
      await expect(open(client).get('key')).rejects.toThrow(StoreUnavailableError)
    })
  })

  async function clients(): Promise<number> {
    return String(await direct.client('LIST', 'TYPE', 'NORMAL'))
      .trim()
      .split('\n').length
  }
})

async function listed(store: Required<Store>): Promise<string[]> {
  const found: string[] = []
  for await (const key of store.keys('')) found.push(key)
  return found
}

type Call = (method: string, args: unknown[]) => Promise<unknown>

/** A client whose commands are answered by `answer`. */
function fake(client: Redis, answer: Call): Redis {
  return new Proxy(client, {
    get: (target, name) =>
      typeof name === 'string' && /^[a-z]+Buffer$/.test(name) && name !== 'callBuffer'
        ? (...args: unknown[]) => answer(name, args)
        : Reflect.get(target, name),
  })
}

function call(client: Redis, method: string, args: unknown[]): Promise<unknown> {
  return Reflect.apply(Reflect.get(client, method) as never, client, args) as Promise<unknown>
}
