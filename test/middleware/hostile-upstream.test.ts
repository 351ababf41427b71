import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { type HostileRow, hostileRows } from '../hostile.ts'
import { type Browser, createApp, expressVersions, useWorld } from './express-app.ts'
import { good, HostileApi, reply } from './hostile-api.ts'

const world = useWorld()
const evil = new HostileApi()
let api: HostileApi
beforeAll(() => evil.start())
afterAll(() => evil.close())
beforeEach(async () => {
  world.provider.reset()
  evil.seen.length = 0
  api = new HostileApi()
  await api.start()
})
afterEach(() => api.close())

/** What a call came to, as the app saw it. */
interface Outcome {
  value?: unknown
  code?: string
  status?: number
  retryAfter?: number
  text?: string
  took: number
}

/** How the API answers in each row. */
function answerOf({ input }: HostileRow): (socket: Socket) => void {
  const { status, header, retryAfter, location } = input
  if (status !== undefined) {
    const headers: Record<string, string> = {
      ...(header ? { 'www-authenticate': header } : {}),
      ...(retryAfter ? { 'retry-after': retryAfter } : {}),
      ...(location ? { location: location.replace('https://evil.example', evil.origin) } : {}),
    }
    return (socket) => socket.write(reply(`${status} Hostile`, headers))
  }
  const behaviours: Record<string, (socket: Socket) => void> = {
    'half-open': () => {},
    'reset-mid-body': (socket) => {
      socket.write(reply('200 OK', { 'content-length': '1000' }, good), () => {
        setImmediate(() => socket.resetAndDestroy())
      })
    },
    'content-length-too-long': (socket) => {
      socket.end(reply('200 OK', { 'content-length': '1000' }, good))
    },
    'extra-response-on-idle-socket': (socket) => {
      socket.write(reply('200 OK', {}, good) + reply('200 OK', {}, '{"id":"another user"}'))
    },
    'body-10GB': (socket) => {
      socket.write(reply('200 OK', { 'content-length': String(10 * 2 ** 30) }, '"'))
      endless(socket)
    },
  }
  return behaviours[input.behaviour]!
}

/** As fast as it is read. */
function endless(socket: Socket): void {
  const part = Buffer.alloc(2 ** 20, 'x')
  const more = (error?: Error | null) => {
    if (!error && !socket.destroyed) socket.write(part, more)
  }
  more()
}

describe.each(Object.entries(expressVersions))(
  'hostile replies of an API on %s',
  (_name, express) => {
    function start() {
      return createApp(
        {
          ...world,
          spotify: api.behind(world),
        },
        {
          express,
          options: { timeouts: { headers: 0.3 } },
          routes: (app) => {
            app.get('/call', async (req, res) => {
              const startedAt = performance.now()
              const outcome = await req.api['spotify']!.get('me').then(
                (value) => ({ value }),
                (error: Error) => ({ ...error, text: `${error.stack} ${JSON.stringify(error)}` }),
              )
              res.json({ ...outcome, took: (performance.now() - startedAt) / 1000 })
            })
            app.get('/uncaught', async (req, res, next) => {
              await req.api['spotify']!.get('me').then((value) => res.json(value), next)
            })
          },
        },
      )
    }

    const call = async (browser: Browser) => (await browser.get('/call')).body as Outcome

    async function loggedIn(browser: Browser, user = 'ada'): Promise<Browser> {
      await loginAs(browser, { user, provider: 'spotify' })
      return browser
    }

    /** What the words of a row's `assert` mean, after one call with the outcome. */
    function checksOf(row: HostileRow, ada: Browser, outcome: Outcome) {
      const { provider } = world
      const checks: Record<string, () => unknown> = {
        'no-redirect-followed': () => expect(evil.seen).toEqual([]),
        'token-not-sent': () => expect(evil.seen).toEqual([]),
        'at-most-one-refresh': () => expect(provider.seen.refreshRequests).toBeLessThanOrEqual(1),
        'no-loop': () => expect(api.seen.length).toBeLessThanOrEqual(2),
        'no-refresh': () => expect(provider.seen.refreshRequests).toBe(0),
        surfaced: () => expect(outcome.code).toBe('upstream_error'),
        'surfaced-with-retryAfter': () =>
          expect(outcome).toMatchObject({ code: 'rate_limited', retryAfter: 86_400 }),
        'request-not-held>2000ms': () => expect(outcome.took).toBeLessThan(2),
        'default-backoff': () => {
          expect(outcome.code).toBe('rate_limited')
          expect(api.seen.length).toBeLessThanOrEqual(3)
        },
        'cooldown-shared': async () => {
          const before = api.seen.length
          expect((await call(ada)).code).toBe('rate_limited')
          expect(api.seen).toHaveLength(before)
        },
        'typed-error': () => expect(outcome.code).toBe('upstream_unavailable'),
        'bounded-time:10500': () => expect(outcome.code).toBe('upstream_unavailable'),
        'size-cap': () => expect(outcome.code).toBe('unexpected_response'),
        'not-cached': async () => {
          const before = api.seen.length
          api.answer = (socket) => socket.write(reply('200 OK', {}, good))
          expect((await call(ada)).value).toEqual({ id: 'good' })
          expect(api.seen.length).toBeGreaterThan(before)
        },
        'no-secret': () => {
          const tokens = api.seen.map(({ authorization }) => authorization!.split(' ')[1]!)
          for (const token of tokens) expect(outcome.text ?? '').not.toContain(token)
        },
        'no-500-unless-upstream': async () => {
          const { status } = await ada.get('/uncaught')
          expect(status).not.toBe(500)
        },
      }
      return row.expect.assert.map((name) => [name, checks[name]] as const)
    }

    /** Rows whose other words are checked in a test of their own below. */
    const elsewhere = new Set(['socket-discarded', 'no-cross-user', 'bounded-memory'])

    test.each(
      hostileRows('upstream').map((row) => [row.id, JSON.stringify(row.input), row] as const),
    )('%s %s', async (_id, _input, row) => {
      const { browser, errors } = start()
      const ada = await loggedIn(browser())
      api.answer = answerOf(row)
      const outcome = await call(ada)
      expect(api.seen.length).toBeGreaterThan(0)
      for (const [name, check] of checksOf(row, ada, outcome)) {
        if (elsewhere.has(name)) continue
        expect(check, `a check of ${name}`).toBeDefined()
        await check!()
      }
      const tokens = api.seen.map(({ authorization }) => authorization!.split(' ')[1]!)
      for (const token of tokens) expect(JSON.stringify(errors)).not.toContain(token)
    })

    test('HT-04 UP-15 a connection that was given up is not used again', async () => {
      const ada = await loggedIn(start().browser())
      api.answer = () => {}
      expect((await call(ada)).status).toBe(504)
      api.answer = (socket) => socket.write(reply('200 OK', {}, good))
      expect((await call(ada)).value).toEqual({ id: 'good' })
      expect(api.seen.at(-1)!.connection).toBeGreaterThan(api.seen[0]!.connection)
    })

    test('UP-16 CVE-2026-48931 a reply that nobody asked for reaches no other user', async () => {
      const { browser } = start()
      const [ada, grace] = [await loggedIn(browser()), await loggedIn(browser(), 'grace')]
      api.answer = answerOf(hostileRows('upstream').find(({ id }) => id === 'UP-16')!)
      expect((await call(ada)).value).toEqual({ id: 'good' })
      api.answer = (socket) => socket.write(reply('200 OK', {}, '{"id":"grace"}'))
      // The extra bytes are there by now, with whoever reads the socket.
      await sleep(50)
      expect((await call(grace)).value).toEqual({ id: 'grace' })
      expect(api.seen.at(-1)!.connection).toBeGreaterThan(api.seen[0]!.connection)
    })

    test('UP-20 an endless body is read up to the limit, and its connection is closed', async () => {
      const ada = await loggedIn(start().browser())
      const sockets: Socket[] = []
      const answer = answerOf(hostileRows('upstream').find(({ id }) => id === 'UP-20')!)
      api.answer = (socket) => {
        sockets.push(socket)
        answer(socket)
      }
      expect((await call(ada)).code).toBe('unexpected_response')
      await Promise.all(sockets.map(closed))
      for (const { bytesWritten } of sockets) expect(bytesWritten).toBeLessThan(64 * 2 ** 20)
    })
  },
)

async function closed(socket: Socket): Promise<void> {
  if (!socket.destroyed) await once(socket, 'close')
}
