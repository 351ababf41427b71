import { describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, navigation, useWorld } from './express-app.ts'
import { sendAsIs } from './hostile-request.ts'

const world = useWorld()

const odd = 'a\u00ca\u0099'

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
