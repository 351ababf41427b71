import { afterEach, describe, expect, test, vi } from 'vitest'
import { memoryStore } from '../../src/stores/memory.ts'
import { loginAs } from '../../src/testing/index.ts'
import { type HostileRow, hostileRows } from '../hostile.ts'
import { baseUrl, navigation, useWorld } from './express-app.ts'
import { approve, authorizationParameters, cookiesOf } from './flow.ts'
import { type RawReply, sendAsIs } from './hostile-request.ts'
import type { PortableApp } from './next-app.ts'
import { targets } from './targets.ts'

const world = useWorld()
afterEach(() => {
  vi.restoreAllMocks()
})

/** What a row's `outcome` and `assert` mean for the replies to it. */
const checks: Record<string, (reply: RawReply, row: HostileRow) => void> = {
  'redirect-to-as': (reply, row) => {
    expect(row.expect.status ?? [303]).toContain(reply.status)
    expect(new URL(reply.headers.get('location')!).origin).toBe(world.provider.issuer)
  },
  'same-policy-or-404': sameOr404,
  'no-side-effect': ({ status, headers }) => {
    expect(status).toBe(403)
    expect(headers.has('location')).toBe(false)
  },
  'authz-params-only-from-config': (reply) => {
    const request = requestOf(reply)
    expect(Object.keys(request).toSorted()).toEqual(authorizationParameters)
    expect(request['client_id']).toBe(world.provider.overrides.clientId)
    expect(request['response_type']).toBe('code')
    expect(request['scope']).not.toContain('admin')
  },
  'fresh-state': (reply) => {
    expect(requestOf(reply)['state']).toMatch(/^[\w-]{43,}$/)
  },
  'pkce-s256': (reply) => {
    expect(requestOf(reply)['code_challenge_method']).toBe('S256')
    expect(requestOf(reply)['code_challenge']).toMatch(/^[\w-]{43}$/)
  },
  'redirect_uri-from-config': (reply) => {
    expect(requestOf(reply)['redirect_uri']).toBe(`${baseUrl}/auth/spotify/callback`)
  },
  'headers-ignored': ({ setCookies }) => {
    expect(setCookies.join()).toMatch(/^behalf\.t\./)
  },
  'no-500': ({ status }) => expect(status).toBeLessThan(500),
  'no-route-confusion': sameOr404,
  'no-set-cookie': ({ setCookies }) => expect(setCookies).toEqual([]),
  'no-transaction': ({ setCookies }) => expect(setCookies.join()).not.toContain('.t.'),
  'no-proto-pollution': () => {
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
    expect(({} as { x?: unknown }).x).toBeUndefined()
  },
}

/** A variant of the path is the login itself, or nothing. */
function sameOr404(reply: RawReply): void {
  if (reply.status === 404) return expect(reply.setCookies).toEqual([])
  expect(reply.status).toBe(303)
  expect(new URL(reply.headers.get('location')!).origin).toBe(world.provider.issuer)
}

/** Rows that are more than one request have a test of their own below. */
const ownTests = new Set(['LI-22', 'LI-23', 'LI-26'])

function requestOf(reply: RawReply): Record<string, string> {
  return Object.fromEntries(new URL(reply.headers.get('location')!).searchParams)
}

/** The rows are written for an app with one provider. */
function pathOf({ input }: HostileRow): string {
  const path = (input.path as string).replace(/\blogin/, 'spotify/login')
  return input.rawQuery ? `${path}?${input.rawQuery}` : path
}

/** A host that is not the app's is first left for the app's. */
async function answer({ app }: PortableApp, row: HostileRow): Promise<RawReply> {
  const headers = { ...navigation, ...row.input.headers }
  const reply = await sendAsIs(app, pathOf(row), headers)
  const location = reply.headers.get('location')
  if (!location?.startsWith(`${baseUrl}/`)) return reply
  return sendAsIs(app, location.slice(baseUrl.length), headers)
}

describe.each(Object.entries(targets))('hostile logins on %s', (_name, createApp) => {
  test.each(
    hostileRows('login')
      .filter(({ id }) => !ownTests.has(id))
      .map((row) => [row.id, JSON.stringify(row.input).slice(0, 60), row] as const),
  )('%s %s', async (_id, _input, row) => {
    const reply = await answer(createApp(world), row)
    for (const name of [row.expect.outcome, ...row.expect.assert]) {
      expect(Object.keys(checks), 'what is checked').toContain(name)
      checks[name]!(reply, row)
    }
  })

  test('CVE-2022-31093 CVE-2022-24858 CVE-2022-29214 CVE-2024-29041 GHSA-7p99-3798-f85c every hostile returnTo lands on a path of the app', async () => {
    const { browser } = createApp(world)
    for (const row of hostileRows('returnTo')) {
      const visitor = browser()
      const reply = await visitor.get(`/auth/spotify/login?${queryOf(row.input)}`).set(navigation)
      expect(reply.status, row.id).toBe(303)
      const back = await approve(new URL(reply.headers['location']!), 'ada')
      const landed = await visitor.get(back).set(navigation)
      expect(landed.status, row.id).toBe(303)
      expect(landed.headers['location'], row.id).toBe(row.expect.location)
    }
  })

  test('LI-06 headers that name another route do not reach it: who is logged in stays so', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const row = hostileRows('login').find(({ id }) => id === 'LI-06')!
    await ada
      .get('/auth/spotify/login')
      .set({ ...navigation, ...row.input.headers })
      .expect(303)
    await ada.get('/me').expect(200)
  })

  test('LI-22 logins that are only begun leave nothing in the store, however many they are', async () => {
    const store = memoryStore()
    const writes = (['set', 'compareAndSwap', 'setMany', 'increment'] as const).map((name) =>
      vi.spyOn(store, name),
    )
    const { browser } = createApp(world, { options: { store } })
    for (let login = 0; login < 200; login += 1) {
      await browser().get('/auth/spotify/login').set(navigation).expect(303)
    }
    for (const write of writes) expect(write).not.toHaveBeenCalled()
  })

  test('LI-23 five tabs that begin at once all finish, the last one first', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    const paths = [1, 2, 3, 4, 5].map((tab) => `/auth/spotify/login?returnTo=/tab/${tab}`)
    const begun = await Promise.all(paths.map((path) => ada.get(path).set(navigation)))
    expect(cookiesOf(ada).filter((cookie) => cookie.includes('.t.'))).toHaveLength(5)
    for (const [index, { headers }] of [...begun.entries()].toReversed()) {
      const back = await approve(new URL(headers['location']!), 'ada')
      const landed = await ada.get(back).set(navigation).expect(303)
      expect(landed.headers['location']).toBe(`/tab/${index + 1}`)
    }
    await ada.get('/me').expect(200)
  })

  test('LI-26 a login does not lead back into the login', async () => {
    const { browser } = createApp(world)
    const landed = await loginAs(browser(), {
      user: 'ada',
      provider: 'spotify',
      returnTo: '/auth/spotify/login',
    })
    expect(landed.headers['location']).toBe('/')
  })
})

/** A list arrives as a repeated parameter, an object as qs writes it. */
function queryOf(input: unknown): string {
  // Slashes as they are: 10 kB of %2F would be more than Node's parser takes.
  if (typeof input === 'string')
    return `returnTo=${encodeURIComponent(input).replaceAll('%2F', '/')}`
  if (Array.isArray(input))
    return input.map((one) => `returnTo=${encodeURIComponent(one)}`).join('&')
  return Object.entries(input as object)
    .map(([name, value]) => `returnTo[${name}]=${encodeURIComponent(String(value))}`)
    .join('&')
}
