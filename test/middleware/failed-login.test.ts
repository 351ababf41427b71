import { afterEach, describe, expect, test, vi } from 'vitest'
import type { BehalfEvent } from '../../src/events.ts'
import { loginAs } from '../../src/testing/index.ts'
import { type AppSettings, createApp, navigation, useWorld } from './express-app.ts'
import { approve, beginLogin, cookiesOf } from './flow.ts'

const world = useWorld()
const https = 'https://app.example.com'

const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
afterEach(() => {
  vi.useRealTimers()
  warnings.mockClear()
})

/** An app and what it tells of logins that fail. */
function app(settings: AppSettings = {}) {
  const failed: BehalfEvent[] = []
  const onEvent = (event: BehalfEvent) => {
    if (event.type === 'login_failed') failed.push(event)
  }
  const options = { onEvent, ...settings.options }
  return { ...createApp(world, { ...settings, options }), failed }
}

/** The callback of a login that a browser has begun, and approved at the provider. */
async function approved(created: ReturnType<typeof app>) {
  const ada = created.browser()
  return { ada, back: await approve(await beginLogin(ada), 'ada') }
}

describe('a login that comes back without its cookie says why', () => {
  test.each<[string, AppSettings, Record<string, string>]>([
    ['no-cookies', {}, {}],
    ['no-login-cookie', {}, { cookie: 'theme=dark' }],
    ['other-host', {}, { host: 'localhost:3000' }],
    ['plain-http', { options: { baseUrl: https } }, { 'x-forwarded-proto': 'http' }],
    ['no-cookies', { options: { baseUrl: https } }, { 'x-forwarded-proto': 'https' }],
  ])('%s', async (reason, settings, headers) => {
    const { browser, failed } = app(settings)
    const host = new URL(
      (settings.options?.baseUrl as string | undefined) ?? 'http://127.0.0.1:3000',
    ).host
    const reply = await browser()
      .get('/auth/spotify/callback?code=c&state=unknown')
      .set({ ...navigation, host, ...headers })
    expect(reply.status).toBe(400)
    expect(failed).toMatchObject([{ code: 'state_unknown', reason, provider: 'spotify' }])
  })

  test('another-login, in a browser that has others under way', async () => {
    const created = app()
    const { ada } = await approved(created)
    await ada.get('/auth/spotify/callback?code=c&state=unknown').set(navigation).expect(400)
    expect(created.failed).toMatchObject([{ code: 'state_unknown', reason: 'another-login' }])
  })

  test('plain-http, where the browser shows by itself that it has no https', async () => {
    const { browser, failed } = app({ options: { baseUrl: https } })
    await browser()
      .get('/auth/spotify/callback?code=c&state=unknown')
      .set({ host: 'app.example.com', accept: 'text/html', 'user-agent': 'Mozilla/5.0' })
      .expect(400)
    expect(failed).toMatchObject([{ reason: 'plain-http' }])
  })

  test('no-session, where a session cookie stayed behind', async () => {
    const created = app()
    const ada = created.browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const back = await approve(await beginLogin(ada), 'ada')
    const logins = cookiesOf(ada).filter((cookie) => cookie.startsWith('behalf.t.'))
    const strict = await created
      .browser()
      .get(back)
      .set(navigation)
      .set('cookie', logins.join('; '))
    expect(strict.status).toBe(400)
    expect(created.failed).toMatchObject([{ code: 'state_user_changed', reason: 'no-session' }])
  })
})

test('a login that took more than ten minutes is told so, not that it is unknown', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const created = app()
  const { ada, back } = await approved(created)
  vi.setSystemTime(Date.now() + 11 * 60_000)
  await ada.get(back).set(navigation).expect(400)
  expect(created.failed).toMatchObject([{ code: 'state_expired' }])
})

describe('a person whose login failed', () => {
  test('gets a plain page, and a way to start again that works', async () => {
    const created = app()
    const { ada, back } = await approved(created)
    await ada.get(back).set(navigation).expect(303)
    const stranger = created.browser()
    const page = await stranger.get(back).set(navigation)
    expect(page.status).toBe(400)
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.headers['cache-control']).toBe('private, no-store')
    const [, again] = /<a href="([^"]+)">Start again<\/a>/.exec(page.text) ?? []
    const begun = await stranger.get(again!).set(navigation)
    await stranger.get(await approve(new URL(begun.headers['location']!), 'ada')).expect(303)
    await stranger.get('/me').expect(200)
  })

  test('reads nothing that came from outside, and nothing that is meant for the developer', async () => {
    const { browser } = app()
    const page = await browser()
      .get('/auth/spotify/callback?state=<script>x&error=<b>&error_description=<i>y')
      .set(navigation)
    expect(page.text).not.toMatch(/<script>|<b>|<i>|baseUrl|Set-Cookie/)
  })

  test('is told to come back later while the provider is ill', async () => {
    const created = app()
    const { ada, back } = await approved(created)
    const { switches } = world.provider
    switches.tokenEndpoint = () => ({ status: 503, headers: { 'retry-after': '7' } })
    const page = await ada.get(back).set(navigation)
    switches.tokenEndpoint = 'works'
    expect(page.status).toBe(503)
    expect(page.headers['retry-after']).toBe('7')
    expect(page.text).toContain('provider_unavailable')
  })

  test("whose login the app itself refuses gets the app's own answer", async () => {
    const refused = new Error('not on the list')
    const created = app({ options: { onLogin: () => Promise.reject(refused) } })
    const { ada, back } = await approved(created)
    await ada.get(back).set(navigation).expect(500)
    expect(created.errors).toEqual([refused])
    expect(created.failed).toMatchObject([{ code: 'login_refused' }])
  })
})

test('a script that calls the callback gets an error, not a page', async () => {
  const { browser, errors } = app()
  await browser()
    .get('/auth/spotify/callback?code=c&state=unknown')
    .set({ 'sec-fetch-mode': 'cors', accept: '*/*' })
    .expect(400, { code: 'state_unknown' })
  expect(errors).toMatchObject([{ code: 'state_unknown', reason: 'no-cookies' }])
})

test("the developer's log tells each reason once, with what to change, and no value of the request", async () => {
  const providers = { logged: world.spotify } as never
  const { browser } = app({ options: { baseUrl: https, providers } })
  for (let calls = 0; calls < 3; calls += 1) {
    await browser()
      .get('/auth/logged/callback?code=secret-code&state=secret-state')
      .set({ ...navigation, host: 'app.example.com', 'x-forwarded-proto': 'http' })
      .expect(400)
  }
  const told = warnings.mock.calls.map(([message]) => String(message))
  expect(told).toHaveLength(1)
  expect(told[0]).toMatch(/^A login at logged failed \(plain-http\).*serve the app over https/)
  expect(told[0]).not.toContain('secret')
})
