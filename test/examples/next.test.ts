import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { startRedis } from '../support/redis-servers.ts'
import { ask } from './asking.ts'
import { callsShown, enter, launch, logIn } from './browser.ts'
import type { NextCopy } from './next-copy.ts'
import {
  cookieKinds,
  copyWithCookies,
  inCookie,
  inStore,
  ironSession9,
  isWhole,
  type NextKind,
} from './next-kinds.ts'
import { asItShould, shortFlow } from './next-short-flow.ts'
import { cookieOf, oneRefresh, storm, stormAtExpiry } from './next-storm.ts'
import { buildNext, type NextSettings, runNext, type RunningNext } from './running-next.ts'

const chromium = component('chromium')
const redis = component('redis-server')
const kinds = [inStore, ...cookieKinds]

/** Patience where something is looked for again and again. */
const soon = { timeout: 20_000 }

/** What Next's router sends with a `<Link>` that comes into view. */
const routerPrefetch = { rsc: '1', 'next-router-prefetch': '1', 'sec-fetch-mode': 'cors' }

let browser: Browser | undefined
let copy: NextCopy
let connectionsOfTheBuild = 0
beforeAll(async () => {
  copy = copyWithCookies('built')
  const store = createServer((socket) => {
    connectionsOfTheBuild++
    socket.destroy()
  }).listen(0, '127.0.0.1')
  await once(store, 'listening')
  const { port } = store.address() as AddressInfo
  const issuer = `http://127.0.0.1:${port}`
  await buildNext(copy.folder, {
    BEHALF_BASE_URL: 'https://app.example.com',
    BEHALF_STORE: `redis://127.0.0.1:${port}`,
    DEMO_PROVIDER: JSON.stringify({ issuer, clientId: 'demo', apiBaseUrl: issuer }),
  })
  store.close()
  if (isWhole) await buildNext()
  if (chromium.present) browser = await launch(chromium.path)
}, 300_000)
afterAll(() => browser?.close())

/** Starts the example: in a build for all kinds of session, and with the time for it as it is. */
function run(kind: NextKind, settings: NextSettings = {}): Promise<RunningNext> {
  if (kind === inStore && isWhole) return runNext(settings)
  return runNext({ folder: copy.folder, env: { PLACE: kind.place }, ...settings })
}

function visit({ baseUrl }: RunningNext): Promise<BrowserContext> {
  return browser!.newContext({ baseURL: baseUrl, ignoreHTTPSErrors: true })
}

describe.skipIf(!chromium.present).each(kinds)(
  'examples/next, built and started, $name',
  { timeout: 60_000 },
  (kind) => {
    let running: RunningNext
    let context: BrowserContext
    let page: Page

    beforeAll(async () => {
      running = await run(kind)
    }, 60_000)
    beforeEach(async () => {
      running.api.reset()
      running.provider.reset()
      await context?.close()
      context = await visit(running)
      page = await context.newPage()
    })
    afterAll(async () => {
      await context?.close()
      await running?.close()
    })

    /** Ten seconds long a login that is not there afterwards is taken for a loop. */
    const forgetLogin = () => context.clearCookies({ name: '__Host-behalf.last' })
    const heading = () => page.getByRole('heading', { level: 1 }).textContent()
    const like = (tab: Page) => tab.getByRole('button', { name: /^Like / }).first()
    const leave = async (tab: Page) => {
      await tab.getByRole('button', { name: 'Log out' }).click()
      await tab.getByRole('link', { name: 'Log in with Spotify' }).waitFor()
    }
    const isAtLogin = (tab: Page) => tab.waitForURL(`${running.provider.issuer}/**`)
    /** Logged in, with tokens that are over. */
    const enterAndExpire = async () => {
      running.provider.switches.expiresIn = 1
      await enter(context)
      running.provider.switches.expiresIn = undefined
    }
    const expired = () => sleep(1_100)

    test('log in, see profile and top tracks, like one by an action, ask a route, log out', async () => {
      await logIn(page, 'Ada Moreau')
      expect(await heading()).toBe('Ada Moreau')
      expect(await page.locator('.track').count()).toBe(12)
      expect(await callsShown(page)).toHaveLength(3)
      const cookies = (await context.cookies()).map(({ name }) => name)
      expect(cookies.some((name) => name === 'app.behalf')).toBe(kind.place === 'iron-session')
      expect(cookies.some((name) => name.includes('behalf.g.'))).toBe(kind.place === 'sealedCookie')

      const name = (await like(page).getAttribute('aria-label'))!.slice('Like '.length)
      await like(page).click()
      const unlike = page.getByRole('button', { name: `Unlike ${name}`, exact: true })
      await unlike.waitFor()
      await expect.poll(() => running.api.requestsTo('me/library'), soon).toBe(1)
      await page.reload()
      await unlike.waitFor()

      await page.locator('.artist').first().click()
      await page.getByText(/followers/).waitFor()
      await page.getByRole('button', { name: 'Close' }).click()
      await expect.poll(() => page.getByRole('dialog').count(), soon).toBe(0)

      await leave(page)
      await page.goto('/top')
      expect(new URL(page.url()).origin).toBe(running.provider.issuer)
    })

    test('soft navigations and an action across expiries cost one refresh each, and are not noticed', async () => {
      const { seen } = running.provider
      await enterAndExpire()
      const before = seen.refreshRequests
      await page.goto('/top')
      await expired()
      await page.getByRole('link', { name: 'Last year' }).click()
      await page.locator('[aria-current=page]', { hasText: 'Last year' }).waitFor()
      expect(seen.refreshRequests - before).toBe(1)
      expect(await page.locator('.track').count()).toBe(12)
      // An API may be of another opinion than the clock.
      running.provider.expireAccessTokens()
      await like(page).click()
      await expect.poll(() => running.api.requestsTo('me/library'), soon).toBe(2)
      await page.getByRole('link', { name: 'Last 4 weeks' }).click()
      await page.locator('[aria-current=page]', { hasText: 'Last 4 weeks' }).waitFor()
      expect(seen.refreshRequests - before).toBe(2)
      expect(seen.presentedTwice).toBe(0)
    })

    test(`${storm} requests at an expiry cost one refresh, and none of them fails`, async () => {
      expect(await stormAtExpiry(running, context, page)).toEqual(oneRefresh)
    }, 120_000)

    if (kind !== inStore && !isWhole) return

    test('a login in two tabs leads each of them to the page that needed it', async () => {
      const other = await context.newPage()
      await page.goto('/top?period=long_term')
      await other.goto('/top?period=short_term')
      for (const tab of [other, page]) await tab.getByRole('button', { name: 'Ada Moreau' }).click()
      const shown = (tab: Page) => tab.locator('[aria-current=page]').textContent()
      expect(await shown(page)).toBe('Last year')
      expect(await shown(other)).toBe('Last 4 weeks')
    })

    test('the back button shows the page before, and after a logout nothing of it', async () => {
      await enter(context)
      await page.goto('/top')
      await page.getByRole('link', { name: 'Last year' }).click()
      await page.waitForURL('**/top?period=long_term')
      await page.goBack()
      await page.locator('[aria-current=page]', { hasText: 'Last 6 months' }).waitFor()
      await leave(page)
      await page.goBack()
      await isAtLogin(page)
      expect(await page.locator('.track').count()).toBe(0)
    })

    test('a logout in another tab: the next click of this one leads to the login', async () => {
      await enter(context)
      const [acting, asking, other] = [
        await context.newPage(),
        await context.newPage(),
        await context.newPage(),
      ]
      const tabs = [page, acting, asking]
      await Promise.all([...tabs, other].map((tab) => tab.goto('/top')))
      await leave(other)

      await page.getByRole('link', { name: 'Last year' }).click()
      await like(acting).click()
      await asking.locator('.artist').first().click()
      for (const tab of tabs) await isAtLogin(tab)
      expect(running.api.requestsTo('me/library')).toBe(0)
      await page.getByRole('button', { name: 'Ada Moreau' }).click()
      await page.waitForURL('**/top?period=long_term')
    })

    test('a grant that has ended at the provider leads to a new login, and back', async () => {
      await enter(context)
      running.provider.revokeGrants('ada')
      running.provider.expireAccessTokens()
      await forgetLogin()
      // The page was on its way already when the API refused the token; from then on it is known.
      await page.goto('/top?period=short_term')
      await page.getByText('That did not work').waitFor()
      await page.goto('/top?period=short_term')
      expect(new URL(page.url()).origin).toBe(running.provider.issuer)
      await page.getByRole('button', { name: 'Ada Moreau' }).click()
      await page.waitForURL('**/top?period=short_term')
    })

    test('an access token that expires with its refresh token leads to a new login at once', async () => {
      await enterAndExpire()
      await page.goto('/')
      await page.waitForURL('**/top')
      running.provider.revokeGrants('ada')
      await forgetLogin()
      await expired()
      await page.getByRole('link', { name: 'Last year' }).click()
      await isAtLogin(page)
      expect(running.api.requestsTo('me/library')).toBe(0)
    })

    test('TK-07 a provider in trouble is an error page, and no logout', async () => {
      await enterAndExpire()
      await expired()
      running.provider.switches.tokenEndpoint = 'unavailable'
      await page.goto('/top')
      await page.getByText('That did not work').waitFor()
      running.provider.switches.tokenEndpoint = 'works'
      await expect.poll(async () => (await page.goto('/top'), heading()), soon).toBe('Ada Moreau')
    })

    test('OC-09 a storm of prefetches begins no login, and sets no cookie', async () => {
      const paths = ['/top', '/top?period=long_term', '/auth/spotify/login?returnTo=/top', '/']
      const headers = [routerPrefetch, { 'sec-purpose': 'prefetch', accept: 'text/html' }]
      const replies = await Promise.all(
        Array.from({ length: 80 }, (_, at) =>
          ask(`${running.baseUrl}${paths[at % 4]}`, { headers: headers[at % 2]! }),
        ),
      )
      for (const reply of replies) {
        expect(reply.headers['set-cookie']).toBeUndefined()
        expect(String(reply.headers['location'] ?? '')).not.toContain(running.provider.issuer)
        expect(reply.status).toBeLessThan(500)
      }
    })

    test('SE-09 CVE-2025-48947 CVE-2025-64762 whatever sets a cookie or depends on one is private', async () => {
      await enter(context)
      const headers = { cookie: await cookieOf(context), accept: 'text/html' }
      for (const path of ['/', '/top', '/auth/session', '/auth/spotify/login', '/api/artist/x']) {
        const reply = await ask(`${running.baseUrl}${path}`, { headers })
        expect(reply.headers['cache-control'], path).toMatch(
          /private, (no-store|no-cache, no-store)/,
        )
      }
    })
  },
)

describe.skipIf(!chromium.present || !redis.present).each(isWhole ? kinds : [inStore])(
  'two processes of examples/next and one Redis, $name',
  (kind) => {
    test(`${storm} requests at an expiry cost one refresh, and none of them fails`, async () => {
      const server = await startRedis()
      const running = await run(kind, { processes: 2, store: server.url })
      const context = await visit(running)
      try {
        const outcome = await stormAtExpiry(running, context, await context.newPage())
        expect(outcome).toEqual(oneRefresh)
      } finally {
        await context.close()
        await running.close()
        await server.close()
      }
    }, 120_000)
  },
)

describe.skipIf(!chromium.present).each(isWhole ? cookieKinds : [inCookie])(
  'examples/next without a store that outlives a request, $name',
  (kind) => {
    let running: RunningNext
    let context: BrowserContext
    let page: Page
    /** Paths of whole pages. */
    const opened: string[] = []

    beforeAll(async () => {
      running = await run(kind, { store: 'memory:' })
    }, 60_000)
    afterAll(() => running?.close())
    beforeEach(async () => {
      running.api.reset()
      running.provider.reset()
      await context?.close()
      context = await visit(running)
      page = await context.newPage()
      page.on('request', (request) => {
        if (request.isNavigationRequest()) opened.push(new URL(request.url()).pathname)
      })
      await enter(context)
    })
    afterAll(() => context?.close())

    const shows = (period: string) =>
      page.locator('[aria-current=page]', { hasText: period }).waitFor()

    /** A new login, whose token is over when this is done. */
    const expire = async () => {
      running.provider.switches.expiresIn = 1
      await enter(context)
      running.provider.switches.expiresIn = undefined
      await sleep(1_100)
      opened.length = 0
    }
    const oneSpent = { refreshRequests: 1, presentedTwice: 0 }

    test('TK-15 a page leads over a route that sets the cookies, and back', async () => {
      await expire()
      await page.goto('/top?period=long_term')
      await shows('Last year')
      expect(opened.splice(0)).toContain('/auth/refresh')
      await page.reload()
      await shows('Last year')
      expect(opened.splice(0)).not.toContain('/auth/refresh')
      expect(running.provider.seen).toMatchObject(oneSpent)
    })

    test('TK-15 so does a soft navigation', async () => {
      await page.goto('/top')
      await expire()
      await page.getByRole('link', { name: 'Last year' }).click()
      await shows('Last year')
      expect(opened).toContain('/auth/refresh')
      expect(running.provider.seen).toMatchObject(oneSpent)
    })

    test('TK-15 an action is not done then, and can be done again', async () => {
      await page.goto('/top')
      await expire()
      const like = page.getByRole('button', { name: /^Like / }).first()
      await like.click()
      await page.waitForURL('**/top')
      await expect.poll(() => running.provider.seen, soon).toMatchObject(oneSpent)
      await page.waitForLoadState('networkidle')
      expect(running.api.requestsTo('me/library')).toBe(0)
      await like.click()
      await expect.poll(() => running.api.requestsTo('me/library'), soon).toBe(1)
      expect(running.provider.seen).toMatchObject(oneSpent)
    })
  },
)

test('a build opens no connection, also where it is told a store and a provider', () => {
  expect(connectionsOfTheBuild).toBe(0)
})

const nodes = [
  { name: 'node22', some: [ironSession9] },
  { name: 'node24', some: [inStore] },
].flatMap(({ name, some }) => {
  const { present, path } = component(name)
  const all = isWhole ? [...kinds, ironSession9] : some
  return all.map((kind) => ({ name, present, path, kind, what: kind.name }))
})

describe.each(nodes)('next start on $name, $what', ({ present, path, kind }) => {
  test.skipIf(!present)(
    'log in, a page, an action, a route, an expiry, log out',
    async () => {
      const running = await run(kind, { node: path })
      try {
        expect(await shortFlow(running)).toEqual(asItShould)
      } finally {
        await running.close()
      }
    },
    60_000,
  )
})

describe('examples/next asked by a program', () => {
  let running: RunningNext
  beforeAll(async () => {
    running = await run(inStore)
  }, 60_000)
  afterAll(() => running?.close())

  test('NX-01 NX-02 CVE-2025-29927 CVE-2026-44572 CVE-2026-44573 CVE-2026-44574 CVE-2026-44575 what a client sends in Next’s or our own headers opens nothing', async () => {
    for (const headers of [
      { 'x-middleware-subrequest': 'proxy:proxy:proxy:proxy:proxy' },
      { 'x-middleware-subrequest': 'src/proxy', 'x-middleware-next': '1' },
      { 'x-behalf-path': '//evil.example/' },
      { 'x-behalf-path': 'https://evil.example/' },
      { 'x-middleware-override-headers': 'cookie', 'x-middleware-request-cookie': 'behalf=x' },
    ]) {
      const top = await ask(`${running.baseUrl}/top`, { headers })
      expect(top.body).not.toContain('Logged in as')
      expect(JSON.stringify(top)).not.toMatch(/returnTo=(https|%2F%2F)/)
      expect((await ask(`${running.baseUrl}/api/artist/1`, { headers })).status).toBe(401)
    }
    expect(running.api.requests).toHaveLength(0)
  })

  test('NX-03 GHSA-x732-6j76-qmhm variants of a route are the route, or nothing', async () => {
    for (const path of [
      '//auth/spotify/login',
      '/auth/spotify/login/',
      '/auth/%73potify/login',
      '/auth/spotify/login.rsc',
      '/AUTH/spotify/login',
      '/auth/./spotify/login',
    ]) {
      const { status, headers } = await ask(`${running.baseUrl}${path}`, {
        headers: { accept: 'text/html' },
      })
      expect([404, 308, 303], path).toContain(status)
      if (status === 308) expect(headers['location']).toBe('/auth/spotify/login')
      if (status === 303) {
        expect(new URL(String(headers['location'])).origin).toBe(running.provider.issuer)
      }
    }
  })
})
