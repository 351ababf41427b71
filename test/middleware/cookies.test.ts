import { describe, expect, test, vi } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { type HostileRow, hostileRows } from '../hostile.ts'
import { createApp, useWorld, expressVersions, navigation, ownForm } from './express-app.ts'
import { beginLogin, cookiesOf } from './flow.ts'

const world = useWorld()

/** The session cookie is one random handle: it has no seal, no chunks and no compressed content. */
const notApplicable = new Set([
  'CK-08',
  'CK-09',
  'CK-11',
  'CK-12',
  'CK-13',
  'CK-40',
  'CK-42',
  'CK-43',
])

function mutated(row: HostileRow, cookie: string, transaction: string): string | undefined {
  const { mutate, value, header } = row.input
  const [name, ours = ''] = cookie.split('=')
  if (header !== undefined) return header.replace('__Host-app', name)
  if (value !== undefined) return `${name}=${value}`
  switch (mutate) {
    case 'flip-last-byte':
      return `${name}=${ours.slice(0, -1)}${ours.endsWith('A') ? 'B' : 'A'}`
    case 'flip-first-byte':
      return `${name}=${ours.startsWith('A') ? 'B' : 'A'}${ours.slice(1)}`
    case 'swap-with-transaction-cookie':
      return `${name}=${transaction.split('=')[1]}`
    default:
      return undefined
  }
}

describe.each(Object.entries(expressVersions))('hostile cookies on %s', (_name, express) => {
  test.each(
    hostileRows('cookie')
      .filter((row) => !notApplicable.has(row.id))
      .map((row) => [row.id, JSON.stringify(row.input).slice(0, 60), row] as const),
  )('%s %s is nobody', async (_id, _input, row) => {
    const { browser } = createApp(world, { express })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    await beginLogin(ada)
    const cookies = cookiesOf(ada)
    const session = cookies.find((cookie) => cookie.startsWith('behalf='))!
    const transaction = cookies.find((cookie) => cookie.startsWith('behalf.t.'))!
    const sent = mutated(row, session, transaction)
    if (sent === undefined) return expectOther(row, session)
    const reply = await browser().get('/me').set('cookie', sent)
    expect(reply.status).toBe(401)
    expect(reply.body.code).toBe('login_required')
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
    return undefined
  })

  /** Rows that need another app, or another time. */
  async function expectOther(row: HostileRow, session: string): Promise<void> {
    if (row.input.mutate === 'swap-with-other-users-cookie-name') {
      const reply = await createApp(world, { express }).browser().get('/me').set('cookie', session)
      expect(reply.status).toBe(401)
    } else if (row.input.mutate === 'expired-by-1s-with-cookie-still-sent') {
      const { browser } = createApp(world, { express, options: { grantTtl: { absolute: 60 } } })
      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      const cookies = cookiesOf(ada).join('; ')
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 })
      const reply = await browser().get('/me').set('cookie', cookies)
      vi.useRealTimers()
      expect(reply.status).toBe(401)
    } else {
      throw new Error(`Nothing tests ${row.id}.`)
    }
  }
})

test('CK-42 a session id that an attacker chose before the login is worth nothing after it', async () => {
  const { browser } = createApp(world)
  const planted = `behalf=${'x'.repeat(22)}.${'y'.repeat(32)}`
  const victim = browser()
  const begun = await victim.get('/auth/spotify/login').set({ ...navigation, cookie: planted })
  expect(begun.status).toBe(303)
  const transaction = (begun.headers['set-cookie'] as unknown as string[])[0]!.split(';')[0]!
  const { approve } = await import('./flow.ts')
  const back = await approve(new URL(begun.headers['location']!), 'ada')
  const landed = await browser()
    .get(back)
    .set({ ...navigation, cookie: `${planted}; ${transaction}` })
  const cookie = (landed.headers['set-cookie'] as unknown as string[]).find((one) =>
    one.startsWith('behalf='),
  )!
  expect(cookie).not.toContain('x'.repeat(22))
  await browser().get('/me').set('cookie', planted).expect(401)
  await browser().get('/me').set('cookie', cookie.split(';')[0]!).expect(200)
})

test('a reply that depends on who asks is private unless the app says otherwise', async () => {
  const { browser } = createApp(world, {
    routes: (app) =>
      app.get('/public', async (req, res) => {
        await req.tokens['spotify']!.grant()
        res.set('cache-control', 'public, max-age=60').send('x')
      }),
  })
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  expect((await ada.get('/me')).headers['cache-control']).toBe('private, no-store')
  expect((await ada.get('/')).headers['cache-control']).toBeUndefined()
  expect((await ada.get('/public')).headers['cache-control']).toBe('public, max-age=60')
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

test('the session cookie holds nothing but a random handle', async () => {
  const { browser } = createApp(world)
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  expect(cookiesOf(ada).find((cookie) => cookie.startsWith('behalf='))).toMatch(
    /^behalf=[\w-]{22}\.[\w-]{32}$/,
  )
  await ada.post('/auth/logout').set(ownForm)
})
