import { RedisStore } from 'connect-redis'
import session from 'express-session'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { loginAs } from '../../src/testing/index.ts'
import { component } from '../components.ts'
import { createApp, secret, useWorld } from '../middleware/express-app.ts'
import { cookiesOf } from '../middleware/flow.ts'
import { type RunningRedis, startRedis } from '../support/redis-servers.ts'
import { describeSessions } from './describe-sessions.ts'

describe.skipIf(!component('redis-server').present)('connect-redis with node-redis', () => {
  let server: RunningRedis
  let client: ReturnType<typeof createClient>
  beforeAll(async () => {
    server = await startRedis()
    client = createClient({ url: server.url })
    await client.connect()
  })
  afterAll(async () => {
    client.destroy()
    await server.close()
  })

  const sessions = () =>
    session({
      store: new RedisStore({ client }),
      secret,
      resave: false,
      saveUninitialized: false,
      rolling: true,
    })

  describeSessions('rolling sessions', () => ({
    hasSession: true,
    before: (app) => app.use(sessions()),
  }))

  describe('several processes', () => {
    const world = useWorld()

    test('share a login, and the session in Redis holds no token', async () => {
      const settings = {
        options: { store: memoryStore() },
        before: (app: { use(handler: ReturnType<typeof session>): unknown }) => {
          app.use(sessions())
        },
      }
      const [one, other] = [createApp(world, settings), createApp(world, settings)]
      const ada = one.browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      const cookie = cookiesOf(ada).join('; ')
      await other.browser().get('/me').set('cookie', cookie).expect(200)
      const keys = await client.keys('sess:*')
      const kept = await Promise.all(keys.map((key) => client.get(key)))
      expect(kept.join('\n')).toMatch(/"behalf":"[\w-]{22}\.[\w-]{32}"/)
      expect(kept.join('\n')).not.toMatch(/[a-z_]token"|"eyJ/i)
    })
  })
})
