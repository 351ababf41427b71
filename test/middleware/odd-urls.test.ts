import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createBehalf } from '../../src/index.ts'
import { behalf, requireLogin } from '../../src/middleware/express.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { loginAs } from '../../src/testing/index.ts'
import { baseUrl, createApp, expressVersions, navigation, secret, useWorld } from './express-app.ts'
import { sendAsIs } from './hostile-request.ts'

const world = useWorld()

const odd = 'a\u00ca\u0099'

describe.each(Object.entries(expressVersions))('a request line on %s', (_name, express) => {
  test.each([
    ['TRACE', '/guarded', 401, '/guarded'],
    ['TRACK', '/guarded', undefined],
    ['GET', 'http://evil.example/guarded', 401, '/guarded'],
    ['GET', 'http://evil.example?x=1', 200],
    ['OPTIONS', '*', undefined],
    ['GET', '/guarded?x=http://[', 401, '/guarded?x=http://['],
    ['GET', '//[/guarded', undefined],
    ['GET', 'evil.example:443', undefined],
  ])('HT-01 %s %s is no error of the app, whose users are told from requests', async (...line) => {
    const [method, path, status, seen] = line
    const asked: string[] = []
    const core = createBehalf({
      baseUrl,
      secret,
      store: memoryStore(),
      providers: { spotify: world.spotify },
      user: (request) => void asked.push(request.url),
    })
    const errors: unknown[] = []
    const app = express()
    app.use(behalf(core))
    app.all('/guarded', requireLogin('spotify'), (_req, res) => void res.send('in'))
    app.get('/', (_req, res) => void res.send('home'))
    app.use(((error: { status?: number }, _req: never, res: ServerResponse, _next: never) => {
      if (error.status === undefined) errors.push(error)
      res.writeHead(error.status ?? 500).end()
    }) as never)
    const reply = await sendAsIs(app, path, {}, method)
    expect(reply.status).toBe(status ?? reply.status)
    expect(reply.status).toBeLessThan(500)
    expect(errors).toEqual([])
    if (status === 401) expect(new Set(asked)).toEqual(new Set([`${baseUrl}${seen}`]))
  })
})

describe('an address that cannot be parsed', () => {
  test('HT-01 as Host, Referer or forwarded host is none, and the app answers as ever', async () => {
    const { app, errors } = createApp(world, {
      before: (express) => void express.set('trust proxy', true),
    })
    for (const headers of [
      { host: odd },
      { referer: `http://${odd}` },
      { 'x-forwarded-host': odd },
    ]) {
      const reply = await sendAsIs(app, '/guarded', { ...navigation, ...(headers as object) })
      expect(reply.status).toBe(303)
    }
    expect(errors).toEqual([])
  })

  test.each(['http://[', `//${odd}`, 'https://evil.example/next', '\\\\evil.example'])(
    'HT-01 as the next page (%j) ends the list with a typed error, and takes no token there',
    async (next) => {
      const { browser } = createApp(world, {
        cache: false,
        routes: (app) =>
          app.get('/all', async (req, res, end) => {
            try {
              const items: unknown[] = []
              for await (const item of req.api['spotify']!.items('me/top/tracks')) items.push(item)
              res.json(items)
            } catch (error) {
              end(error)
            }
          }),
      })
      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      world.api.switches.reply = () => ({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ items: [1], next }),
      })
      const reply = await ada.get('/all')
      world.api.switches.reply = undefined
      expect(['unexpected_response', 'origin_not_allowed']).toContain(reply.body.code)
    },
  )
})
