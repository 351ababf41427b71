import { Cluster } from 'ioredis'
import { Cluster as Cluster5 } from 'ioredis5'
import { createCluster } from 'redis'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../../src/errors.ts'
import { redisStore } from '../../../src/stores/redis.ts'
import type { RedisDriverName } from '../../../src/stores/redis.ts'
import type { Store } from '../../../src/stores/store.ts'
import { component } from '../../components.ts'
import { replicated, startRedisCluster } from '../../support/redis-servers.ts'
import type { RunningRedis } from '../../support/redis-servers.ts'
import { describeStore } from '../describe-store.ts'

const redis = component('redis-server')
const drivers: readonly RedisDriverName[] = ['ioredis', 'redis']
const bytes = (text: string) => Buffer.from(text)

describe.skipIf(!redis.present)('redis cluster', async () => {
  if (!redis.present) return
  const cluster = await startRedisCluster()
  const roots = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const handedIn = new Cluster(roots)
  const handedIn5 = new Cluster5(roots, {
    enableAutoPipelining: true,
    autoPipeliningIgnoredCommands: ['eval', 'evalsha'],
  })
  const nodeRedis = await createCluster({ rootNodes: roots.map((socket) => ({ socket })) })
    .on('error', () => {})
    .connect()

  afterAll(async () => {
    handedIn.disconnect()
    handedIn5.disconnect()
    nodeRedis.destroy()
    await cluster.close()
  })

  describeStore('ioredis by URL', () => redisStore(`${cluster.url}&namespace=by_url`))
  describeStore('node-redis handed in', () => redisStore(nodeRedis))

  test('clear deletes on every server what begins with the prefix and nothing else', async () => {
    for (const [name, client] of Object.entries({ six: handedIn, five: handedIn5, nodeRedis })) {
      const store = redisStore(client, { namespace: name })
      const keys = Array.from({ length: 300 }, (_, index) => `some:${index}`)
      await store.setMany?.([...keys, 'other'].map((key) => [key, bytes(key)] as const))
      expect((await listed(store, 'some:')).toSorted()).toEqual(keys.toSorted())
      await store.clear?.('some:')
      expect(await listed(store, '')).toEqual(['other'])
    }
  })

  test('comparisons reach the right servers also with auto-pipelining', async () => {
    const store = redisStore(handedIn5, { namespace: 'pipelined' })
    const keys = Array.from({ length: 50 }, (_, index) => `key:${index}`)
    const swap = (key: string) => store.compareAndSwap(key, undefined, bytes(key))
    expect((await Promise.all(keys.map(swap))).filter(Boolean)).toHaveLength(50)
    expect((await Promise.all(keys.map(swap))).filter(Boolean)).toHaveLength(0)
    expect((await store.getMany?.(keys))?.map((entry) => entry?.value)).toEqual(keys.map(bytes))
  })

  test.each([{ scaleReads: 'all' }, { scaleReads: 'slave' }, { enableAutoPipelining: true }])(
    'an ioredis cluster with %j is refused',
    (options) => {
      const client = new Cluster(roots, { ...options, lazyConnect: true } as object)
      expect(() => redisStore(client)).toThrow(ConfigError)
      client.disconnect()
    },
  )

  test.each(drivers)(
    'after a master was killed %s gives errors only, and works again within 5 s of the promotion',
    async (driver) => {
      const lost = await cluster.masterOf('failover:{slot}key')
      const store = redisStore(`redis://127.0.0.1:${lost.port}?cluster=true&namespace=failover`, {
        driver,
      })
      const version = await store.compareAndSwap('{slot}key', undefined, bytes('before'))
      expect(version).toBeDefined()
      await replicated(lost)
      lost.server.freeze()
      const waiting = store.increment?.('{slot}count', 1)
      waiting?.catch(() => {})
      await sleep(50)
      const killedAt = performance.now()
      process.kill(lost.server.pid, 'SIGKILL')
      await lost.server.kill()
      await expect(waiting).rejects.toThrow(StoreUnavailableError)
      expect(performance.now() - killedAt).toBeLessThan(1_000)
      const { failures, promotedAt, backAt } = await outage(store)
      expect(failures.every((error) => error instanceof StoreUnavailableError)).toBe(true)
      expect(backAt - promotedAt).toBeLessThan(5_000)
      expect(await store.get('{slot}key')).toEqual({ value: bytes('before'), version })
      expect(await store.compareAndDelete('{slot}key', version ?? '')).toBe(true)
      expect(await store.increment?.('{slot}count', 1)).toBe(1)
      await store.delete('{slot}count')
      await store.close()
      await lost.server.start()
      await cluster.settled()
    },
    40_000,
  )

  test.each(drivers)('connections that a server closed are not noticed with %s', async (driver) => {
    const store = redisStore(cluster.url, { namespace: 'closed', driver })
    const keys = Array.from({ length: 20 }, (_, index) => `key:${index}`)
    for (const key of keys) await store.set(key, bytes(key))
    const node = await cluster.masterOf('closed:key:0')
    await node.cli('client', 'kill', 'type', 'normal')
    await sleep(50)
    for (const key of keys) expect((await store.get(key))?.value).toEqual(bytes(key))
    await store.close()
  })

  test.each(drivers)('a frozen master does not keep %s from the others', async (driver) => {
    const frozen = await cluster.masterOf('frozen:key')
    const store = redisStore(cluster.url, { namespace: 'frozen', driver, commandTimeout: 0.3 })
    const others = await keysElsewhere(frozen)
    for (const key of [...others, 'key']) await store.set(key, bytes(key))
    frozen.server.freeze()
    const awake = cluster.nodes.filter((node) => node !== frozen).map(({ port }) => port)
    const late = redisStore({
      cluster: awake.map((port) => ({ host: '127.0.0.1', port })),
      namespace: 'frozen',
      driver,
      commandTimeout: 0.2,
    })
    try {
      const began = performance.now()
      await expect(store.get('key')).rejects.toThrow(StoreUnavailableError)
      expect(performance.now() - began).toBeLessThan(1_000)
      for (const key of others) expect((await store.get(key))?.value).toEqual(bytes(key))
      const [key = ''] = others
      expect((await late.get(key))?.value).toEqual(bytes(key))
    } finally {
      frozen.server.thaw()
    }
    await Promise.all([store.close(), late.close()])
  })

  async function keysElsewhere(frozen: RunningRedis): Promise<string[]> {
    const keys = Array.from({ length: 20 }, (_, index) => `other:${index}`)
    const masters = await Promise.all(keys.map((key) => cluster.masterOf(`frozen:${key}`)))
    return keys.filter((_, index) => masters[index] !== frozen)
  }

  async function outage(store: Store) {
    const failures: unknown[] = []
    let promotedAt = Infinity
    const promotion = cluster.promoted().then(() => (promotedAt = performance.now()))
    const giveUpAt = performance.now() + 20_000
    let inARow = 0
    let backAt = Infinity
    while (performance.now() < giveUpAt) {
      try {
        const found = await store.get('{slot}key')
        expect(found?.value).toEqual(bytes('before'))
        await promotion
        inARow += 1
        if (inARow === 1) backAt = performance.now()
        // While a client learns of the promotion, a call may still fail after one that did not.
        if (inARow === 10) return { failures, promotedAt, backAt }
      } catch (error) {
        failures.push(error)
        inARow = 0
      }
      await sleep(20)
    }
    throw new Error('It never worked again.')
  }
})

async function listed(store: Store, prefix: string): Promise<string[]> {
  const found: string[] = []
  for await (const key of store.keys?.(prefix) ?? []) found.push(key)
  return found
}
