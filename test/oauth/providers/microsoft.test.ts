import { beforeEach, describe, expect, test } from 'vitest'
import { microsoft } from '../../../src/oauth/providers/index.ts'
import { requireLogin } from '../../../src/middleware/express.ts'
import { createApp, navigation, ownForm, useWorld } from '../../middleware/express-app.ts'
import { approve, beginLogin } from '../../middleware/flow.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.provider.switches.like = 'microsoft'
})

const host = 'https://login.microsoftonline.com'

/** Leads what is meant for Microsoft to the test provider, which takes its place. */
function asMicrosoft(tenant: string): typeof fetch {
  const here = `${host}/${tenant}`
  return async (input, init) => {
    const url = String(input instanceof Request ? input.url : input)
    if (!url.startsWith(here)) return fetch(input, init)
    const path = url.slice(here.length).replace(/^\/v2\.0/, '')
    const { dispatcher: _limits, ...rest } = init as { dispatcher?: unknown } & RequestInit
    const reply = await fetch(`${world.provider.issuer}${path}`, rest)
    if (!path.startsWith('/.well-known')) return reply
    const text = (await reply.text()).replaceAll(world.provider.issuer, here)
    return new Response(text, reply)
  }
}

function appWith(options: Parameters<typeof microsoft>[0] = {}) {
  const { clientId, clientSecret } = world.provider.overrides
  const { tenant = 'common' } = options
  const provider = microsoft({
    clientId,
    clientSecret,
    apiBaseUrl: world.api.baseUrl,
    fetch: asMicrosoft(tenant),
    ...options,
  })
  return createApp(world, {
    options: { providers: { spotify: provider } },
    routes: (app) =>
      app.get('/mine', requireLogin('spotify', { scope: 'User.Read' }), async (req, res) => {
        res.json((await req.tokens['spotify']!.grant())?.scope)
      }),
  })
}

async function logIn(browser: ReturnType<ReturnType<typeof appWith>['browser']>, tenant: string) {
  const asked = await beginLogin(browser)
  expect(asked.href).toContain(`${host}/${tenant}/authorize`)
  const there = new URL(asked.href.replace(`${host}/${tenant}`, world.provider.issuer))
  // Microsoft's callbacks have no iss.
  world.provider.switches.iss = 'missing'
  return browser.get(await approve(there, 'ada')).set(navigation)
}

describe('microsoft()', () => {
  test('OC-25 accepts the ID token of whichever tenant the user is of, with tenant common', async () => {
    const ada = appWith().browser()
    expect((await logIn(ada, 'common')).status).toBe(303)
    const { body } = await ada.get('/auth/session')
    expect(body.providers.spotify.profile).toEqual({ subject: 'ada' })
    // What the reply calls https://graph.microsoft.com/User.Read.
    expect((await ada.get('/mine').expect(200)).body).toContain('User.Read')
    await ada.get('/me').expect(200)
  })

  test('OC-25 refuses an ID token whose issuer is not that of its tenant', async () => {
    const other = { iss: `${host}/99999999-2222-3333-4444-555555555555/v2.0` }
    world.provider.switches.idToken = (claims, sign) => sign({ ...claims, ...other })
    const ada = appWith().browser()
    expect((await logIn(ada, 'common')).status).toBe(502)
    await ada.get('/me').expect(401)
  })

  test('OC-27 an address that its owner was not asked for is not told', async () => {
    const checked = { email: 'ada@example.test', xms_edov: true }
    world.provider.switches.idToken = (claims, sign) =>
      sign({ ...claims, ...checked, xms_edov: false })
    const ada = appWith().browser()
    await logIn(ada, 'common')
    const profileOf = async () => (await ada.get('/auth/session')).body.providers.spotify.profile
    expect((await profileOf()).email).toBeUndefined()
    world.provider.switches.idToken = (claims, sign) => sign({ ...claims, ...checked })
    await logIn(ada, 'common')
    expect((await profileOf()).email).toBe('ada@example.test')
  })

  test('offline_access brings a refresh token; each refresh the next one', async () => {
    const { browser, auth } = appWith()
    const ada = browser()
    await logIn(ada, 'common')
    for (const count of [1, 2]) {
      world.provider.expireAccessTokens()
      await ada.get('/me').expect(200)
      expect(world.provider.seen.refreshRequests).toBe(count)
    }
    // There is nothing to revoke at.
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await auth.close()
    expect(world.provider.seen.revocations).toBe(0)
  })

  test('without offline_access only a new login helps when the token has expired', async () => {
    const ada = appWith({ scope: 'profile User.Read' }).browser()
    await logIn(ada, 'common')
    world.provider.expireAccessTokens()
    await ada.get('/me').expect(401)
  })

  test('a tenant is a part of an address, and nothing else', () => {
    expect(() => microsoft({ tenant: 'a/../b' })).toThrow(/tenant/)
  })
})
