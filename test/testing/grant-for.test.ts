import { describe, expect, test } from 'vitest'
import { createBehalf } from '../../src/middleware/behalf.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor, sessionCookie } from '../../src/testing/index.ts'
import { createApp, secret, useWorld } from '../middleware/express-app.ts'

const world = useWorld()

describe('grantFor()', () => {
  const user = (req: { headers: Record<string, unknown> }) => req.headers['x-user'] as string
  const connected = { options: { user: user as never, basePath: '/connect' } }

  test("connects a provider to the app's user, for requests and for jobs", async () => {
    const { auth, browser } = createApp(world, connected)
    await grantFor(auth, { user: 'user-42', as: 'grace', provider: 'spotify' })
    const me = await browser().get('/me').set('x-user', 'user-42')
    expect(me.body).toMatchObject({ id: 'grace' })
    await browser().get('/me').set('x-user', 'user-43').expect(401)
    const { api } = await auth.forUser('user-42')
    expect(await api.spotify.get('me')).toMatchObject({ id: 'grace' })
  })

  test('grants what is asked for, and tokens that the provider goes on refreshing', async () => {
    const { auth } = createApp(world, connected)
    await grantFor(auth, { user: 'ada', provider: 'spotify', scope: 'user-top-read' })
    const { api, tokens } = await auth.forUser('ada')
    expect((await tokens.spotify.grant())?.scope).toEqual(['user-top-read'])
    world.provider.expireAccessTokens()
    await expect(api.spotify.get('me')).resolves.toMatchObject({ id: 'ada' })
  })

  test('says what to do where there are no users, no such provider, no such person', async () => {
    const { auth } = createApp(world)
    const other = createApp(world, connected).auth
    await expect(grantFor(auth, { user: 'ada', provider: 'spotify' })).rejects.toThrow(
      /sessionCookie/,
    )
    await expect(grantFor(other, { user: 'ada', provider: 'x' })).rejects.toThrow(/no provider x/)
    await expect(grantFor(other, { user: 'nobody', provider: 'spotify' })).rejects.toThrow(
      /"nobody"/,
    )
  })
})

describe('sessionCookie()', () => {
  test('is a visitor who is logged in, on Express', async () => {
    const { auth, browser } = createApp(world)
    const cookie = await sessionCookie(auth, { user: 'ada', provider: 'spotify' })
    const me = await browser().get('/me').set('cookie', cookie)
    expect(me.body).toMatchObject({ id: 'ada' })
    await browser().get('/me').expect(401)
  })

  test('and on the core, where it has the name that https gives it', async () => {
    const core = createBehalf({
      baseUrl: 'https://app.example.com',
      secret,
      store: memoryStore(),
      providers: { spotify: world.spotify },
    })
    const cookie = await sessionCookie(core, { user: 'mei', provider: 'spotify' })
    expect(cookie).toMatch(/^__Host-behalf=/)
    const request = new Request('https://app.example.com/', { headers: { cookie } })
    const { api } = await core.context(request)
    expect(await api.spotify.get('me')).toMatchObject({ id: 'mei' })
  })

  test("says what to do where the session is not behalf's own", async () => {
    const { auth } = createApp(world, {
      session: 'express-session',
      options: { session: 'express-session' },
    })
    await expect(sessionCookie(auth, { user: 'ada', provider: 'spotify' })).rejects.toThrow(
      /loginAs/,
    )
  })
})
