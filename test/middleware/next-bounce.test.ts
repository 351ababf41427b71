import { beforeEach, describe, expect, test, vi } from 'vitest'
import { NotPersistableError } from '../../src/errors.ts'
import { behalf } from '../../src/middleware/next.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { loginAs } from '../../src/testing/index.ts'
import { baseUrl, type Browser, browserOf, navigation, secret, useWorld } from './express-app.ts'
import { cookiesOf } from './flow.ts'
import { listener } from './next-app.ts'
import { inCookie } from './place-kinds.ts'

/** What Next tells of the request that a page is rendered for. */
let requested = new Headers()
vi.mock('next/headers.js', () => ({ headers: async () => requested }))

const world = useWorld()
beforeEach(() => world.provider.reset())

/** An app whose tokens are in cookies, and whose store is this process's own. */
function start() {
  const { tokenStore } = inCookie
  const providers = { spotify: world.spotify }
  const auth = behalf({ baseUrl, secret, store: memoryStore(), providers, tokenStore })
  const app = listener((path, method) =>
    path.startsWith('/auth/') ? auth.handlers[method as 'GET'] : undefined,
  )
  /** Renders a page: what it shows, or where it leads. */
  const page = async (browser: Browser): Promise<string> => {
    requested = new Headers({ cookie: cookiesOf(browser).join('; ') })
    try {
      const { api } = await auth.context({ login: 'spotify', returnTo: '/top' })
      return (await api.spotify.get<{ id: string }>('me')).id
    } catch (error) {
      const [kind, , to] = String((error as { digest?: unknown }).digest).split(';')
      if (kind !== 'NEXT_REDIRECT') throw error
      return to!
    }
  }
  return { browser: () => browserOf(app), page, auth }
}

describe('a page that can keep no new tokens', () => {
  test('TK-15 leads over a route that sets the cookies, and back; the refresh token is spent once', async () => {
    const { browser, page } = start()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect(await page(ada)).toBe('ada')
    world.provider.expireAccessTokens()
    world.api.reset()
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_700_000 })
    try {
      const bounce = await page(ada)
      expect(bounce).toBe('/auth/refresh?returnTo=%2Ftop')
      expect(world.provider.seen.refreshRequests).toBe(0)
      const reply = await ada.get(bounce).set(navigation)
      expect(reply.status).toBe(303)
      expect(reply.headers['location']).toBe('/top')
      expect(reply.headers['cache-control']).toBe('private, no-store')
      expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
    } finally {
      vi.useRealTimers()
    }
  })

  test('does not lead there again and again', async () => {
    const { browser, page } = start()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    world.provider.switches.tokenEndpoint = 'unavailable'
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_700_000 })
    try {
      const bounce = await page(ada)
      await ada.get(bounce).set(navigation).expect(303)
      await expect(page(ada)).rejects.toThrow(NotPersistableError)
    } finally {
      vi.useRealTimers()
      world.provider.switches.tokenEndpoint = 'works'
    }
  })

  test.each(['//evil.example', 'https://evil.example/', '/auth/logout'])(
    'is not a way to %s',
    async (returnTo) => {
      const { browser } = start()
      const query = new URLSearchParams({ returnTo }).toString()
      const reply = await browser().get(`/auth/refresh?${query}`).set(navigation)
      expect(reply.headers['location']).toBe('/')
    },
  )

  test('OC-09 refreshes for navigations only', async () => {
    const { browser } = start()
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    world.provider.expireAccessTokens()
    await ada
      .get('/auth/refresh')
      .set({ ...navigation, 'sec-purpose': 'prefetch' })
      .expect(400)
    await ada.get('/auth/refresh').set({ 'sec-fetch-mode': 'cors' }).expect(400)
    expect(world.provider.seen.refreshRequests).toBe(0)
  })
})
