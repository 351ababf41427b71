import { afterAll, describe, expect, test } from 'vitest'
import { cachedFetch } from '../../src/cache/index.ts'
import { component } from '../components.ts'
import { startRedis } from '../support/redis-servers.ts'
import { removeBuiltPrograms } from './built-program.ts'
import { type LeaderFate, tortureStampede } from './cache-stampede.ts'

afterAll(removeBuiltPrograms)

test(
  'CA-15 ten thousand callers of one process who ask at once for what is not there are one call',
  { timeout: 120_000 },
  async () => {
    let calls = 0
    const cached = cachedFetch(
      async () => {
        calls += 1
        await new Promise((resolve) => setTimeout(resolve, 50))
        return new Response('the thing')
      },
      { defaultTtl: 60 },
    )
    const asked = Array.from({ length: 10_000 }, async () =>
      (await cached('https://api.example/thing')).text(),
    )
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['the thing']))
    expect(calls).toBe(1)
  },
)

describe.skipIf(!component('redis-server').present)('CA-15 the callers of three processes', () => {
  // Nobody waits for another for more than two seconds, which a busy machine may not have.
  test.each<[LeaderFate]>([['answered'], ['killed']])(
    'are one call, with who made it %s, or one more where that is lost',
    { retry: 3, timeout: 120_000 },
    async (fate) => {
      const redis = await startRedis()
      const options = { url: redis.url, processes: 3, calls: 60, fate }
      const { wrong } = await tortureStampede(options).finally(() => redis.close())
      expect(wrong).toEqual([])
    },
  )
})
