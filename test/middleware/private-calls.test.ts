import { beforeEach, describe, expect, test } from 'vitest'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, expressVersions, useWorld } from './express-app.ts'
import { targets } from './targets.ts'

const world = useWorld()
beforeEach(() => world.provider.reset())

describe.each(Object.entries(targets))('a call on %s', (_name, createOn) => {
  test.each([true, false])(
    'CA-14 takes nothing of the visitor’s own request along (cache: %s)',
    async (cache) => {
      const sent: Headers[] = []
      const watching: typeof fetch = async (input, init) => {
        const asked = new Request(input, init)
        if (asked.url.startsWith(world.api.baseUrl)) sent.push(asked.headers)
        return fetch(input, init)
      }
      const spotify = { ...world.spotify, fetch: watching }
      const { browser } = createOn(world, { cache, options: { providers: { spotify } } })
      const ada = browser()
      await loginAs(ada, { user: 'ada', provider: 'spotify' })
      sent.length = 0
      const theirs = {
        accept: 'text/theirs',
        'accept-language': 'theirs',
        authorization: 'Basic theirs',
        cookie: 'theirs=1',
        forwarded: 'for=theirs',
        'if-none-match': '"theirs"',
        origin: 'https://theirs.example',
        range: 'bytes=0-1',
        referer: 'https://theirs.example/',
        traceparent: '00-theirs',
        'user-agent': 'theirs',
        'x-forwarded-for': '203.0.113.7, theirs',
        'x-forwarded-host': 'theirs.example',
        'x-http-method-override': 'DELETE',
        'x-original-url': '/theirs',
      }
      const { cookie, ...rest } = theirs
      const own = (await ada.get('/me').set(rest)).status
      expect(own).toBe(200)
      await browser()
        .get('/me')
        .set({ ...rest, cookie })
        .expect(401)
      expect(sent).toHaveLength(1)
      const fields = [...sent[0]!]
      expect(sent[0]!.get('authorization')).toMatch(/^Bearer /)
      expect(fields.filter(([, value]) => /theirs|203|bytes=|DELETE|behalf=/.test(value))).toEqual(
        [],
      )
      expect(sent[0]!.has('cookie')).toBe(false)
    },
  )

  test('CA-16 makes its reply private, and leaves one that has none alone', async () => {
    const { browser } = createOn(world)
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    const replies = [await ada.get('/me'), await ada.get('/me'), await browser().get('/me')]
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 401])
    for (const { headers } of replies) {
      expect(headers['cache-control']).toBe('private, no-store')
    }
    expect((await ada.get('/')).headers['cache-control']).toBeUndefined()
  })
})

test.each(Object.entries(expressVersions))(
  'CA-16 on %s what was set for all replies does not make that of a call public',
  async (_name, express) => {
    const everything = 'public, max-age=600'
    const { browser } = createApp(world, {
      express,
      before: (app) =>
        app.use((_req, res, next) => void (res.set('cache-control', everything), next())),
    })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.get('/me')).headers['cache-control']).toBe('private, no-store')
    expect((await ada.get('/')).headers['cache-control']).toBe(everything)
  },
)
