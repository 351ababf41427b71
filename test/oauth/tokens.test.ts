import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { BehalfEvent } from '../../src/events.ts'
import type { ProviderSwitches } from '../../src/testing/index.ts'
import { loginAs } from '../../src/testing/index.ts'
import { hostileRows } from '../hostile.ts'
import { type AppSettings, createApp, createWorld, type World } from '../middleware/express-app.ts'

let world: World
let original: ProviderSwitches
beforeAll(async () => {
  world = await createWorld({ optionalScope: ['playlist-read-private'] })
  original = { ...world.provider.switches }
})
afterAll(() => world.close())
beforeEach(() => {
  Object.assign(world.provider.switches, original)
  world.provider.reset()
  world.api.reset()
})

/** Ada, logged in, on an app without a cache; her access token lives for `seconds` from now. */
async function loggedIn(seconds: number, settings: AppSettings = {}) {
  const events: BehalfEvent[] = []
  const made = createApp(world, {
    cache: false,
    ...settings,
    routes: (app) => {
      app.post('/expire', async (req, res) => {
        const accessToken = await req.tokens['spotify']!.getAccessToken()
        await req.tokens['spotify']!.save({ accessToken, expiresAt: Date.now() + seconds * 1000 })
        res.send('expired')
      })
      settings.routes?.(app)
    },
    options: { onEvent: (event) => void events.push(event), ...settings.options },
  })
  const ada = made.browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  if (seconds < 3600) await ada.post('/expire').expect(200)
  return { ...made, ada, events }
}

const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

describe('refresh', () => {
  test('an expired token is refreshed before the call, and the user notices nothing', async () => {
    const { ada, events } = await loggedIn(0)
    expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
    await ada.get('/me').expect(200)
    expect(world.provider.seen.refreshRequests).toBe(1)
    expect(events.filter(({ type }) => type === 'refresh')).toHaveLength(1)
  })

  test('TK-03 many requests at the moment of expiry: one refresh, no token presented twice', async () => {
    const { ada } = await loggedIn(0)
    world.provider.switches.delay = 0.1
    const replies = await Promise.all(Array.from({ length: 100 }, () => ada.get('/me')))
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]))
    expect(world.provider.seen).toMatchObject({
      refreshRequests: 1,
      presentedTwice: 0,
      familiesRevoked: 0,
    })
  })

  test('TK-08 a token that is about to expire is used while the next one is fetched', async () => {
    const { ada, auth } = await loggedIn(3600)
    world.provider.switches.delay = 0.5
    const now = Date.now
    const later = now() + 3_570_000
    Date.now = () => later
    try {
      const startedAt = performance.now()
      await ada.get('/me').expect(200)
      expect(performance.now() - startedAt).toBeLessThan(450)
    } finally {
      Date.now = now
    }
    await auth.close()
    expect(world.provider.seen.refreshRequests).toBe(1)
  })

  test('TK-05 a reply without a refresh token keeps the old one', async () => {
    world.provider.switches.rotate = false
    const { ada } = await loggedIn(0)
    for (let round = 0; round < 3; round += 1) {
      await ada.get('/me').expect(200)
      await ada.post('/expire').expect(200)
    }
    expect(world.provider.seen.refreshRequests).toBe(3)
  })

  test('TR-14 expires_in 0 costs one refresh a call and no loop', async () => {
    const { ada } = await loggedIn(0)
    world.provider.switches.expiresIn = 0
    world.api.switches.reply = () => ({ status: 200, headers: {}, body: '{}' })
    await ada.get('/me').expect(200)
    expect(world.provider.seen.refreshRequests).toBe(1)
  })

  test('TK-06 a refused refresh token ends the grant: 401 with the reason, no retry', async () => {
    const { ada, events } = await loggedIn(0)
    world.provider.revokeGrants('ada')
    for (let round = 0; round < 3; round += 1) {
      const reply = await ada.get('/me')
      expect(reply.status).toBe(401)
      expect(reply.body.code).toBe('reauth_required')
    }
    expect(world.provider.seen.refreshRequests).toBe(1)
    expect(events.filter(({ type }) => type === 'reauth_required')).toHaveLength(1)
    const session = await ada.get('/auth/session')
    expect(session.body.providers.spotify).toMatchObject({ connected: false, reason: 'revoked' })
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.get('/me').expect(200)
  })

  test.each(['unavailable', 'bad-gateway', 'rate-limited', 'resets-before'] as const)(
    'TK-07 a token endpoint that is %s: 503 with Retry-After, and nobody is logged out',
    async (tokenEndpoint) => {
      const { ada } = await loggedIn(0)
      world.provider.switches.tokenEndpoint = tokenEndpoint
      const reply = await ada.get('/me')
      expect(reply.status).toBe(503)
      expect(reply.body.code).toBe('provider_unavailable')
      expect((await ada.get('/auth/session')).body.providers.spotify.connected).toBe(true)
    },
  )

  test('TK-07 a server in trouble is spared for some seconds, then asked again', async () => {
    const { ada } = await loggedIn(0)
    world.provider.switches.tokenEndpoint = 'unavailable'
    for (let round = 0; round < 5; round += 1) await ada.get('/me').expect(503)
    expect(world.provider.seen.refreshRequests).toBe(1)
    world.provider.switches.tokenEndpoint = 'works'
    await wait(5.2)
    await ada.get('/me').expect(200)
  })

  test("TK-07 while the access token is valid, a token endpoint in trouble is nobody's problem", async () => {
    const { ada } = await loggedIn(3600)
    world.provider.switches.tokenEndpoint = 'unavailable'
    const now = Date.now
    const later = now() + 3_570_000
    Date.now = () => later
    try {
      for (let round = 0; round < 3; round += 1) await ada.get('/me').expect(200)
    } finally {
      Date.now = now
    }
    expect(world.provider.seen.refreshRequests).toBe(1)
  })

  test("TK-07 invalid_client is the app's fault: 502, nobody is logged out", async () => {
    const { ada } = await loggedIn(0)
    world.provider.switches.tokenEndpoint = 'invalid-client'
    const reply = await ada.get('/me')
    expect(reply.status).toBe(502)
    expect(reply.body.code).toBe('client_misconfigured')
    expect((await ada.get('/me')).body.code).toBe('client_misconfigured')
    expect(world.provider.seen.refreshRequests).toBe(1)
    world.provider.switches.tokenEndpoint = 'works'
    await wait(5.2)
    await ada.get('/me').expect(200)
  })

  test('a token endpoint that hangs is given up after its time-out', async () => {
    const { ada } = await loggedIn(0, { options: { timeouts: { token: 0.3 } } })
    for (const tokenEndpoint of ['hangs', 'slow'] as const) {
      world.provider.switches.tokenEndpoint = tokenEndpoint
      const startedAt = Date.now()
      await ada.get('/me').expect(503)
      expect(Date.now() - startedAt).toBeLessThan(3_000)
    }
  })

  test('a grant without a refresh token works until its access token expires', async () => {
    world.provider.switches.refreshTokenInReply = false
    const { ada } = await loggedIn(0.5)
    await ada.get('/me').expect(200)
    await wait(0.6)
    const reply = await ada.get('/me')
    expect(reply.status).toBe(401)
    expect(reply.body.code).toBe('reauth_required')
  })

  test('CVE-2024-51987 CVE-2025-26620 CVE-2025-67490 users who refresh at the same time, in different ways, each get their own token', async () => {
    const { browser, auth } = createApp(world, { cache: false })
    const users = ['ada', 'grace']
    for (const user of users) await loginAs(browser(), { user, provider: 'spotify' })
    world.provider.switches.delay = 0.1
    const ways = [{}, { forceRefresh: true }, { minValidity: 3_590 }, { scope: 'user-top-read' }]
    for (let round = 0; round < 3; round += 1) {
      const asked = [...ways, ...ways].flatMap((way) =>
        users.map(async (user) => {
          const { tokens } = await auth.forSubject('spotify', user)
          const authorization = `Bearer ${await tokens.spotify.getAccessToken(way)}`
          const reply = await fetch(`${world.api.baseUrl}/me`, { headers: { authorization } })
          return { user, ...((await reply.json()) as { id: string }) }
        }),
      )
      for (const { user, id } of await Promise.all(asked)) expect(id).toBe(user)
    }
    expect(world.provider.seen.refreshRequests).toBeGreaterThanOrEqual(6)
  })

  test('LO-03 a refresh that finishes after the logout brings nothing back and is revoked', async () => {
    const { ada, auth } = await loggedIn(0)
    world.provider.switches.delay = 0.5
    const slow = ada.get('/me').then((reply) => reply)
    await wait(0.2)
    await ada.post('/auth/logout').set({ origin: 'http://127.0.0.1:3000' }).expect(303)
    expect((await slow).status).toBe(401)
    world.provider.switches.delay = 0
    await ada.get('/me').expect(401)
    await auth.close()
    expect(world.provider.seen.revocations).toBeGreaterThanOrEqual(2)
  })
})

describe('an upstream 401', () => {
  test('TK-09 invalid_token: one refresh, one retry, also of a request with a body', async () => {
    const { ada } = await loggedIn(3600, {
      routes: (app) =>
        app.put('/like', async (req, res) => {
          await req.api['spotify']!.put('me/tracks', { json: { ids: ['x'.repeat(22)] } }).catch(
            () => {},
          )
          res.json(await req.api['spotify']!.get('me').then(() => 'ok'))
        }),
    })
    world.provider.expireAccessTokens()
    await ada.put('/like').expect(200)
    expect(world.provider.seen.refreshRequests).toBe(1)
    const puts = world.api.requests.filter(({ method }) => method === 'PUT')
    expect(puts).toHaveLength(2)
  })

  test('UP-04 that never ends: one refresh a call, the 401 comes through', async () => {
    const { ada } = await loggedIn(3600)
    world.api.switches.status = 401
    const reply = await ada.get('/me')
    expect(reply.status).toBe(401)
    expect(world.provider.seen.refreshRequests).toBe(1)
    expect(world.api.requestsTo('/v1/me')).toBe(3) // one of them by the login
  })

  test('UP-05 a 403 insufficient_scope causes no refresh', async () => {
    const { ada } = await loggedIn(3600)
    world.api.switches.reply = () => ({
      status: 403,
      headers: { 'www-authenticate': 'Bearer error="insufficient_scope"' },
      body: '{}',
    })
    await ada.get('/me').expect(403)
    expect(world.provider.seen.refreshRequests).toBe(0)
  })
})

describe('token replies', () => {
  const rows = hostileRows('tokenResponse').filter((row) => row.input.behaviour === undefined)

  test.each(rows.map((row) => [row.id, row.expect.outcome, row] as const))(
    '%s %s when a code is exchanged and when a token is refreshed',
    async (_id, outcome, row) => {
      const { status, headers, body, bodyMB } = row.input
      const reply = { status, headers, body: bodyMB ? 'x'.repeat(bodyMB * 1_000_000) : body }
      const { ada, errors } = await loggedIn(0, { options: { timeouts: { token: 5 } } })
      world.provider.switches.tokenEndpoint = () => reply
      world.api.switches.reply = () => ({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: '{"id":"ada"}',
      })
      const used = await ada.get('/me')
      const refreshed = world.provider.seen.refreshRequests
      if (outcome === 'accept') expect(used.status).toBe(200)
      if (outcome === 'reject') expect(used.status).toBe(502)
      if (outcome === 'transient') expect(used.status).toBe(503)
      if (outcome === 'config-error') expect(used.status).toBe(502)
      expect(refreshed).toBe(1)

      const eve = createApp(world, { cache: false })
      const visitor = eve.browser()
      const landed = await loginAs(visitor, { user: 'ada', provider: 'spotify' }).catch(String)
      const failed = typeof landed === 'string'
      expect(failed, String(landed)).toBe(outcome !== 'accept')
      world.api.switches.reply = undefined
      if (failed) await visitor.get('/me').expect(401)
      const told = JSON.stringify([...errors, ...eve.errors].map((error) => [String(error), error]))
      expect(told).not.toMatch(/\bS\b|S\u00e9|SSSS|evil\.example/)

      // Whatever came, the grant is still there.
      expect((await ada.get('/auth/session')).body.providers.spotify.connected).toBe(true)
    },
  )
})

describe('the token handler', () => {
  test('TK-16 tells of the grant and of its end, gives tokens with the validity asked for, and keeps saved ones', async () => {
    const { ada } = await loggedIn(3600, {
      routes: (app) =>
        app.get('/tokens', async (req, res) => {
          const tokens = req.tokens['spotify']!
          const first = await tokens.getAccessToken()
          const long = await tokens.getAccessToken({ minValidity: 3590, forceRefresh: false })
          const forced = await tokens.getAccessToken({ forceRefresh: true })
          const missing = await tokens
            .getAccessToken({ scope: 'playlist-read-private' })
            .catch((error) => error)
          const { user: _user, ...saved } = { accessToken: 'saved-by-the-app', user: 1 }
          await tokens.save(saved)
          const kept = await tokens.getAccessToken()
          const grant = await tokens.grant()
          res.json({
            same: first === long,
            changed: forced !== first,
            missing: missing.code,
            kept,
            grant,
          })
        }),
    })
    const { body } = await ada.get('/tokens').expect(200)
    expect(body).toMatchObject({
      same: true,
      changed: true,
      missing: 'insufficient_scope',
      kept: 'saved-by-the-app',
    })
    expect(body.grant).toMatchObject({
      subject: 'ada',
      scope: expect.arrayContaining(['user-top-read']),
    })
    expect(body.grant.refreshExpiresAt - body.grant.authorizedAt).toBe(182 * 24 * 3600 * 1000)
  })

  test('TR-19 OC-24 what was granted is told, also when it is less than was asked for', async () => {
    world.provider.switches.grantedScope = ['user-read-email']
    const { ada } = await loggedIn(3600)
    const { body } = await ada.get('/auth/session')
    expect(body.providers.spotify.scope).toEqual(['user-read-email'])
  })
})
