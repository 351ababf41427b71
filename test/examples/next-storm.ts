import { setTimeout as sleep } from 'node:timers/promises'
import type { BrowserContext, Page, Request } from 'playwright-core'
import { expect } from 'vitest'
import { type Asked, ask } from './asking.ts'
import { enter } from './browser.ts'
import type { RunningNext } from './running-next.ts'

/** Requests at the moment when the token is over. */
export const storm = 200
export const oneRefresh = { refreshes: 1, presentedTwice: 0, failed: [], shown: 12 }

/** What a storm differs in. */
export interface StormSettings {
  /** Default 200. */
  requests?: number
  /** `next dev` fetches nothing ahead. Default true. */
  prefetch?: boolean
}

/** What came of a storm. */
export interface StormOutcome {
  refreshes: number
  presentedTwice: number
  failed: string[]
  /** Tracks on the page afterwards. */
  shown: number
}

/** The cookies of a browser, as it sends them. */
export async function cookieOf(context: BrowserContext): Promise<string> {
  const cookies = await context.cookies()
  return cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
}

/** Sends pages, actions, routes and prefetches of one visitor, all at the moment when the token is over. */
export async function stormAtExpiry(
  { provider, baseUrl }: RunningNext,
  context: BrowserContext,
  page: Page,
  { requests: count = storm, prefetch = true }: StormSettings = {},
): Promise<StormOutcome> {
  await enter(context)
  await page.goto('/top')
  const requests = await requestsOf(page, baseUrl, prefetch)
  provider.switches.expiresIn = 1
  await enter(context)
  const cookie = await cookieOf(context)
  await sleep(1_100)
  provider.switches.expiresIn = undefined
  const before = { ...provider.seen }
  const replies = await Promise.all(
    Array.from({ length: count }, async (_, at) => {
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
    refreshes: provider.seen.refreshRequests - before.refreshRequests,
    presentedTwice: provider.seen.presentedTwice - before.presentedTwice,
    failed: wrong.map(({ kind, status, body }) => `${kind} ${status} ${body.slice(0, 200)}`),
    shown: await page.locator('.track').count(),
  }
}

interface Kind extends Asked {
  kind: 'page' | 'action' | 'route' | 'navigation' | 'prefetch'
  url: string
}

/** What the app's pages send: each as the browser has sent it, but for its cookies. */
async function requestsOf(page: Page, baseUrl: string, prefetch: boolean): Promise<Kind[]> {
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
  const expected = ['action', 'navigation', ...(prefetch ? ['prefetch'] : [])]
  await expect
    .poll(() => [...seen.keys()].toSorted(), { timeout: 20_000 })
    .toEqual(expect.arrayContaining(expected))
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
