import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { timedFetch } from '../../src/oauth/timed-fetch.ts'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, useWorld } from '../middleware/express-app.ts'

const world = useWorld()
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function portOf(server: Server): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** What a logged-in user's call comes to, at an API of its own and within these limits. */
async function calledAt(apiBaseUrl: string, timeouts: object) {
  const spotify = { ...world.spotify, apiBaseUrl, userInfo: `${world.api.baseUrl}/me` }
  const apiOrigins = [new URL(apiBaseUrl).origin, new URL(world.api.baseUrl).origin]
  const { browser } = createApp(
    { ...world, spotify: { ...spotify, apiOrigins } },
    {
      cache: false,
      options: { timeouts },
      routes: (app) =>
        app.get('/call', async (req, res) => {
          const startedAt = performance.now()
          const error = await req.api['spotify']!.get('me').catch((reason: unknown) => reason)
          const { code, status, message } = error as Error & { code: string; status: number }
          res.json({ code, status, message, took: (performance.now() - startedAt) / 1000 })
        }),
    },
  )
  const ada = browser()
  await loginAs(ada, { user: 'ada', provider: 'spotify' })
  return (await ada.get('/call')).body as { took: number }
}

/** Undici looks at its clock twice a second. */
const soon = 4

describe('HT-02 a call ends with upstream_unavailable, 504,', () => {
  test('when no connection comes about', async () => {
    const sockets = new Set<{ destroy(): void }>()
    // It accepts, and never says anything: for TLS that is no connection.
    const port = await portOf(createServer((socket) => sockets.add(socket)))
    const outcome = await calledAt(`https://127.0.0.1:${port}/v1`, { connect: 0.3 })
    for (const socket of sockets) socket.destroy()
    expect(outcome).toMatchObject({ code: 'upstream_unavailable', status: 504 })
    expect(outcome.took).toBeLessThan(soon)
  })

  test.each<[string, object, RequestListener]>([
    ['when no headers come', { headers: 0.3 }, () => {}],
    [
      'when a body stops coming',
      { idle: 0.3 },
      (_req, res) => res.setHeader('content-type', 'application/json').write('{"half":'),
    ],
    [
      'when the whole takes too long, however steadily it comes',
      { total: 0.5 },
      (_req, res) => {
        const timer = setInterval(() => res.write(' '), 50)
        res.on('close', () => clearInterval(timer))
      },
    ],
  ])('%s', async (_when, timeouts, answer) => {
    const api = createHttpServer(answer)
    const port = await portOf(api)
    const outcome = await calledAt(`http://127.0.0.1:${port}/v1`, timeouts)
    expect(outcome).toMatchObject({ code: 'upstream_unavailable', status: 504 })
    expect(outcome.took).toBeLessThan(soon)
    api.closeAllConnections()
  })
})

test('HT-02 a refused connection is upstream_unavailable, 502, and quotes nothing that was sent', async () => {
  const server = createServer()
  const port = await portOf(server)
  server.close()
  const outcome = await calledAt(`http://127.0.0.1:${port}/v1`, {})
  expect(outcome).toMatchObject({
    code: 'upstream_unavailable',
    status: 502,
    message:
      'spotify: GET /v1/me has no usable reply: the connection failed (ECONNREFUSED). Whether it took effect is not known.',
  })
})

test('an app that has set a dispatcher of its own, such as a proxy, goes on using it', async () => {
  const name = Symbol.for('undici.globalDispatcher.1')
  const global = globalThis as unknown as Record<symbol, unknown>
  const former = global[name]
  const calling = timedFetch({ connect: 3, headers: 10, idle: 10 })
  class ProxyOfTheApp {
    dispatch(_options: unknown, handler: { onError(error: Error): void }): boolean {
      handler.onError(new Error('through the proxy'))
      return true
    }
  }
  global[name] = new ProxyOfTheApp()
  try {
    for (const call of [calling, timedFetch({ connect: 3, headers: 10, idle: 10 })]) {
      const error = await call('http://127.0.0.1:8123/').catch((reason: unknown) => reason)
      expect((error as Error).cause).toMatchObject({ message: 'through the proxy' })
    }
  } finally {
    global[name] = former
  }
})
