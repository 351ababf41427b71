import { afterAll, expect, test } from 'vitest'
import { createBehalf } from '../../src/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor } from '../../src/testing/index.ts'
import { component } from '../components.ts'
import { startRedis } from '../support/redis-servers.ts'
import { createWorld } from '../middleware/express-app.ts'
import { tortureBackends } from './backends.ts'
import { removeBuiltPrograms } from './built-program.ts'
import { isTooSlow, tortureRolling } from './rolling-torture.ts'
import { tortureSkippedAppend } from './rolling-skipped.ts'

afterAll(removeBuiltPrograms)

// The long form is `npm run torture tokens rolling`.
test.skipIf(!component('redis-server').present)(
  'SE-07 while processes are replaced and a new secret takes over, every request is answered and everybody stays logged in',
  async () => {
    const redis = await startRedis()
    try {
      const options = { url: redis.url, processes: 2, browsers: 6 }
      const { wrong, figures } = await tortureRolling(options)
      expect(wrong.filter((one) => !isTooSlow(one))).toEqual([])
      expect(figures['store too slow']).toBeLessThan(0.02 * figures['requests']!)
      expect(figures['restarts']).toBe(4)
      expect(figures['refreshes']).toBeGreaterThan(0)
    } finally {
      await redis.close()
    }
  },
  90_000,
)

test('SE-07 a process without the newer secret answers 503, and nobody has to log in again', async () => {
  const backend = await tortureBackends()
    .find(({ name }) => name === 'sqlite')!
    .start()
  try {
    const { wrong, figures } = await tortureSkippedAppend({ url: backend.url, browsers: 3 })
    expect(wrong).toEqual([])
    expect(figures['refused']).toBe(15)
  } finally {
    await backend.close()
  }
}, 60_000)

test('SE-07 who comes back when the older secret has gone can log in', async () => {
  const world = await createWorld()
  const store = memoryStore()
  const [older, newer] = ['older', 'newer'].map((name) => `the-${name}-secret-of-a-test-0123456789`)
  const app = (secret: string) =>
    createBehalf({ store, secret, providers: { spotify: world.spotify }, user: () => undefined })
  try {
    await grantFor(app(older!), { user: 'ada', provider: 'spotify' })
    await grantFor(app(newer!), { user: 'ada', provider: 'spotify' })
    const { tokens } = await app(newer!).forUser('ada')
    expect(world.provider.accountOf(await tokens.spotify.getAccessToken())?.userId).toBe('ada')
  } finally {
    await world.close()
  }
})
