import { beforeEach, describe, expect, test } from 'vitest'
import { loginOnDemand } from '../../src/middleware/express.ts'
import { loginAs } from '../../src/testing/index.ts'
import { baseUrl, createApp, expressVersions, navigation, useWorld } from './express-app.ts'
import { approve } from './flow.ts'

const world = useWorld({ optionalScope: ['playlist-read-private', 'playlist-modify-private'] })
beforeEach(() => {
  world.api.reset()
  world.provider.reset()
})

const script = { 'sec-fetch-mode': 'cors', referer: `${baseUrl}/page` }

describe.each(Object.entries(expressVersions))('what a route throws, on %s', (_name, express) => {
  function appWith() {
    return createApp(world, {
      express,
      cache: false,
      routes: (app) => {
        app.get('/top', (req, res, next) => {
          req.api['spotify']!.get('me/top/tracks').then((body) => res.json(body), next)
        })
        app.get('/lists', (req, res, next) => {
          const scope = 'playlist-read-private'
          req.tokens['spotify']!.getAccessToken({ scope }).then(() => res.send('in'), next)
        })
        app.get('/bug', () => {
          throw new Error('of the app')
        })
        app.use(loginOnDemand())
      },
    })
  }

  test('no grant: a navigation goes to the login and comes back, a script is told where it is', async () => {
    const ada = appWith().browser()
    const sent = await ada.get('/top?n=1').set(navigation)
    expect(sent.status).toBe(303)
    expect(sent.headers['location']).toBe('/auth/spotify/login?returnTo=%2Ftop%3Fn%3D1')
    const told = await ada.get('/top').set(script)
    expect(told.status).toBe(401)
    expect(told.body).toMatchObject({
      code: 'login_required',
      loginUrl: '/auth/spotify/login?returnTo=%2Fpage',
    })
  })

  test('a missing scope: the login asks for all that was granted and what is missing', async () => {
    const ada = appWith().browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const sent = await ada.get('/lists').set(navigation)
    expect(sent.status).toBe(303)
    const begun = await ada.get(sent.headers['location']!).set(navigation)
    const asked = new URL(begun.headers['location']!).searchParams.get('scope')!.split(' ')
    expect(asked).toEqual(expect.arrayContaining(['user-top-read', 'playlist-read-private']))
    const landed = await ada.get(await approve(new URL(begun.headers['location']!), 'ada'))
    expect(landed.headers['location']).toBe('/lists')
    await ada.get('/lists').set(navigation).expect(200)
  })

  test('OC-24 a scope that the user refuses is not asked for in circles', async () => {
    const ada = appWith().browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    world.provider.switches.grantedScope = ['user-top-read']
    const sent = await ada.get('/lists').set(navigation)
    const begun = await ada.get(sent.headers['location']!).set(navigation)
    await ada.get(await approve(new URL(begun.headers['location']!), 'ada')).expect(303)
    const again = await ada.get('/lists').set(navigation)
    expect(again.status).toBe(403)
    expect(again.body.code).toBe('insufficient_scope')
    const { body } = await ada.get('/auth/session')
    expect(body.providers.spotify.scope).toEqual(['user-top-read'])
  })

  test('TK-09 a 403 insufficient_scope of the API leads to a login for the scope it names', async () => {
    const { browser } = appWith()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    answers403('playlist-modify-private')
    const sent = await ada.get('/top').set(navigation)
    expect(sent.status).toBe(303)
    const begun = await ada.get(sent.headers['location']!).set(navigation)
    const asked = new URL(begun.headers['location']!).searchParams.get('scope')
    expect(asked).toContain('playlist-modify-private')
    const told = await ada.get('/top').set(script)
    expect(told.status).toBe(403)
    expect(told.body.code).toBe('insufficient_scope')
    expect(told.body.loginUrl).toContain('request=')
    expect(world.provider.seen.refreshRequests).toBe(0)
  })

  test.each(['streaming', '', 'streaming playlist-modify-private'])(
    'an API that wants "%s" gets nothing asked for that the app may not ask for',
    async (scope) => {
      const { browser, errors } = appWith()
      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      answers403(scope)
      const reply = await ada.get('/top').set(navigation)
      expect(reply.status).toBe(403)
      expect(reply.body.code).toBe('upstream_error')
      expect(errors).toHaveLength(1)
    },
  )

  test('any other error goes on to the app’s own handler', async () => {
    const { browser, errors } = appWith()
    await browser().get('/bug').set(navigation).expect(500)
    expect(String(errors[0])).toContain('of the app')
  })
})

function answers403(scope: string): void {
  world.api.switches.reply = () => ({
    status: 403,
    headers: {
      'content-type': 'application/json',
      'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"`,
    },
    body: '{"error":"insufficient_scope"}',
  })
}
