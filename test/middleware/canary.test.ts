import { readdirSync, readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { BehalfEvent } from '../../src/events.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { loginAs, type TokenRequest } from '../../src/testing/index.ts'
import { Canaries, seenIn, typesSeenIn } from '../support/canaries.ts'
import { createApp, createWorld, navigation, ownForm, secret, type World } from './express-app.ts'
import { approve, beginLogin, cookiesOf } from './flow.ts'
import { sendAsIs } from './hostile-request.ts'
import { targets } from './targets.ts'

let world: World
const folder = mkdtempSync(join(tmpdir(), 'behalf-canary-'))
beforeAll(async () => {
  world = await createWorld()
})
beforeEach(() => {
  world.provider.reset()
  world.api.reset()
})
afterAll(async () => {
  await world.close()
  rmSync(folder, { recursive: true })
})

test('TK-14 G11 tokens, codes, verifiers and secrets are in no log, error, URL, event, page or stored byte', async () => {
  const canaries = new Canaries()
  canaries.plant(secret, world.provider.overrides.clientSecret)
  const output: string[] = []
  for (const stream of [process.stdout, process.stderr]) {
    const write = stream.write.bind(stream) as (...parts: unknown[]) => boolean
    vi.spyOn(stream, 'write').mockImplementation(((...parts: unknown[]) => {
      output.push(String(parts[0]))
      return write(...parts)
    }) as never)
  }
  const events: BehalfEvent[] = []
  const published: unknown[] = []
  const listener = (message: unknown) => void published.push(message)
  const channels = Object.keys(seenIn).map((type) => `behalf:${type}`)
  for (const channel of channels) subscribe(channel, listener)

  const store = sqliteStore(join(folder, 'canary.sqlite'))
  const pages: string[] = []
  const urls: string[] = []
  let held: string[] = []
  const { browser, errors, auth } = createApp(world, {
    options: {
      store,
      timeouts: { token: 0.5 },
      onEvent: (event) => void events.push(event),
      fetch: (input, init) => {
        urls.push(String(input))
        return fetch(input, init)
      },
    },
    routes: (app) => {
      app.get('/top', async (req, res, next) => {
        await req.api['spotify']!.get('me/top/tracks').then((list) => res.json(list), next)
      })
      app.post('/expire', async (req, res) => {
        const tokens = req.tokens['spotify']!
        const accessToken = await tokens.getAccessToken()
        held = [accessToken]
        await tokens.save({ accessToken, expiresAt: Date.now() })
        res.send('expired')
      })
    },
  })
  const keep = (reply: { headers: object; text?: string }) => {
    pages.push(JSON.stringify(reply.headers), reply.text ?? '')
    return reply
  }

  // Whatever passes the token endpoint is a canary from then on.
  const worksAsUsual = world.provider.switches.tokenEndpoint
  const noteTokens = () => canaries.plant(...held)

  const ada = browser()
  keep(await ada.get('/auth/session'))
  keep(await ada.get('/guarded').set(navigation))
  const authorization = await beginLogin(ada)
  const back = await approve(authorization, 'ada')
  const code = new URLSearchParams(back.split('?')[1]).get('code')
  canaries.plant(code)
  keep(await ada.get(back).set(navigation))
  keep(await ada.get('/me'))
  keep(await ada.get('/me'))
  keep(await ada.get('/auth/session'))
  await ada.post('/expire')
  noteTokens()
  keep(await ada.get('/me'))
  await ada.post('/expire')
  noteTokens()
  expect(canaries.count).toBeGreaterThanOrEqual(5)

  // Each way in which a provider can fail, with tokens in its replies.
  const token = 'CANARY-access-token-0123456789'
  const refreshToken = 'CANARY-refresh-token-0123456789'
  canaries.plant(token, refreshToken)
  const bodies = [
    { error: 'invalid_grant', error_description: token, access_token: token },
    { error: 'invalid_client', error_description: token },
    { error: token },
    { access_token: `${token}\r\nX: y`, token_type: 'Bearer', refresh_token: refreshToken },
    { access_token: token, token_type: 'mac', refresh_token: refreshToken },
    { access_token: token, token_type: 'Bearer', expires_in: refreshToken },
    { access_token: [token], token_type: 'Bearer' },
  ]
  for (const body of bodies) {
    for (const status of [200, 400, 401, 500]) {
      // With a refresh token that nobody has refused yet.
      world.provider.switches.tokenEndpoint = worksAsUsual
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      world.provider.switches.tokenEndpoint = (request: TokenRequest) => {
        canaries.plant(...tokenParameters(request))
        return {
          status,
          headers: { 'content-type': 'application/json', 'x-echo': token },
          body: JSON.stringify(body),
        }
      }
      await ada.post('/expire').catch(() => undefined)
      keep(await ada.get('/me'))
      const stranger = browser()
      await loginAs(stranger, { user: 'ada', provider: 'spotify', returnTo: '/x' }).catch(
        (error: unknown) => pages.push(inspect(error)),
      )
    }
  }
  world.provider.switches.tokenEndpoint = 'hangs'
  await loginAs(browser(), { user: 'ada', provider: 'spotify' }).catch(() => undefined)
  world.provider.switches.tokenEndpoint = worksAsUsual

  // Callbacks that are refused, with a code in them.
  for (const query of [
    `code=${code}`,
    `code=${code}&state=x`,
    `code=${code}&code=x&state=y`,
    `access_token=${token}&state=x`,
  ]) {
    keep(await ada.get(`/auth/spotify/callback?${query}`))
  }
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  world.api.switches.reply = () => ({
    status: 429,
    headers: { 'retry-after': '30', 'x-echo': token },
    body: '{}',
  })
  keep(await ada.get('/top'))
  keep(await ada.post('/auth/logout').set(ownForm))
  await auth.close()
  for (const channel of channels) unsubscribe(channel, listener)
  vi.restoreAllMocks()

  expect(errors.length).toBeGreaterThan(20)
  for (const error of errors) {
    canaries.expectNoneIn('an error', error)
    canaries.expectNoneIn(
      'an error as JSON',
      JSON.stringify([error, String(error), (error as Error).stack]),
    )
  }
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(typesSeenIn('one process')))
  expect(published.length).toBe(events.length)
  canaries.expectNoneIn('an event', [events, published])
  canaries.expectNoneIn('the output', output.join(''))
  canaries.expectNoneIn('a reply to the browser', pages.join('\n'))
  canaries.expectNoneIn('a URL', urls.join('\n'))
  canaries.expectNoneIn('a cookie', cookiesOf(ada).join('\n'))
  await store.close()
  for (const file of readdirSync(folder))
    canaries.expectNoneIn(`the file ${file}`, readFileSync(join(folder, file)))
})

const routes = [
  ...['login', 'callback', 'disconnect', 'backchannel-logout'].map(
    (name) => `/auth/spotify/${name}`,
  ),
  ...['logout', 'session', 'refresh'].map((name) => `/auth/${name}`),
  '/me',
  '/guarded',
  '/',
  '/none',
]

test.each(Object.entries(targets))(
  'TK-14 on %s no route, whichever way it is called, gives back a token, a handle or what it was sent',
  async (_name, createOn) => {
    const events: unknown[] = []
    const canaries = new Canaries()
    canaries.plant(secret, world.provider.overrides.clientSecret)
    const issuing: typeof fetch = async (input, init) => {
      const reply = await fetch(input, init)
      if (!String(input).endsWith('/token')) return reply
      const text = await reply.text()
      const { access_token: accessToken, refresh_token: refreshToken } = JSON.parse(text)
      canaries.plant(accessToken, refreshToken)
      return new Response(text, reply)
    }
    const { app, browser, errors, auth } = createOn(world, {
      options: { onEvent: (event) => void events.push(event), fetch: issuing },
    })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await beginLogin(ada)
    const cookies = cookiesOf(ada)
    const handle = cookies.find((cookie) => cookie.startsWith('behalf='))!.split('=')[1]!
    canaries.plant(...handle.split('.'))
    expect(canaries.count).toBeGreaterThanOrEqual(6)
    const sent = 'CANARY-sent-by-a-visitor-0123456789'
    canaries.plant(sent)

    const names = [
      'code',
      'access_token',
      'refresh_token',
      'id_token',
      'client_secret',
      'logout_token',
    ]
    const query = new URLSearchParams(
      names.map((name): [string, string] => [name, sent]),
    ).toString()
    const replies: string[] = []
    for (const path of routes) {
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD']) {
        for (const headers of [{}, navigation, ownForm, { authorization: `Bearer ${sent}` }]) {
          // Logouts are called by who is not logged in: the others still want to be.
          const isLogout = /logout|disconnect/.test(path) && method === 'POST'
          const cookie = isLogout ? 'behalf=x' : cookies.join('; ')
          const to = `${path}?${query}&state=${sent.slice(7)}`
          const reply = await sendAsIs(app, to, { ...headers, cookie }, method)
          expect(reply.status, `${method} ${path}`).toBeLessThan(500)
          // The session's own cookie is the one place for its handle.
          const set = reply.setCookies.filter((one) => !one.startsWith('behalf='))
          replies.push(...reply.headers.values(), ...set, reply.body)
        }
      }
    }
    await ada.get('/me').expect(200)
    await ada.post('/auth/logout').set(ownForm).expect(303)
    await auth.close()
    expect(events.length).toBeGreaterThan(10)
    canaries.expectNoneIn('a reply', replies.join('\n'))
    canaries.expectNoneIn('an event', events)
    for (const error of errors) {
      canaries.expectNoneIn('an error', error)
    }
  },
  60_000,
)

function tokenParameters(request: TokenRequest): string[] {
  return Object.entries(request.parameters).flatMap(([name, value]) =>
    ['code', 'code_verifier', 'refresh_token', 'client_secret'].includes(name) ? [value] : [],
  )
}
