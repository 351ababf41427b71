import { afterEach, describe, expect, test, vi } from 'vitest'
import { type HostileRow, hostileRows } from '../hostile.ts'
import { navigation, secret, useWorld } from './express-app.ts'
import { approve, beginLogin, cookiesOf } from './flow.ts'
import { targets } from './targets.ts'

const world = useWorld()
afterEach(() => {
  vi.useRealTimers()
})

/** Rows of the area cookie that say nothing about the cookie of a login under way. */
const notApplicable = new Map([
  ['CK-12', 'it is not cut into chunks: its content is bounded'],
  ['CK-13', 'it is not cut into chunks: its content is bounded'],
  ['CK-40', 'it is not compressed'],
  ['CK-42', 'about the session; cookies.test.ts'],
  ['CK-43', 'about the session; cookies.test.ts'],
])

/** Seconds by which the clock is wrong when such a login begins. */
const clocks: Record<string, number> = {
  'expired-by-1s-with-cookie-still-sent': -601,
  'issued-in-future-by-1-day': 86_400,
}

/** The secret of the app in which it begins. */
const secrets: Record<string, string> = {
  'sealed-with-retired-key-beyond-grace': `retired-${secret}`,
  'sealed-with-unknown-key': `unknown-${secret}`,
}

/** The cookie that is sent in place of `name=sealed`. */
function changed({ input }: HostileRow, name: string, sealed: string, other: string): string {
  const at = input.mutate === 'flip-first-byte' ? 0 : sealed.length - 10
  const flipped = `${sealed.slice(0, at)}${sealed[at] === 'A' ? 'B' : 'A'}${sealed.slice(at + 1)}`
  if (input.header !== undefined) return input.header.replace('__Host-app', name)
  if (input.value !== undefined) return `${name}=${input.value}`
  switch (input.mutate) {
    case 'flip-last-byte':
    case 'flip-first-byte':
      return `${name}=${flipped}`
    case 'swap-with-transaction-cookie':
    case 'swap-with-other-users-cookie-name':
      return `${name}=${other}`
    default:
      return `${name}=${sealed}`
  }
}

describe.each(Object.entries(targets))('hostile login cookies on %s', (_name, createApp) => {
  test.each(
    hostileRows('cookie')
      .filter(({ id }) => !notApplicable.has(id))
      .map((row) => [row.id, JSON.stringify(row.input).slice(0, 60), row] as const),
  )('%s %s finishes no login', async (_id, _input, row) => {
    const { mutate = '' } = row.input
    const begunWith = secrets[mutate] ?? secret
    const beginning = createApp(world, { options: { secret: begunWith } })
    if (clocks[mutate] !== undefined) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + clocks[mutate] * 1000 })
    }
    const browser = beginning.browser()
    const back = await approve(await beginLogin(browser), 'ada')
    const [name = '', sealed = ''] = cookiesOf(browser)[0]!.split('=')
    const another = beginning.browser()
    await beginLogin(another)
    const [, other = ''] = cookiesOf(another)[0]!.split('=')
    vi.useRealTimers()

    const { browser: finishing, errors } = createApp(world)
    const before = world.provider.seen.codeRequests
    const cookie = changed(row, name, sealed, other)
    const reply = await finishing()
      .get(back)
      .set({ ...navigation, cookie })
    // In a rolling change of secrets another process may finish it: nobody has to begin anew.
    const [status, code] = secrets[mutate]
      ? [503, /store_unavailable/]
      : [400, /state_(unknown|expired)/]
    expect(reply.status).toBe(status)
    expect(reply.text).toMatch(code)
    expect(reply.headers['set-cookie']).not.toContain(name)
    expect(world.provider.seen.codeRequests).toBe(before)
    expect(JSON.stringify([errors.map(String), reply.text])).not.toContain(sealed)
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
  })

  test('the same login with the cookie as it was is finished', async () => {
    const { browser } = createApp(world)
    const ada = browser()
    const back = await approve(await beginLogin(ada), 'ada')
    const cookie = cookiesOf(ada).join('; ')
    await browser()
      .get(back)
      .set({ ...navigation, cookie })
      .expect(303)
  })
})
