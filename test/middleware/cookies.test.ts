import { describe, expect, test, vi } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { type HostileRow, hostileRows } from '../hostile.ts'
import { createApp, navigation, ownForm, useWorld } from './express-app.ts'
import { approve, beginLogin, cookiesOf } from './flow.ts'
import { targets } from './targets.ts'

const world = useWorld()

/** The session cookie is one random handle; the sealed cookie is that of a login under way. */
const notApplicable = new Map([
  ['CK-08', 'it has no seal; hostile-login-cookie.test.ts'],
  ['CK-09', 'it has no seal; hostile-login-cookie.test.ts'],
  ['CK-11', 'it says no time; hostile-login-cookie.test.ts'],
  ['CK-12', 'it is not cut into chunks'],
  ['CK-13', 'it is not cut into chunks'],
  ['CK-40', 'it has no content, and none that is compressed'],
  ['CK-42', 'a test of its own below'],
  ['CK-43', 'a test of its own below'],
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

describe.each(Object.entries(targets))('hostile cookies on %s', (_name, createOn) => {
  test.each(
    hostileRows('cookie')
      .filter((row) => !notApplicable.has(row.id))
      .map((row) => [row.id, JSON.stringify(row.input).slice(0, 60), row] as const),
  )('%s %s is nobody', async (_id, _input, row) => {
    const { browser } = createOn(world)
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
      const reply = await createOn(world).browser().get('/me').set('cookie', session)
      expect(reply.status).toBe(401)
    } else if (row.input.mutate === 'expired-by-1s-with-cookie-still-sent') {
      const { browser } = createOn(world, { options: { grantTtl: { absolute: 60 } } })
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

describe.each(Object.entries(targets))('planted cookies on %s', (_name, createOn) => {
  test('CK-42 a session id that an attacker chose before the login is worth nothing after it', async () => {
    const { browser } = createOn(world)
    const planted = `behalf=${'x'.repeat(22)}.${'y'.repeat(32)}`
    const begun = await browser()
      .get('/auth/spotify/login')
      .set({ ...navigation, cookie: planted })
    expect(begun.status).toBe(303)
    const [transaction] = cookiesSetBy(begun)
    const back = await approve(new URL(begun.headers['location']!), 'ada')
    const landed = await browser()
      .get(back)
      .set({ ...navigation, cookie: `${planted}; ${transaction}` })
    const cookie = cookiesSetBy(landed).find((one) => one.startsWith('behalf='))!
    expect(cookie).not.toContain('x'.repeat(22))
    await browser().get('/me').set('cookie', planted).expect(401)
    await browser().get('/me').set('cookie', cookie).expect(200)
  })

  test('CK-43 a cookie that another host of the domain could have set is not read', async () => {
    const host = 'app.example.com'
    const { browser } = createOn(world, { options: { baseUrl: `https://${host}` } })
    const begun = await browser()
      .get('/auth/spotify/login?moved=1')
      .set({ ...navigation, host })
    const [transaction] = cookiesSetBy(begun)
    const back = await approve(new URL(begun.headers['location']!), 'ada')
    const landed = await browser()
      .get(back)
      .set({ ...navigation, host, cookie: transaction! })
    const cookie = cookiesSetBy(landed).find((one) => one.startsWith('__Host-behalf='))!
    await browser().get('/me').set({ host, cookie }).expect(200)
    const unprefixed = cookie.replace('__Host-', '')
    await browser().get('/me').set({ host, cookie: unprefixed }).expect(401)
  })
})

function cookiesSetBy({ headers }: { headers: object }): string[] {
  const lines = (headers as { 'set-cookie'?: string[] })['set-cookie'] ?? []
  return lines.map((line) => line.split(';', 1)[0]!)
}

test('CA-16 a reply that depends on who asks is private unless the app says otherwise', async () => {
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

test('the session cookie holds nothing but a random handle', async () => {
  const { browser } = createApp(world)
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  expect(cookiesOf(ada).find((cookie) => cookie.startsWith('behalf='))).toMatch(
    /^behalf=[\w-]{22}\.[\w-]{32}$/,
  )
  await ada.post('/auth/logout').set(ownForm)
})
