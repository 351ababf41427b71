import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { redisStore } from '../../src/stores/redis.ts'
import type { Store } from '../../src/stores/store.ts'
import { startRedis } from '../../test/support/redis-servers.ts'
import { report, sideBySide } from '../side-by-side.ts'
import { keysInTurn, value } from './value.ts'

const atMost = 1.15
const alone = { atATime: 1, calls: 1_000 }
/** Bytes as bytes, in node-redis's words. */
const binary = { typeMapping: { 36: Buffer } }

/** Against the client itself, which sends the same one command. */
export async function redis(): Promise<boolean[]> {
  const server = await startRedis()
  const client = new Redis(server.port)
  const nodeRedis = await createClient({ url: server.url })
    .on('error', () => {})
    .connect()
  const store = redisStore(server.url, { namespace: 'bench' })
  const onNodeRedis = redisStore(server.url, { namespace: 'bench', driver: 'redis' })
  const key = keysInTurn(1_000)
  try {
    return [
      await sideBySide({
        name: 'redis set (ioredis)',
        atMost,
        bare: () => client.set(key(), value, 'PX', 600_000),
        ours: () => store.set(key(), value, { ttl: 600 }),
      }),
      await sideBySide({
        name: 'redis get (ioredis)',
        atMost,
        bare: () => client.getBuffer(key()),
        ours: () => store.get(key()),
      }),
      await sideBySide({
        name: 'redis set, one at a time (ioredis)',
        atMost,
        ...alone,
        bare: () => client.set(key(), value, 'PX', 600_000),
        ours: () => store.set(key(), value, { ttl: 600 }),
      }),
      await sideBySide({
        name: 'redis get, one at a time (ioredis)',
        atMost,
        ...alone,
        bare: () => client.getBuffer(key()),
        ours: () => store.get(key()),
      }),
      await sideBySide({
        name: 'redis set (node-redis)',
        atMost,
        bare: () => nodeRedis.sendCommand(['SET', key(), value, 'PX', '600000'], binary as never),
        ours: () => onNodeRedis.set(key(), value, { ttl: 600 }),
      }),
      await sideBySide({
        name: 'redis get (node-redis)',
        atMost,
        bare: () => nodeRedis.sendCommand(['GET', key()], binary as never),
        ours: () => onNodeRedis.get(key()),
      }),
      await manyAtOnce(store),
      await clearing(store, client),
    ]
  } finally {
    await Promise.all([store.close(), onNodeRedis.close()])
    client.disconnect()
    nodeRedis.destroy()
    await server.close()
  }
}

/** getMany(100) in place of 100 gets, one after the other: a tenth of the time or less. */
async function manyAtOnce(store: Store): Promise<boolean> {
  const keys = Array.from({ length: 100 }, (_, index) => `many:${index}`)
  for (const key of keys) await store.set(key, value, { ttl: 600 })
  return sideBySide({
    name: 'redis getMany(100) to 100 gets',
    atMost: 0.1,
    atATime: 1,
    calls: 20,
    bare: async () => {
      for (const key of keys) await store.get(key)
    },
    ours: () => store.getMany!(keys),
  })
}

/** While 100,000 keys are cleared: how long another client's PING has to wait, at most 10 ms. */
async function clearing(store: Store, client: Redis): Promise<boolean> {
  for (let at = 0; at < 100_000; at += 1_000) {
    const some = Array.from({ length: 1_000 }, (_, index) => `clear:${at + index}`)
    await store.setMany!(some.map((key) => [key, value.subarray(0, 100)] as const))
  }
  await client.config('SET', 'slowlog-log-slower-than', 0)
  await client.config('SET', 'slowlog-max-len', 100_000)
  await client.call('SLOWLOG', 'RESET')
  await store.clear!('clear:')
  const slow = (await client.call('SLOWLOG', 'GET', 100_000)) as Array<[number, number, number]>
  const longest = Math.max(...slow.map(([, , microseconds]) => microseconds))
  return report('redis clear of 100,000: longest block, of 10 ms', {
    ratio: longest / 10_000,
    atMost: 1,
    microseconds: longest,
  })
}
