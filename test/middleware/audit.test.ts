import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { BehalfEvent } from '../../src/events.ts'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, navigation, ownForm, useWorld } from './express-app.ts'
import { cookiesOf } from './flow.ts'

const world = useWorld()
afterEach(() => {
  vi.restoreAllMocks()
  world.provider.switches.tokenEndpoint = 'works'
})

function appWithEvents() {
  const events: BehalfEvent[] = []
  const made = createApp(world, {
    options: { onEvent: (event) => void events.push(event) },
    routes: (app) =>
      app.post('/refresh', async (req, res, next) => {
        await req.tokens['spotify']!.getAccessToken({ forceRefresh: true }).then(
          () => res.send('refreshed'),
          next,
        )
      }),
  })
  return { ...made, events }
}

describe('what an audit needs', () => {
  test('LG-01 is told with its time: logins good and bad, refreshes good and bad, logouts', async () => {
    const { browser, events } = appWithEvents()
    const begunAt = Date.now()
    const ada = browser()
    await ada.get('/auth/spotify/callback?error=access_denied&state=x').set(navigation)
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.post('/refresh').expect(200)
    world.provider.switches.tokenEndpoint = 'unavailable'
    await ada.post('/refresh').expect(503)
    world.provider.switches.tokenEndpoint = 'works'
    await ada.post('/auth/logout').set(ownForm)
    const told = events.map(({ type }) => type)
    expect(told).toEqual(
      expect.arrayContaining(['login_failed', 'login', 'refresh', 'refresh_failed', 'logout']),
    )
    for (const { at } of events) {
      expect(at).toBeGreaterThanOrEqual(begunAt)
      expect(at).toBeLessThanOrEqual(Date.now())
    }
  })

  test('LG-01 names a grant by a hash, the same one in all its events and another one for others', async () => {
    const { browser, events } = appWithEvents()
    const [ada, grace] = [browser(), browser()]
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await ada.post('/refresh').expect(200)
    const hers = new Set(events.map((event) => ('grant' in event ? event.grant : undefined)))
    await loginAs(grace, { user: 'grace', provider: 'spotify' })
    expect(hers.size).toBe(1)
    const other = events.at(-1)!
    expect('grant' in other && !hers.has(other.grant)).toBe(true)
    for (const cookie of [...cookiesOf(ada), ...cookiesOf(grace)]) {
      for (const part of cookie.split(/[=.]/).filter((one) => one.length >= 22)) {
        expect(JSON.stringify(events)).not.toContain(part)
      }
    }
  })

  test('LG-01 reaches the diagnostics channel of its type as well', async () => {
    const heard: unknown[] = []
    const listener = (event: unknown) => void heard.push(event)
    subscribe('behalf:login', listener)
    try {
      const { browser, events } = appWithEvents()
      await loginAs(browser(), { user: 'ada', provider: 'spotify' })
      expect(heard).toEqual(events.filter(({ type }) => type === 'login'))
    } finally {
      unsubscribe('behalf:login', listener)
    }
  })
})

test('LG-02 what a request or a provider says reaches no log line', async () => {
  const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const written = vi.spyOn(process.stderr, 'write').mockImplementation(() => true)
  const { browser, events } = appWithEvents()
  const forged = '\r\nERROR forged line \u001b[31m'
  const query = new URLSearchParams({ error: forged, error_description: forged, state: forged })
  await browser().get(`/auth/spotify/callback?${query.toString()}`).set(navigation)
  world.provider.switches.tokenEndpoint = () => ({
    status: 400,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: forged, error_description: forged }),
  })
  await loginAs(browser(), { user: 'ada', provider: 'spotify' }).catch(() => {})
  const told = [...warnings.mock.calls, ...written.mock.calls, ...events]
  expect(events.map(({ type }) => type)).toEqual(['login_failed', 'login_failed'])
  expect(JSON.stringify(told)).not.toMatch(/forged|\\u001b|\\r\\n/)
})

test('LG-02 a name in the query of a call brings no line break into its event', async () => {
  const events: BehalfEvent[] = []
  const { browser } = createApp(world, {
    options: { onEvent: (event) => void events.push(event) },
    routes: (app) =>
      app.get('/call', async (req, res) => {
        const { status } = await req.api['spotify']!.fetch('me?a=1&%0d%0aforged=2')
        res.sendStatus(status)
      }),
  })
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  await ada.get('/call')
  const call = events.find((event) => event.type === 'upstream')!
  expect(call.url).toMatch(/^\/v1\/me\?a&%0D%0Aforged$/)
})

test('LG-03 a visitor sees a code and a reference that the event has too, and nothing from inside', async () => {
  const { browser, events } = appWithEvents()
  world.provider.switches.tokenEndpoint = () => ({
    status: 500,
    headers: { 'content-type': 'text/plain' },
    body: 'SELECT * FROM secrets at line 7',
  })
  const page = await loginAs(browser(), { user: 'ada', provider: 'spotify' }).catch(String)
  const failed = events.find((event) => event.type === 'login_failed')!
  expect(failed.reference).toMatch(/^[0-9a-f]{10}$/)
  const reply = await browser().get('/auth/spotify/callback?code=x&state=y').set(navigation)
  const latest = events.findLast((event) => event.type === 'login_failed')!
  expect(reply.text).toContain(`state_unknown ${latest.reference}`)
  for (const text of [reply.text, JSON.stringify(page)]) {
    expect(text).not.toMatch(/SELECT|node_modules|\.ts:|at \w+ \(/)
  }
})
