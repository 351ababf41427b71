import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis5'
import { afterAll, describe } from 'vitest'
import { redisStore } from '../../../src/stores/redis.ts'
import { component } from '../../components.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { describeStore } from '../describe-store.ts'

const redis = component('redis-server')
const valkey = component('valkey-server')

describe.skipIf(!redis.present)('redis with node-redis', async () => {
  if (!redis.present) return
  const server = await startRedis()
  const client = await createClient({ url: server.url })
    .on('error', () => {})
    .connect()

  const five = await createClient5({ url: server.url })
    .on('error', () => {})
    .connect()

  afterAll(async () => {
    client.destroy()
    five.destroy()
    await server.close()
  })

  describeStore('6 handed in', () => redisStore(client))
  describeStore('5 handed in', () => redisStore(five, { namespace: 'five' }))
  describeStore('6 by options', () =>
    redisStore({ port: server.port, driver: 'redis', namespace: 'options' }),
  )
})

describe.skipIf(!valkey.present)('valkey', async () => {
  if (!valkey.present) return
  const server = await startRedis({ program: 'valkey-server' })
  afterAll(() => server.close())

  describeStore('by URL', () => redisStore(server.url.replace('redis:', 'valkey:')))
})
