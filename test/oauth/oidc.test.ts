import { beforeEach, describe, expect, test } from 'vitest'
import { oidc } from '../../src/oauth/providers/index.ts'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, navigation, useWorld } from '../middleware/express-app.ts'

const world = useWorld()
beforeEach(() => world.provider.reset())

function appWith(overrides: object = {}) {
  const { issuer, clientId, clientSecret } = world.provider.overrides
  const provider = oidc({
    issuer,
    clientId,
    clientSecret,
    apiBaseUrl: world.api.baseUrl,
    ...overrides,
  })
  return createApp(world, { options: { providers: { spotify: provider } } })
}

describe('a provider found by discovery', () => {
  test('OC-04 logs in with a nonce, and knows the user by the ID token', async () => {
    const { browser } = appWith()
    const ada = browser()
    const begun = await ada.get('/auth/spotify/login').set(navigation)
    const { searchParams } = new URL(begun.headers['location']!)
    expect(searchParams.get('nonce')!.length).toBeGreaterThanOrEqual(43)
    expect(searchParams.get('scope')).toBe('openid profile email')
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const { body } = await ada.get('/auth/session')
    expect(body.providers.spotify.profile.subject).toBe('ada')
  })

  test.each(['wrong-nonce', 'wrong-audience', 'unsigned'] as const)(
    'OC-25 refuses an ID token with %s',
    async (idToken) => {
      world.provider.switches.idToken = idToken
      const ada = appWith().browser()
      await expect(loginAs(ada, { user: 'ada', provider: 'spotify' })).rejects.toThrow(/50[02]|400/)
      await ada.get('/me').expect(401)
    },
  )

  test('OC-26 refuses user info about somebody else than the ID token', async () => {
    world.api.switches.reply = () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: '{"sub":"mallory"}',
    })
    const ada = appWith({ userInfo: 'me' }).browser()
    await expect(loginAs(ada, { user: 'ada', provider: 'spotify' })).rejects.toThrow(/502/)
    world.api.switches.reply = undefined
  })

  test('DS-12 while discovery is down: 503 with Retry-After, and later it works', async () => {
    world.provider.switches.discovery = 'unavailable'
    const { browser } = appWith()
    const reply = await browser().get('/auth/spotify/login').set(navigation)
    expect(reply.status).toBe(503)
    expect(reply.body.code).toBe('provider_unavailable')
    world.provider.switches.discovery = 'works'
    await new Promise((resolve) => setTimeout(resolve, 5_100))
    await loginAs(browser(), { user: 'ada', provider: 'spotify' })
  })

  test.each(['wrong-issuer', 'redirects'] as const)(
    'OC-28 metadata that is %s is refused',
    async (discovery) => {
      world.provider.switches.discovery = discovery
      const reply = await appWith().browser().get('/auth/spotify/login').set(navigation)
      expect(reply.status).toBe(502)
    },
  )

  test('OC-02 a server that no longer offers S256 is not spoken to in plain', async () => {
    world.provider.switches.discovery = (metadata) => ({
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...metadata, code_challenge_methods_supported: ['plain'] }),
    })
    const reply = await appWith().browser().get('/auth/spotify/login').set(navigation)
    expect(reply.status).toBe(500)
    expect(reply.body.code).toBe('config_invalid')
  })

  test('OC-23 a token reply is checked however the endpoint is written', async () => {
    world.provider.switches.discovery = (metadata) => ({
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...metadata, token_endpoint: `${world.provider.issuer}/./token` }),
    })
    world.provider.switches.tokenEndpoint = () => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ access_token: 'S\nX: y', token_type: 'Bearer' }),
    })
    await expect(
      loginAs(appWith().browser(), { user: 'ada', provider: 'spotify' }),
    ).rejects.toThrow(/502/)
  })
})
