import { beforeEach, describe, expect, test } from 'vitest'
import { google } from '../../../src/oauth/providers/index.ts'
import { resolveProvider } from '../../../src/oauth/provider.ts'
import { loginAs } from '../../../src/testing/index.ts'
import { requireLogin } from '../../../src/middleware/express.ts'
import { createApp, navigation, ownForm, useWorld } from '../../middleware/express-app.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.provider.revokeGrants()
  world.provider.switches.like = 'google'
})

function appWith(options: object = {}, routes?: Parameters<typeof createApp>[1]) {
  const provider = google({
    ...world.provider.overrides,
    apiBaseUrl: world.api.baseUrl,
    ...options,
  })
  return createApp(world, { ...routes, options: { providers: { spotify: provider } } })
}

describe('google()', () => {
  test('asks for offline access and consent, so that every login brings a refresh token', async () => {
    const { browser } = appWith()
    for (const _login of [1, 2]) {
      const ada = browser()
      const begun = await ada.get('/auth/spotify/login').set(navigation)
      const asked = new URL(begun.headers['location']!).searchParams
      expect(asked.get('access_type')).toBe('offline')
      expect(asked.get('prompt')).toBe('consent')
      expect(asked.get('include_granted_scopes')).toBe('true')
      expect(asked.get('scope')).toBe('openid profile email')
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      world.provider.expireAccessTokens()
      await ada.get('/me').expect(200)
    }
    expect(world.provider.seen.refreshRequests).toBe(2)
    expect(world.provider.seen.presentedTwice).toBe(0)
  })

  test('with offline: false there is no refresh token, and nothing is asked for', async () => {
    const ada = appWith({ offline: false }).browser()
    const begun = await ada.get('/auth/spotify/login').set(navigation)
    const asked = new URL(begun.headers['location']!).searchParams
    expect(asked.has('access_type')).toBe(false)
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    world.provider.expireAccessTokens()
    await ada.get('/me').expect(401)
    expect(world.provider.seen.refreshRequests).toBe(0)
  })

  test('OC-24 scopes that the reply calls by other names count as granted', async () => {
    const { browser } = appWith(
      {},
      {
        routes: (app) =>
          app.get('/mail', requireLogin('spotify', { scope: 'email' }), async (req, res) => {
            res.json((await req.tokens['spotify']!.grant())?.scope)
          }),
      },
    )
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.get('/mail').expect(200)).body).toEqual(['openid', 'profile', 'email'])
  })

  test('a logout revokes what was granted', async () => {
    const { browser, auth } = appWith()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await auth.close()
    expect(world.provider.seen.revocations).toBe(1)
  })

  test('a token may go to the usual APIs, and with another apiBaseUrl to that one only', () => {
    const resolve = (options: object) =>
      resolveProvider('google', google({ clientId: 'an-app', ...options }), fetch).apiOrigins
    expect(resolve({})).toContain('https://gmail.googleapis.com')
    expect(resolve({})).toContain('https://www.googleapis.com')
    expect(resolve({ apiBaseUrl: 'https://storage.googleapis.com/' })).toEqual([
      'https://storage.googleapis.com',
    ])
  })
})
