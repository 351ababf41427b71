import { readdirSync, readFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import type { BehalfEvent } from '../../src/events.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import { loginAs, type TokenRequest } from '../../src/testing/index.ts'
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

/** What must be seen nowhere, and how it could be hidden. */
class Canaries {
  readonly #secrets = new Set<string>()

  plant(...texts: Array<string | null | undefined>): void {
    for (const text of texts) if (text && text.length >= 8) this.#secrets.add(text)
  }

  get count(): number {
    return this.#secrets.size
  }

  expectNoneIn(where: string, material: string | Buffer): void {
    const text = Buffer.isBuffer(material) ? material.toString('latin1') : material
    for (const canary of this.#secrets) {
      for (const form of formsOf(canary)) {
        if (text.includes(form))
          throw new Error(`A secret was found in ${where}: …${around(text, form)}…`)
      }
    }
  }
}

function formsOf(text: string): string[] {
  const bytes = Buffer.from(text)
  return [
    text,
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    encodeURIComponent(text),
  ]
}

function around(text: string, form: string): string {
  const at = text.indexOf(form)
  return text.slice(Math.max(0, at - 60), at)
}

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
  const types: Array<BehalfEvent['type']> = [
    'login',
    'login_failed',
    'logout',
    'upstream',
    'refresh_started',
    'refresh',
    'refresh_failed',
    'refresh_recovered',
    'reauth_required',
    'reuse_suspected',
  ]
  const channels = types.map((type) => `behalf:${type}`)
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
    routes: (app) =>
      app.post('/expire', async (req, res) => {
        const tokens = req.tokens['spotify']!
        const accessToken = await tokens.getAccessToken()
        held = [accessToken]
        await tokens.save({ accessToken, expiresAt: Date.now() })
        res.send('expired')
      }),
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
  keep(await ada.post('/auth/logout').set(ownForm))
  await auth.close()
  for (const channel of channels) unsubscribe(channel, listener)
  vi.restoreAllMocks()

  expect(errors.length).toBeGreaterThan(20)
  for (const error of errors) {
    canaries.expectNoneIn('an error', inspect(error, { depth: 10, showHidden: true }))
    canaries.expectNoneIn(
      'an error as JSON',
      JSON.stringify([error, String(error), (error as Error).stack]),
    )
  }
  expect(events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(types.filter((type) => !/recovered|reuse/.test(type))),
  )
  expect(published.length).toBe(events.length)
  canaries.expectNoneIn('an event', inspect([events, published], { depth: 10 }))
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
    const issued: string[] = []
    const noting: typeof fetch = async (input, init) => {
      const reply = await fetch(input, init)
      if (!String(input).endsWith('/token')) return reply
      const text = await reply.text()
      const { access_token: accessToken, refresh_token: refreshToken } = JSON.parse(text)
      issued.push(accessToken, refreshToken)
      return new Response(text, reply)
    }
    const { app, browser, errors, auth } = createOn(world, {
      options: { onEvent: (event) => void events.push(event), fetch: noting },
    })
    const canaries = new Canaries()
    canaries.plant(secret, world.provider.overrides.clientSecret)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await beginLogin(ada)
    const cookies = cookiesOf(ada)
    const handle = cookies.find((cookie) => cookie.startsWith('behalf='))!.split('=')[1]!
    canaries.plant(...issued, ...handle.split('.'))
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
    canaries.expectNoneIn('an event', inspect(events, { depth: 10 }))
    for (const error of errors) {
      canaries.expectNoneIn('an error', inspect(error, { depth: 10, showHidden: true }))
    }
  },
  60_000,
)

test('TK-14 what a refresh for several at once, and an API in trouble, have to tell holds no token either', async () => {
  const canaries = new Canaries()
  canaries.plant(secret, world.provider.overrides.clientSecret)
  const events: BehalfEvent[] = []
  const store = memoryStore()
  const noting: typeof fetch = async (input, init) => {
    const reply = await fetch(input, init)
    if (!String(input).endsWith('/token') || !reply.ok) return reply
    const text = await reply.text()
    const { access_token: accessToken, refresh_token: refreshToken } = JSON.parse(text)
    canaries.plant(accessToken, refreshToken)
    return new Response(text, reply)
  }
  const processOf = () =>
    createApp(world, {
      options: { store, fetch: noting, onEvent: (event) => void events.push(event) },
      cache: false,
    })
  const apps = [processOf(), processOf(), processOf()]
  await loginAs(apps[0]!.browser(), { user: 'ada', provider: 'spotify' })
  const usersOf = async () =>
    Promise.all(apps.map(async ({ auth }) => auth.forSubject('spotify', 'ada')))
  world.provider.switches.delay = 0.3
  for (const { tokens } of (await usersOf()).slice(0, 1)) {
    const accessToken = await tokens.spotify.getAccessToken()
    await tokens.spotify.save({ accessToken, expiresAt: Date.now() })
  }
  await Promise.all((await usersOf()).map(({ api }) => api.spotify.get('me')))
  world.provider.switches.delay = 0
  world.api.switches.reply = () => ({ status: 429, headers: { 'retry-after': '30' }, body: '{}' })
  for (const { api } of await usersOf()) {
    const error: unknown = await api.spotify.get('me').catch((reason: unknown) => reason)
    canaries.expectNoneIn('an error', inspect(error, { depth: 10, showHidden: true }))
  }
  world.api.switches.reply = undefined
  for (const { auth } of apps) await auth.close()
  const told = ['login', 'refresh_started', 'refresh', 'upstream', 'throttled']
  expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(told))
  expect(canaries.count).toBeGreaterThanOrEqual(6)
  canaries.expectNoneIn('an event', inspect(events, { depth: 10 }))
})

function tokenParameters(request: TokenRequest): string[] {
  return Object.entries(request.parameters).flatMap(([name, value]) =>
    ['code', 'code_verifier', 'refresh_token', 'client_secret'].includes(name) ? [value] : [],
  )
}
