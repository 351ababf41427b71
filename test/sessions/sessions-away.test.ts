import session from 'express-session'
import { beforeEach, describe, expect, test } from 'vitest'
import { inSession } from '../../src/sessions/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { loginAs } from '../../src/testing/index.ts'
import {
  createApp,
  expressVersions,
  navigation,
  ownForm,
  secret,
  useWorld,
} from '../middleware/express-app.ts'

const world = useWorld()
beforeEach(() => world.provider.reset())

const placed = {
  tokenStore: inSession(),
  store: Object.assign(memoryStore(), { reach: 'cluster' }),
}
const kept: Array<[where: string, options: object]> = [
  ['the store', {}],
  ['the session', placed],
]

describe.each(Object.entries(expressVersions))(
  '%s while express-session has no store',
  (_name, express) => {
    test.each(kept)(
      'SE-13 who is logged in, with tokens in %s, is told to come again, and stays logged in',
      async (_where, options) => {
        const sessions = new session.MemoryStore()
        const app = createApp(world, {
          express,
          options,
          before: (before) =>
            before.use(
              session({ secret, store: sessions, resave: false, saveUninitialized: false }),
            ),
        })
        const ada = app.browser()
        await loginAs(ada, { user: 'ada', provider: 'spotify' })
        await ada.get('/guarded').set(navigation).expect(200)
        sessions.emit('disconnect')
        const replies = [
          await ada.get('/guarded').set(navigation),
          await ada.get('/guarded'),
          await ada.get('/me'),
          await ada.get('/auth/session'),
          await ada.get('/auth/spotify/login').set(navigation),
          await ada.post('/auth/logout').set(ownForm),
        ]
        for (const { status, headers } of replies) {
          expect(status).toBe(503)
          expect(headers['location']).toBeUndefined()
          expect(headers['set-cookie']).toBeUndefined()
        }
        // What asks for nobody goes on.
        await ada.get('/').expect(200)
        sessions.emit('connect')
        await ada.get('/guarded').set(navigation).expect(200)
      },
    )
  },
)

test('an app that has no sessions of its own keeps behalf’s', async () => {
  const app = createApp(world)
  const ada = app.browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  await ada.get('/guarded').set(navigation).expect(200)
})
