import { describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { hostileRows } from '../hostile.ts'
import { createApp, createWorld, expressVersions } from './express-app.ts'

interface Sent {
  url: URL
  authorization: string | null
}

describe.each(Object.entries(expressVersions))('hostile paths of calls on %s', (_name, express) => {
  test.each(hostileRows('apiPath').map((row) => [row.id, JSON.stringify(row.input), row] as const))(
    '%s HT-01 TK-02 %s takes no token elsewhere',
    async (_id, _input, row) => {
      const sent: Sent[] = []
      const world = await createWorld({
        fetch: async (input: string | URL | Request, init?: RequestInit) => {
          const { url, headers } = new Request(input, init)
          sent.push({ url: new URL(url), authorization: headers.get('authorization') })
          return fetch(input, init)
        },
      })
      try {
        const { browser } = createApp(world, {
          express,
          routes: (app) =>
            app.get('/call', async (req, res) => {
              const path = String(req.query['path'])
              const calls = [
                () => req.api['spotify']!.fetch(path),
                () => req.api['spotify']!.get(path),
                () => req.api['spotify']!.fetch(new Request('http://a.invalid', { method: 'GET' })),
              ]
              const codes: unknown[] = []
              for (const call of calls) {
                codes.push(
                  await call().then(
                    () => 'sent',
                    (error: { code: string }) => error.code,
                  ),
                )
              }
              res.json(codes)
            }),
        })
        const ada = browser()
        await loginAs(ada, { user: 'ada', provider: 'spotify' })
        sent.length = 0
        const { body } = await ada.get('/call').query({ path: row.input }).expect(200)
        expect(body).toEqual(Array(3).fill('origin_not_allowed'))
        expect(sent).toEqual([])
        // A path that is none of these is sent, with the token, to the API and nowhere else.
        const fine = await ada.get('/call').query({ path: 'me' }).expect(200)
        expect(fine.body).toEqual(['sent', 'sent', 'origin_not_allowed'])
        expect(sent.map(({ url }) => url.href)).toContain(`${world.api.baseUrl}/me`)
        expect(sent.every(({ url }) => url.origin === world.api.origin)).toBe(true)
        expect(sent[0]!.authorization).toMatch(/^Bearer /)
      } finally {
        await world.close()
      }
    },
  )
})
