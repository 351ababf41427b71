import { setTimeout as sleep } from 'node:timers/promises'
import type { Browser, BrowserContext, Page, Request } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { startRedis } from '../support/redis-servers.ts'
import { type Asked, ask } from './asking.ts'
import { callsShown, launch, logIn } from './browser.ts'
import { buildNext, runNext, type RunningNext } from './running-next.ts'

const chromium = component('chromium')

/** What Next's router sends with a `<Link>` that comes into view. */
const routerPrefetch = { rsc: '1', 'next-router-prefetch': '1', 'sec-fetch-mode': 'cors' }
const storm = 200
const oneRefresh = { refreshes: 1, failed: [], shown: 12 }

describe.skipIf(!chromium.present)('examples/next, built and started', { timeout: 60_000 }, () => {
  let browser: Browser
  let running: RunningNext
  let context: BrowserContext
  let page: Page

  beforeAll(async () => {
    await buildNext()
    ;[browser, running] = await Promise.all([launch(chromium.path), runNext()])
  }, 180_000)
  beforeEach(async () => {
    running.api.reset()
    running.provider.reset()
    await context?.close()
    context = await browser.newContext({ baseURL: running.baseUrl, ignoreHTTPSErrors: true })
    page = await context.newPage()
  })
  afterAll(async () => {
    await browser?.close()
    await running?.close()
  })

  /** Ten seconds long a login that is not there afterwards is taken for a loop. */
  const forgetLogin = () => context.clearCookies({ name: '__Host-behalf.last' })
  const heading = () => page.getByRole('heading', { level: 1 }).textContent()

  test('log in, see profile and top tracks, like one by an action, ask a route, log out', async () => {
    await logIn(page, 'Ada Moreau')
    expect(await heading()).toBe('Ada Moreau')
    expect(await page.locator('.track').count()).toBe(12)
    expect(await callsShown(page)).toHaveLength(3)

    const button = page.getByRole('button', { name: /^Like / }).first()
    const name = (await button.getAttribute('aria-label'))!.slice('Like '.length)
    await button.click()
    const unlike = page.getByRole('button', { name: `Unlike ${name}`, exact: true })
    await unlike.waitFor()
    await expect.poll(() => running.api.requestsTo('me/library')).toBe(1)
    await page.reload()
    await unlike.waitFor()

    await page.locator('.artist').first().click()
    await page.getByText(/followers/).waitFor()
    await page.getByRole('button', { name: 'Close' }).click()
    await expect.poll(() => page.getByRole('dialog').count()).toBe(0)

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('link', { name: 'Log in with Spotify' }).waitFor()
    await page.goto('/top')
    expect(new URL(page.url()).origin).toBe(running.provider.issuer)
  })

  test('a page that needs a login is where the login comes back to', async () => {
    await page.goto('/top?period=long_term')
    await page.getByRole('button', { name: 'Ada Moreau' }).click()
    await page.waitForURL('**/top?period=long_term')
    expect(await page.locator('[aria-current=page]').textContent()).toBe('Last year')
  })

  test('a soft navigation across an expiry costs one refresh and is not noticed', async () => {
    await logIn(page, 'Ada Moreau')
    running.provider.expireAccessTokens()
    const before = running.provider.seen.refreshRequests
    await page.getByRole('link', { name: 'Last year' }).click()
    await page.waitForURL('**/top?period=long_term')
    await page.locator('[aria-current=page]', { hasText: 'Last year' }).waitFor()
    expect(running.provider.seen.refreshRequests - before).toBe(1)
    expect(await page.locator('.track').count()).toBe(12)
  })

  test('a login in two tabs leads each of them to its own page', async () => {
    const other = await context.newPage()
    await page.goto('/top?period=long_term')
    await other.goto('/top?period=short_term')
    for (const tab of [other, page]) await tab.getByRole('button', { name: 'Ada Moreau' }).click()
    const shown = (tab: Page) => tab.locator('[aria-current=page]').textContent()
    expect(await shown(page)).toBe('Last year')
    expect(await shown(other)).toBe('Last 4 weeks')
  })

  test('the back button shows the page before, and after a logout nothing of it', async () => {
    await logIn(page, 'Ada Moreau')
    await page.getByRole('link', { name: 'Last year' }).click()
    await page.waitForURL('**/top?period=long_term')
    await page.goBack()
    await page.locator('[aria-current=page]', { hasText: 'Last 6 months' }).waitFor()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('link', { name: 'Log in with Spotify' }).waitFor()
    await page.goBack()
    await page.waitForURL(`${running.provider.issuer}/**`)
    expect(await page.locator('.track').count()).toBe(0)
  })

  test('a logout in another tab: the next click of this one leads to the login', async () => {
    await logIn(page, 'Ada Moreau')
    const acting = await context.newPage()
    await acting.goto('/top')
    const asking = await context.newPage()
    await asking.goto('/top')
    const other = await context.newPage()
    await other.goto('/top')
    await other.getByRole('button', { name: 'Log out' }).click()
    await other.getByRole('link', { name: 'Log in with Spotify' }).waitFor()

    await page.getByRole('link', { name: 'Last year' }).click()
    await acting
      .getByRole('button', { name: /^Like / })
      .first()
      .click()
    await asking.locator('.artist').first().click()
    for (const tab of [page, acting, asking]) {
      await tab.waitForURL(`${running.provider.issuer}/**`)
    }
    expect(running.api.requestsTo('me/library')).toBe(0)
    await page.getByRole('button', { name: 'Ada Moreau' }).click()
    await page.waitForURL('**/top?period=long_term')
  })

  test('a grant that has ended at the provider leads to a new login, and back', async () => {
    await logIn(page, 'Ada Moreau')
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
    running.provider.switches.expiresIn = 1
    await logIn(page, 'Ada Moreau')
    running.provider.revokeGrants('ada')
    await forgetLogin()
    await sleep(1_100)
    await page.getByRole('link', { name: 'Last year' }).click()
    await page.waitForURL(`${running.provider.issuer}/**`)
    expect(running.api.requestsTo('me/library')).toBe(0)
  })

  test('TK-07 a provider in trouble is an error page, and no logout', async () => {
    running.provider.switches.expiresIn = 1
    await logIn(page, 'Ada Moreau')
    await sleep(1_100)
    Object.assign(running.provider.switches, { expiresIn: undefined, tokenEndpoint: 'unavailable' })
    await page.goto('/top')
    await page.getByText('That did not work').waitFor()
    running.provider.switches.tokenEndpoint = 'works'
    await expect
      .poll(async () => (await page.goto('/top'), heading()), { timeout: 15_000 })
      .toBe('Ada Moreau')
  })

  test('OC-09 a storm of prefetches begins no login, and sets no cookie', async () => {
    const paths = ['/top', '/top?period=long_term', '/auth/spotify/login?returnTo=/top', '/']
    const kinds = [routerPrefetch, { 'sec-purpose': 'prefetch', accept: 'text/html' }]
    const replies = await Promise.all(
      Array.from({ length: 80 }, (_, at) => {
        const headers = kinds[at % 2]!
        return ask(`${running.baseUrl}${paths[at % 4]}`, { headers })
      }),
    )
    for (const { status, headers } of replies) {
      expect(headers['set-cookie']).toBeUndefined()
      expect(String(headers['location'] ?? '')).not.toContain(running.provider.issuer)
      expect(status).toBeLessThan(500)
    }
  })

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

  test('SE-09 CVE-2025-48947 CVE-2025-64762 whatever sets a cookie or depends on one is private', async () => {
    await logIn(page, 'Ada Moreau')
    const cookie = await cookieOf(context)
    for (const path of ['/', '/top', '/auth/session', '/auth/spotify/login', '/api/artist/x']) {
      const { headers } = await ask(`${running.baseUrl}${path}`, {
        headers: { cookie, accept: 'text/html' },
      })
      expect(headers['cache-control'], path).toMatch(/private, (no-store|no-cache, no-store)/)
    }
  })

  test(`${storm} requests at an expiry cost one refresh, and none of them fails`, async () => {
    expect(await stormAtExpiry(running, context, page)).toEqual(oneRefresh)
  }, 120_000)
})

const redis = component('redis-server')

describe.skipIf(!chromium.present || !redis.present)(
  'two processes of examples/next and one Redis',
  () => {
    test(`${storm} requests at an expiry cost one refresh, and none of them fails`, async () => {
      const server = await startRedis()
      const running = await runNext({ processes: 2, store: server.url })
      const browser = await launch(chromium.path)
      try {
        const context = await browser.newContext({
          baseURL: running.baseUrl,
          ignoreHTTPSErrors: true,
        })
        const outcome = await stormAtExpiry(running, context, await context.newPage())
        expect(outcome).toEqual(oneRefresh)
      } finally {
        await browser.close()
        await running.close()
        await server.close()
      }
    }, 120_000)
  },
)

async function cookieOf(context: BrowserContext): Promise<string> {
  const cookies = await context.cookies()
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}

/** Pages, actions, routes and prefetches of one visitor, all at the moment when the token is over. */
async function stormAtExpiry(
  { provider, baseUrl }: RunningNext,
  context: BrowserContext,
  page: Page,
): Promise<{ refreshes: number; failed: string[]; shown: number }> {
  provider.switches.expiresIn = 1
  await logIn(page, 'Ada Moreau')
  const requests = await requestsOf(page, baseUrl)
  const cookie = await cookieOf(context)
  await sleep(1_100)
  provider.switches.expiresIn = undefined
  const before = provider.seen.refreshRequests
  const replies = await Promise.all(
    Array.from({ length: storm }, async (_, at) => {
      const { kind, url, ...asked } = requests[at % requests.length]!
      const reply = await ask(url, { ...asked, headers: { ...asked.headers, cookie } })
      return { kind, ...reply }
    }),
  )
  const wrong = replies.filter(({ kind, status, body }) => {
    const sign = {
      page: 'Logged in as',
      route: '"name"',
      navigation: 'Logged in as',
      prefetch: '',
      action: '',
    }
    return status !== 200 || !body.includes(sign[kind])
  })
  await page.reload()
  return {
    refreshes: provider.seen.refreshRequests - before,
    failed: wrong.map(({ kind, status, body }) => `${kind} ${status} ${body.slice(0, 200)}`),
    shown: await page.locator('.track').count(),
  }
}

interface Kind extends Asked {
  kind: 'page' | 'action' | 'route' | 'navigation' | 'prefetch'
  url: string
}

/** What the app's pages send: each as the browser has sent it, but for its cookies. */
async function requestsOf(page: Page, baseUrl: string): Promise<Kind[]> {
  const kindOf = (request: Request): Kind['kind'] | undefined => {
    if (request.method() === 'POST') return 'action'
    const headers = request.headers()
    if (headers['rsc'] === undefined) return undefined
    const isPrefetch = Object.keys(headers).some((name) => /^next-router-.*prefetch$/.test(name))
    return isPrefetch ? 'prefetch' : 'navigation'
  }
  const seen = new Map<Kind['kind'], Request>()
  page.on('request', (request) => {
    const kind = kindOf(request)
    if (kind) seen.set(kind, request)
  })
  await page.reload()
  await page
    .getByRole('button', { name: /^Like / })
    .first()
    .click()
  await page
    .getByRole('button', { name: /^Unlike / })
    .first()
    .waitFor()
  await page.getByRole('link', { name: 'Last year' }).click()
  await page.waitForURL('**/top?period=long_term')
  await expect.poll(() => [...seen.keys()].toSorted()).toEqual(['action', 'navigation', 'prefetch'])
  const asked = [...seen].map(async ([kind, request]): Promise<Kind> => {
    const { cookie: _own, 'accept-encoding': _packed, ...all } = await request.allHeaders()
    const headers = Object.fromEntries(Object.entries(all).filter(([name]) => name[0] !== ':'))
    const [url, method] = [request.url(), request.method()]
    return { kind, url, method, headers, body: request.postData() ?? '' }
  })
  const artists = await page
    .locator('.artist')
    .evaluateAll((buttons) => buttons.map((button) => button.getAttribute('value')))
  const routes = artists.map((id): Kind => ({ kind: 'route', url: `${baseUrl}/api/artist/${id}` }))
  const pages = ['short_term', 'medium_term', 'long_term'].map((period): Kind => {
    return { kind: 'page', url: `${baseUrl}/top?period=${period}` }
  })
  return [...(await Promise.all(asked)), ...pages, ...routes]
}
