import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { OidcOptions } from '../../src/oauth/providers/index.ts'
import { type AppSettings, baseUrl, expressVersions, ownForm } from '../middleware/express-app.ts'
import { beginLogin } from '../middleware/flow.ts'
import { type RunningOidcProvider, startOidcProvider } from '../support/oidc-provider.ts'
import { OidcBrowser } from '../support/oidc-provider-pages.ts'
import { appAt, callbackUrl, logIn } from './oidc-provider-app.ts'

let server: RunningOidcProvider
let listening: Server
/** Answers what the server sends to the app behind the browser's back. */
let answer: RequestListener = () => {}
const delivered: number[] = []

beforeAll(async () => {
  listening = createServer((req, res) => answer(req, res))
  await once(listening.listen(0, '127.0.0.1'), 'listening')
  const { port } = listening.address() as AddressInfo
  server = await startOidcProvider(callbackUrl, {
    client: {
      post_logout_redirect_uris: [`${baseUrl}/`, `${baseUrl}/bye`],
      backchannel_logout_uri: `${baseUrl}/auth/spotify/backchannel-logout`,
      backchannel_logout_session_required: true,
    },
    features: { backchannelLogout: { enabled: true } },
    configuration: {
      // Its dispatcher reaches no loopback address.
      fetch: async (
        url: URL | string,
        { dispatcher: _dropped, ...init }: { dispatcher?: unknown },
      ) => {
        const reply = await fetch(String(url).replace(baseUrl, `http://127.0.0.1:${port}`), init)
        delivered.push(reply.status)
        return reply
      },
    },
  })
})
afterAll(async () => {
  listening.close()
  listening.closeAllConnections()
  await server.close()
})

function appWith(options: Partial<OidcOptions> = {}, settings: AppSettings = {}) {
  const made = appAt(server, options, settings)
  answer = made.app
  return made
}

describe.each(Object.entries(expressVersions))('a logout, on %s', (_name, express) => {
  test('with endSession the browser ends its session at the provider, and comes back', async () => {
    const { browser } = appWith({ endSession: true }, { express })
    const [ada, at] = [browser(), new OidcBrowser()]
    await logIn(ada, { at })
    const out = await ada.post('/auth/logout').set(ownForm)
    expect(out.status).toBe(303)
    const there = new URL(out.headers['location']!)
    expect(there.origin).toBe(server.issuer)
    expect(there.searchParams.get('client_id')).toBe(server.clientId)
    expect(there.searchParams.get('id_token_hint')).toMatch(/^eyJ/)
    await ada.get('/me').expect(401)
    expect((await at.endSession(there.href)).href).toBe(`${baseUrl}/`)
    // The provider does not know the user any more: it asks who they are.
    const again = await beginLogin(browser())
    expect((await at.visit(again.href, { user: 'ada' })).shown).toContain('login')
  })
})

test('a script is told where to go, and LO-05 the place to come back to is the app’s', async () => {
  const { browser } = appWith({ endSession: true, postLogoutRedirectUri: `${baseUrl}/bye` })
  const [ada, at] = [browser(), new OidcBrowser()]
  await logIn(ada, { at })
  const out = await ada
    .post('/auth/logout?returnTo=https://evil.example/')
    .set({ ...ownForm, accept: 'application/json' })
  expect(out.status).toBe(200)
  expect((await at.endSession(out.body.logoutUrl)).href).toBe(`${baseUrl}/bye`)
})

test('without a grant, or without endSession, nobody is sent anywhere', async () => {
  const { browser } = appWith({ endSession: true })
  expect((await browser().post('/auth/logout').set(ownForm)).headers['location']).toBe('/')
  const plain = appWith()
  const ada = plain.browser()
  await logIn(ada)
  expect((await ada.post('/auth/logout').set(ownForm)).headers['location']).toBe('/')
})

describe('a logout at the provider', () => {
  test('ends the sessions that began with it, over the back channel, and no others', async () => {
    const { browser } = appWith()
    const [first, second] = [new OidcBrowser(), new OidcBrowser()]
    const [ada, adaToo, adaElsewhere, eve] = [browser(), browser(), browser(), browser()]
    await logIn(ada, { at: first })
    await logIn(adaToo, { at: first })
    await logIn(adaElsewhere, { at: second })
    await logIn(eve, { user: 'eve' })
    delivered.length = 0
    await first.endSession(`${server.issuer}/session/end`)
    expect(delivered).toEqual([200])
    await ada.get('/me').expect(401)
    await adaToo.get('/me').expect(401)
    await adaElsewhere.get('/me').expect(200)
    await eve.get('/me').expect(200)
  })

  test('leaves what a user of the app has connected', async () => {
    const { browser, auth } = appWith({}, { options: { user: () => 'user-1' } })
    const at = new OidcBrowser()
    await logIn(browser(), { at })
    delivered.length = 0
    await at.endSession(`${server.issuer}/session/end`)
    expect(delivered).toEqual([200])
    expect(await (await auth.forUser('user-1')).tokens.spotify.grant()).toBeDefined()
  })
})

describe('a step up', () => {
  test('OC-25 max_age 0 makes the user prove who they are again, and auth_time is checked', async () => {
    const { browser } = appWith()
    const [ada, at] = [browser(), new OidcBrowser()]
    await logIn(ada, { at })
    const app = appWith({ maxAge: 0 })
    const again = app.browser()
    const authorization = await beginLogin(again)
    expect(authorization.searchParams.get('max_age')).toBe('0')
    expect((await at.visit(authorization.href, { user: 'ada' })).shown).toContain('login')
  })
})
