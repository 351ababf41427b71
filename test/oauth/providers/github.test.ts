import { beforeEach, describe, expect, test } from 'vitest'
import { github } from '../../../src/oauth/providers/index.ts'
import { requireLogin } from '../../../src/middleware/express.ts'
import { loginAs } from '../../../src/testing/index.ts'
import { createApp, navigation, ownForm, useWorld } from '../../middleware/express-app.ts'
import { approve, beginLogin } from '../../middleware/flow.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.provider.switches.like = 'github'
})

function appWith(options: object = {}, settings: Parameters<typeof createApp>[1] = {}) {
  const { provider } = world
  const definition = github({
    ...provider.overrides,
    revocationEndpoint: undefined,
    apiBaseUrl: provider.issuer,
    scope: ['read:user', 'repo'],
    ...options,
  })
  return createApp(world, {
    ...settings,
    routes: (app) => {
      settings.routes?.(app)
      app.get('/user', async (req, res) => void res.json(await req.api['spotify']!.get('user')))
    },
    options: { providers: { spotify: definition } },
  })
}

describe('github()', () => {
  test('logs in by the number of the account; scopes with commas are scopes', async () => {
    const { browser } = appWith(
      {},
      {
        routes: (app) =>
          app.get('/repos', requireLogin('spotify', { scope: 'repo' }), (_q, res) => {
            res.send('in')
          }),
      },
    )
    const ada = browser()
    const begun = await ada.get('/auth/spotify/login').set(navigation)
    const asked = new URL(begun.headers['location']!).searchParams
    expect(asked.get('scope')).toBe('read:user,repo')
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const { body } = await ada.get('/auth/session')
    expect(body.providers.spotify.profile).toMatchObject({ subject: '1001', name: 'Ada Moreau' })
    expect(body.providers.spotify.scope).toEqual(['read:user', 'repo'])
    expect(body.providers.spotify.expiresAt).toBeUndefined()
    await ada.get('/repos').expect(200)
    expect((await ada.get('/user').expect(200)).body.login).toBe('ada')
  })

  test('OC-23 a refused code with status 200 is a refused code', async () => {
    const ada = appWith().browser()
    const back = await approve(await beginLogin(ada), 'ada')
    const landed = await ada
      .get(back.replace(/code=[^&]+/, 'code=another'))
      .set({ ...navigation, accept: 'text/html' })
    expect(landed.status).toBe(400)
    expect(landed.text).toContain('callback_invalid')
    await ada.get('/user').expect(401)
  })

  test('a wrong secret with status 200 is the app’s mistake', async () => {
    const ada = appWith({ clientSecret: 'another-secret' }).browser()
    await expect(loginAs(ada, { user: 'ada', provider: 'spotify' })).rejects.toThrow(/502/)
  })

  test('LO-04 a logout ends the token by GitHub’s own endpoint', async () => {
    const { browser, auth } = appWith()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const { accessToken } = (await tokensOf(auth)) ?? { accessToken: '' }
    expect(world.provider.accountOf(accessToken)).toBeDefined()
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await auth.close()
    expect(world.provider.seen.revocations).toBe(1)
    expect(world.provider.accountOf(accessToken)).toBeUndefined()
  })

  test('the issuer is the one of its callbacks, also on a server of one’s own', () => {
    expect(github({ clientId: 'an-app' }).issuer).toBe('https://github.com/login/oauth')
    expect(github({ enterpriseUrl: 'https://git.example.com/' })).toMatchObject({
      issuer: 'https://git.example.com/login/oauth',
      apiBaseUrl: 'https://git.example.com/api/v3/',
    })
  })
})

/** The token of the one user who is logged in. */
async function tokensOf(auth: ReturnType<typeof createApp>['auth']) {
  const { tokens } = await auth.forSubject('spotify', '1001')
  return { accessToken: await tokens.spotify.getAccessToken() }
}
