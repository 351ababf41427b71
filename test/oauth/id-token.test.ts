import { createHmac } from 'node:crypto'
import { beforeEach, describe, expect, test } from 'vitest'
import { oidc } from '../../src/oauth/providers/index.ts'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, useWorld } from '../middleware/express-app.ts'

type Claims = Record<string, unknown>

const world = useWorld()
beforeEach(() => world.provider.reset())

const now = () => Math.floor(Date.now() / 1000)

function appWith(options: object = {}) {
  const { issuer, clientId, clientSecret } = world.provider.overrides
  const provider = oidc({
    issuer,
    clientId,
    clientSecret,
    apiBaseUrl: world.api.baseUrl,
    ...options,
  })
  return createApp(world, { options: { providers: { spotify: provider } } })
}

/** Logs in with an ID token that has these claims; tells whether that worked. */
async function logsIn(change: (claims: Claims) => Claims, options: object = {}): Promise<boolean> {
  world.provider.switches.idToken = (claims, sign) => sign(change(claims))
  const ada = appWith(options).browser()
  const worked = await loginAs(ada, { user: 'ada', provider: 'spotify' }).then(
    () => true,
    () => false,
  )
  await ada.get('/me').expect(worked ? 200 : 401)
  return worked
}

describe('OC-25 an ID token', () => {
  const accepted: Record<string, (claims: Claims) => Claims> = {
    'as it should be': (claims) => claims,
    'without at_hash': ({ at_hash: _, ...claims }) => claims,
    'for this app among others, issued to it': (claims) => ({
      ...claims,
      aud: [claims['aud'], 'another'],
      azp: claims['aud'],
    }),
    'half a minute in the future': (claims) => ({ ...claims, iat: now() + 25 }),
    'with claims that nobody knows': (claims) => ({ ...claims, more: { than: 'enough' } }),
  }
  test.each(Object.entries(accepted))('%s is accepted', async (_what, change) => {
    expect(await logsIn(change)).toBe(true)
  })

  const refused: Record<string, (claims: Claims) => Claims> = {
    'of another issuer': (claims) => ({ ...claims, iss: 'https://evil.example' }),
    'whose issuer has a slash more': (claims) => ({ ...claims, iss: `${String(claims['iss'])}/` }),
    'without issuer': ({ iss: _, ...claims }) => claims,
    'for another app': (claims) => ({ ...claims, aud: 'another' }),
    'for nobody': ({ aud: _, ...claims }) => claims,
    'for several apps, issued to nobody': (claims) => ({
      ...claims,
      aud: [claims['aud'], 'another'],
    }),
    'for several apps, issued to another': (claims) => ({
      ...claims,
      aud: [claims['aud'], 'another'],
      azp: 'another',
    }),
    'that has expired': (claims) => ({ ...claims, exp: now() - 120 }),
    'without an end': ({ exp: _, ...claims }) => claims,
    'whose end is text': (claims) => ({ ...claims, exp: 'tomorrow' }),
    'of tomorrow': (claims) => ({ ...claims, iat: now() + 86_400, nbf: now() + 86_400 }),
    'without iat': ({ iat: _, ...claims }) => claims,
    'without subject': ({ sub: _, ...claims }) => claims,
    'without nonce': ({ nonce: _, ...claims }) => claims,
    'with the nonce of another login': (claims) => ({ ...claims, nonce: 'another' }),
    'of another access token': (claims) => ({ ...claims, at_hash: 'AAAAAAAAAAAAAAAAAAAAAA' }),
    'whose at_hash is no text': (claims) => ({ ...claims, at_hash: 7 }),
  }
  test.each(Object.entries(refused))('%s is refused', async (_what, change) => {
    expect(await logsIn(change)).toBe(false)
  })

  test.each(['none', 'HS256'])(
    'with alg %s is refused, also where metadata lists it',
    async (alg) => {
      const { switches, overrides } = world.provider
      switches.discovery = (metadata) => ({
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          ...metadata,
          id_token_signing_alg_values_supported: ['RS256', 'none', 'HS256'],
        }),
      })
      switches.idToken = (claims) => {
        const input = [{ alg, typ: 'JWT' }, claims]
          .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
          .join('.')
        const mac = createHmac('sha256', overrides.clientSecret!).update(input).digest('base64url')
        return `${input}.${alg === 'none' ? '' : mac}`
      }
      const ada = appWith().browser()
      await expect(loginAs(ada, { user: 'ada', provider: 'spotify' })).rejects.toThrow(/502/)
      await ada.get('/me').expect(401)
    },
  )

  test('of a key that nobody knows is refused, and the keys are not asked for each time', async () => {
    let asked = 0
    const counting: typeof fetch = (input, init) => {
      if (String(input).endsWith('/jwks')) asked += 1
      return fetch(input, init)
    }
    const app = appWith({ fetch: counting })
    world.provider.switches.idToken = (claims, sign) => sign(claims, { kid: 'unknown' })
    for (const _login of [1, 2, 3, 4]) {
      const login = loginAs(app.browser(), { user: 'ada', provider: 'spotify' })
      await expect(login).rejects.toThrow(/502/)
    }
    expect(asked).toBeLessThanOrEqual(1)
  })

  const maxAge = { maxAge: 60 }
  const times: Array<[what: string, change: (claims: Claims) => Claims, works: boolean]> = [
    ['a moment ago', (claims) => ({ ...claims, auth_time: now() }), true],
    ['too long ago', (claims) => ({ ...claims, auth_time: now() - 600 }), false],
    ['nobody says when', ({ auth_time: _, ...claims }) => claims, false],
    ['as text', (claims) => ({ ...claims, auth_time: String(now()) }), false],
  ]
  test.each(times)('with maxAge, of a user who was there %s', async (_what, change, works) => {
    expect(await logsIn(change, maxAge)).toBe(works)
  })

  test('a link can ask for a fresh login, and for what else the provider knows', async () => {
    const { browser } = createApp(world, {
      options: {
        providers: {
          spotify: oidc({ ...world.provider.overrides, apiBaseUrl: world.api.baseUrl }),
        },
      },
      routes: (app) =>
        app.get('/link', (req, res) => {
          const options = { maxAge: 0, prompt: 'login', loginHint: 'ada@example.test' }
          res.send(req.tokens['spotify']!.loginUrl(options))
        }),
    })
    const ada = browser()
    const { text: link } = await ada.get('/link')
    const begun = await ada.get(link).set({ accept: 'text/html' })
    const asked = new URL(begun.headers['location']!).searchParams
    expect(asked.get('max_age')).toBe('0')
    expect(asked.get('prompt')).toBe('login')
    expect(asked.get('login_hint')).toBe('ada@example.test')
  })
})

test('with userInfo: false the ID token is enough, and nothing else is asked', async () => {
  const asked: string[] = []
  const noting: typeof fetch = (input, init) => {
    asked.push(new URL(String(input)).pathname)
    return fetch(input, init)
  }
  expect(await logsIn((claims) => claims, { userInfo: false, fetch: noting })).toBe(true)
  expect(asked).not.toContain('/userinfo')
  expect(await logsIn((claims) => claims, { fetch: noting })).toBe(true)
  expect(asked).toContain('/userinfo')
})
