import { Redis } from 'ioredis'
import { createSentinel } from 'redis'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { StoreUnavailableError } from '../../../src/errors.ts'
import { redisStore } from '../../../src/stores/redis.ts'
import type { RedisDriverName } from '../../../src/stores/redis.ts'
import type { Store } from '../../../src/stores/store.ts'
import { component } from '../../components.ts'
import { replicated, startSentinel, until } from '../../support/redis-servers.ts'
import { describeStore } from '../describe-store.ts'

const redis = component('redis-server')
const drivers: readonly RedisDriverName[] = ['ioredis', 'redis']
const bytes = (text: string) => Buffer.from(text)

describe.skipIf(!redis.present)('redis sentinel', async () => {
  if (!redis.present) return
  const group = await startSentinel()
  const roots = group.sentinels.map(({ port }) => ({ host: '127.0.0.1', port }))
  const ioredis = new Redis({ sentinels: roots, name: 'mymaster' })
  ioredis.on('error', () => {})
  const nodeRedis = await createSentinel({ name: 'mymaster', sentinelRootNodes: roots })
    .on('error', () => {})
    .connect()

  afterAll(async () => {
    ioredis.disconnect()
    await nodeRedis.destroy()
    await group.close()
  })

  describeStore('by URL', () => redisStore(`${group.url}&namespace=by_url`))
  describeStore('node-redis handed in', () => redisStore(nodeRedis, { namespace: 'node' }))

  test.each([
    ['ioredis by options', () => redisStore({ sentinels: roots, sentinelName: 'mymaster' })],
    ['node-redis by URL', () => redisStore(group.url, { driver: 'redis' })],
    ['ioredis handed in', () => redisStore(ioredis)],
  ])('the master is found with %s', async (_, make) => {
    const store = make()
    await store.set('key', bytes('value'))
    expect(await group.master.cli('exists', 'behalf:key')).toBe('1\n')
    expect((await store.get('key'))?.value).toEqual(bytes('value'))
    await store.close()
  })

  test.each(drivers)('%s does not follow a sentinel that names a replica', async (driver) => {
    const wrong = await startWrongSentinel(group.replica.port)
    const hosts = [wrong.port, ...roots.map(({ port }) => port)].map((port) => `127.0.0.1:${port}`)
    for (let count = 0; count < 5; count += 1) {
      const store = redisStore(`redis://${hosts.join(',')}?sentinel=mymaster`, { driver })
      await expect(store.set('key', bytes('value'))).resolves.toBeUndefined()
      await store.close()
    }
    expect(wrong.asked()).toBeGreaterThan(0)
    wrong.close()
  })

  test('a master that no sentinel knows, and sentinels that are not there, are failures', async () => {
    for (const url of [
      group.url.replace('mymaster', 'nobody'),
      'redis://127.0.0.1:1,127.0.0.1:2?sentinel=mymaster',
    ]) {
      const store = redisStore(url)
      await expect(store.get('key')).rejects.toThrow(StoreUnavailableError)
      await store.close()
    }
  })

  test('after the master was killed there are errors only, and all works within 5 s of the promotion', async () => {
    const stores = drivers.map((driver) => redisStore(group.url, { driver, namespace: driver }))
    for (const store of stores) await store.set('key', bytes('before'))
    await replicated(group.master)
    await group.master.server.kill()
    let promotedAt = Infinity
    const promotion = until(async () => (await group.replica.cli('role')).startsWith('master'))
    promotion.then(() => (promotedAt = performance.now())).catch(() => {})
    const outages = await Promise.all(stores.map(outage))
    await promotion
    for (const { failures, backAt } of outages) {
      expect(failures.length).toBeGreaterThan(0)
      expect(failures.every((error) => error instanceof StoreUnavailableError)).toBe(true)
      expect(backAt - promotedAt).toBeLessThan(5_000)
    }
    await Promise.all(stores.map((store) => store.close()))
  }, 40_000)
})

/** Writes until that works again; what is read meanwhile must be what was written. */
async function outage(store: Store): Promise<{ failures: unknown[]; backAt: number }> {
  const failures: unknown[] = []
  const giveUpAt = performance.now() + 25_000
  while (performance.now() < giveUpAt) {
    try {
      expect((await store.get('key'))?.value).toEqual(bytes('before'))
      await store.set('other', bytes('after'))
      return { failures, backAt: performance.now() }
    } catch (error) {
      failures.push(error)
      await sleep(20)
    }
  }
  throw new Error('It never worked again.')
}

/** Answers every command at once, and the question for the master with another server's port. */
async function startWrongSentinel(namedPort: number) {
  let asked = 0
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      for (const command of data.toString().split(/(?=^\*)/m)) {
        const named = command.toLowerCase().includes('get-master-addr-by-name')
        if (named) asked += 1
        const port = String(namedPort)
        socket.write(named ? `*2\r\n$9\r\n127.0.0.1\r\n$${port.length}\r\n${port}\r\n` : '+OK\r\n')
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { port, asked: () => asked, close: () => server.close() }
}
