import { Redis } from 'ioredis'
import { Redis as Redis5 } from 'ioredis5'
import { afterAll, describe } from 'vitest'
import { redisStore } from '../../../src/stores/redis.ts'
import { component } from '../../components.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { describeStore } from '../describe-store.ts'

const redis = component('redis-server')

describe.skipIf(!redis.present)('redis with ioredis', async () => {
  if (!redis.present) return
  const server = await startRedis()
  const five = new Redis5(server.port)
  const six = new Redis(server.port, {
    keyPrefix: 'pre{fix}*',
    enableAutoPipelining: true,
    stringNumbers: true,
  })

  afterAll(async () => {
    five.disconnect()
    six.disconnect()
    await server.close()
  })

  describeStore('6 by URL', () => redisStore(`${server.url}/1?namespace=by_url`))
  describeStore('5 handed in', () => redisStore(five))
  describeStore('6 handed in, with a prefix, auto-pipelining and numbers as text', () =>
    redisStore(six),
  )
})
