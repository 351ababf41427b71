import { describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { hostileRows } from '../hostile.ts'
import { createWorld, navigation, type World } from './express-app.ts'
import { cookiesOf } from './flow.ts'
import { sendAsIs } from './hostile-request.ts'
import { targets } from './targets.ts'

/** A world that notes which headers came to its API; `use` is done in it. */
async function inWorld(use: (world: World, sent: Headers[]) => Promise<void>): Promise<void> {
  const sent: Headers[] = []
  const world = await createWorld({
    fetch: async (input: string | URL | Request, init?: RequestInit) => {
      const request = new Request(input, init)
      if (request.url.startsWith(world.api.baseUrl)) sent.push(new Headers(request.headers))
      return fetch(input, init)
    },
  })
  try {
    await use(world, sent)
  } finally {
    await world.close()
  }
}

describe.each(Object.entries(targets))('hostile headers on %s', (_name, createApp) => {
  test.each(
    hostileRows('header').map(
      (row) => [row.id, Object.keys(row.input.headers).join(), row] as const,
    ),
  )('%s %s gives nobody anything and goes nowhere', (_id, _names, row) =>
    inWorld(async (world, sent) => {
      const headers = row.input.headers as Record<string, string>
      const { app, browser } = createApp(world)
      const nobody = await sendAsIs(app, '/me', headers)
      // Node itself refuses what is malformed or too long.
      expect([401, 400, 431]).toContain(nobody.status)
      const guarded = await sendAsIs(app, '/guarded', { ...navigation, ...headers })
      expect([303, 400, 431]).toContain(guarded.status)
      expect(guarded.body).not.toContain('in')
      expect(sent).toEqual([])

      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      sent.length = 0
      const cookie = cookiesOf(ada).join('; ')
      const hers = await sendAsIs(app, '/me', { cookie, ...headers })
      expect(row.expect.status ?? [200, 304, 400]).toContain(hers.status)
      if (hers.status === 200) expect(JSON.parse(hers.body.trim())).toMatchObject({ id: 'ada' })
      for (const one of sent) {
        for (const [name, value] of Object.entries(headers)) {
          expect(one.get(name)).not.toBe(value)
        }
      }
      expect((await ada.get('/me').expect(200)).body.id).toBe('ada')
      expect(sent.length).toBeGreaterThan(0)
    }),
  )

  test('CA-14 nothing of the visitor’s request goes to the API', () =>
    inWorld(async (world, sent) => {
      const { app, browser } = createApp(world)
      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      sent.length = 0
      const cookie = cookiesOf(ada).join('; ')
      await sendAsIs(app, '/me', {
        cookie,
        'accept-language': 'de',
        'x-forwarded-host': 'evil.example',
        'x-http-method-override': 'DELETE',
        'x-original-url': '/v1/other',
        'x-of-the-visitor': 'yes',
      })
      expect(sent).toHaveLength(1)
      expect([...sent[0]!.keys()]).toEqual(['authorization'])
    }))
})
