import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { spotify, spotifyScopes } from '../../../src/oauth/providers/index.ts'
import { loginAs } from '../../../src/testing/index.ts'
import { createApp, navigation, ownForm, useWorld } from '../../middleware/express-app.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.api.reset()
  world.provider.revokeGrants()
  world.provider.switches.like = 'spotify'
})
afterEach(() => {
  vi.unstubAllEnvs()
})

function appWith(options: object = {}) {
  const { revocationEndpoint: _none, ...overrides } = world.provider.overrides
  const provider = spotify({ ...overrides, apiBaseUrl: world.api.baseUrl, ...options })
  return createApp(world, { cache: false, options: { providers: { spotify: provider } } })
}

async function parametersOf(options: object = {}): Promise<URLSearchParams> {
  const begun = await appWith(options).browser().get('/auth/spotify/login').set(navigation)
  return new URL(begun.headers['location']!).searchParams
}

describe('spotify()', () => {
  test('asks by the features of the app, and for approval each time only where that is wanted', async () => {
    const { topItems, editPlaylists } = spotifyScopes
    const asked = await parametersOf({ scope: [...topItems, ...editPlaylists] })
    expect(asked.get('scope')?.split(' ')).toEqual([...topItems, ...editPlaylists])
    expect(asked.has('show_dialog')).toBe(false)
    expect((await parametersOf({ showDialog: true })).get('show_dialog')).toBe('true')
    const both = { showDialog: true, authorizationParameters: { locale: 'de' } }
    expect(Object.fromEntries(await parametersOf(both))).toMatchObject({
      show_dialog: 'true',
      locale: 'de',
    })
  })

  test('its client comes from the environment', async () => {
    const { clientId, clientSecret } = world.provider.overrides
    vi.stubEnv('SPOTIFY_CLIENT_ID', 'from-the-environment')
    const asked = await parametersOf({ clientId: undefined })
    expect(asked.get('client_id')).toBe('from-the-environment')
    expect(clientId).not.toBe('from-the-environment')
    vi.stubEnv('SPOTIFY_CLIENT_ID', clientId!)
    vi.stubEnv('SPOTIFY_CLIENT_SECRET', clientSecret!)
    const { browser } = appWith({ clientId: undefined, clientSecret: undefined })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
  })

  test('a refresh token stays the same, and ends six months after the login, whatever is refreshed', async () => {
    const { browser, auth } = appWith()
    await loginAs(browser(), { user: 'ada', provider: 'spotify' })
    const { api, tokens } = await auth.forSubject('spotify', 'ada')
    const { authorizedAt, refreshExpiresAt } = (await tokens.spotify.grant())!
    expect(refreshExpiresAt! - authorizedAt).toBe(182 * 24 * 3600 * 1000)
    for (const _expiry of [1, 2, 3]) {
      world.provider.expireAccessTokens()
      await api.spotify.get('me')
    }
    expect(world.provider.seen.refreshRequests).toBe(3)
    expect((await tokens.spotify.grant())!.refreshExpiresAt).toBe(refreshExpiresAt)
  })

  test('a 429 is about the app: nobody is sent there until it is over', async () => {
    const { browser } = appWith()
    const [ada, grace] = [browser(), browser()]
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await loginAs(grace, { user: 'grace', provider: 'spotify' })
    world.api.reset()
    world.api.switches.reply = () => ({ status: 429, headers: { 'retry-after': '30' }, body: '{}' })
    await ada.get('/me').expect(429)
    world.api.switches.reply = undefined
    await grace.get('/me').expect(429)
    expect(world.api.requests).toHaveLength(1)
  })

  test('it revokes nothing, and a logout ends the grant here all the same', async () => {
    const ada = appWith().browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await ada.get('/me').expect(401)
    expect(world.provider.seen.revocations).toBe(0)
  })
})
