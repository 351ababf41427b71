import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { ApiClient } from '../../src/oauth/api-client.ts'
import { resolveProvider } from '../../src/oauth/provider.ts'
import { spotify } from '../../src/oauth/providers/index.ts'
import { resourceUrl } from '../../src/oauth/resource-url.ts'
import { loginAs } from '../../src/testing/index.ts'
import { hostileRows } from '../hostile.ts'
import { type AppSettings, createApp, createWorld, useWorld } from '../middleware/express-app.ts'

const exampleApi = resolveProvider(
  'spotify',
  spotify({ clientId: 'id', clientSecret: 'secret', apiBaseUrl: 'https://api.example/v1' }),
  fetch,
)

describe('the URL of a call', () => {
  test.each(hostileRows('apiPath').map((row) => [row.id, JSON.stringify(row.input), row] as const))(
    '%s HT-01 TK-02 CVE-2023-23608 %s stays at the API or is refused',
    (_id, _input, row) => {
      let url: URL
      try {
        url = resourceUrl(exampleApi, row.input)
      } catch (error) {
        expect((error as { code: string }).code).toBe('origin_not_allowed')
        return
      }
      expect(url.origin).toBe('https://api.example')
      expect(url.href).not.toMatch(/\.\.|%2e|[\r\n\0]|@/i)
    },
  )

  test.each([
    ['me', 'https://api.example/v1/me'],
    ['/v1/me', 'https://api.example/v1/me'],
    ['me/top/tracks?limit=5', 'https://api.example/v1/me/top/tracks?limit=5'],
    ['https://api.example/v2/x', 'https://api.example/v2/x'],
    ['tracks/a%2Fb', 'https://api.example/v1/tracks/a%2Fb'],
    ['search?q=..%2F..', 'https://api.example/v1/search?q=..%2F..'],
  ])('%s is %s', (path, url) => {
    expect(resourceUrl(exampleApi, path).href).toBe(url)
  })

  test.each([
    '..',
    'a/..',
    'a/%2e%2E/b',
    'a/.%2e',
    'a/..%2fb',
    'a/%2e%2e%5cb',
    './a',
    '//x',
    'a b',
    'a\\b',
  ])('%s is refused', (path) => {
    expect(() => resourceUrl(exampleApi, path)).toThrow(/was not sent/)
  })

  test('no text reaches another origin or climbs out of its path', () => {
    const piece = fc.constantFrom(
      '/',
      '\\',
      '..',
      '.',
      '%2e',
      '%2F',
      '%5c',
      '@',
      ':',
      '?',
      '#',
      'evil.example',
      'https:',
      '\t',
      'v1',
      'me',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), (pieces) => {
        const text = pieces.join('')
        let url: URL
        try {
          url = resourceUrl(exampleApi, text)
        } catch (error) {
          expect((error as { code: string }).code).toBe('origin_not_allowed')
          return
        }
        expect(url.origin).toBe('https://api.example')
        const sent = text.split(/[?#]/)[0]!.replace(/^https:\/\/[^/]*/i, '')
        if (!text.startsWith('/') && !/^https:/i.test(text))
          expect(url.pathname.startsWith('/v1/')).toBe(true)
        if (sent.startsWith('/'))
          expect(url.pathname).toBe(new URL(sent, 'https://api.example').pathname)
      }),
      { numRuns: 5_000 },
    )
  })
})

describe('calls', () => {
  const world = useWorld()
  beforeEach(() => world.api.reset())

  /** Runs `use` in a request of Ada's and gives what it returns. */
  async function asAda(
    use: (api: ApiClient) => Promise<unknown>,
    settings: AppSettings = {},
  ): Promise<{ value: unknown; error: unknown }> {
    let outcome: { value: unknown; error: unknown } = { value: undefined, error: undefined }
    const { browser } = createApp(world, {
      cache: false,
      ...settings,
      routes: (app) =>
        app.get('/use', async (req, res) => {
          outcome = await use(req.api['spotify']!).then(
            (value) => ({ value, error: undefined }),
            (error: unknown) => ({ value: undefined, error }),
          )
          res.end()
        }),
    })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    world.api.reset()
    await ada.get('/use')
    return outcome
  }

  test('get gives parsed JSON, put gives undefined for an empty reply, query and json are sent', async () => {
    const { value } = await asAda(async (api) => {
      const top = await api.get<{ items: Array<{ id: string }> }>('me/top/tracks', {
        query: { limit: 2, offset: undefined },
      })
      const ids = top.items.map(({ id }) => id)
      const put = await api.put('me/tracks', { json: { ids } })
      const saved = await api.get('me/tracks/contains', { query: { ids: ids.join(',') } })
      return { count: ids.length, put, saved }
    })
    expect(value).toEqual({ count: 2, put: undefined, saved: [true, true] })
  })

  test('a status that is not 2xx is an UpstreamError with status, body and headers', async () => {
    const { error } = await asAda((api) => api.get('tracks/unknown?secret=hush'))
    expect(error).toMatchObject({
      code: 'upstream_error',
      body: { error: { message: expect.any(String) } },
    })
    expect((error as { status: number }).status).toBeGreaterThanOrEqual(400)
    expect((error as { headers: Headers }).headers.get('content-type')).toContain('json')
    expect(String(error)).toContain('spotify: GET /v1/tracks/unknown')
    expect(String(error)).not.toContain('hush')
  })

  test('fetch resolves on every status, takes paths, URLs and Requests', async () => {
    const { value } = await asAda(async (api) => {
      const { fetch: apiFetch } = api
      const replies = await Promise.all([
        apiFetch('me'),
        apiFetch(new URL('me', world.api.baseUrl + '/')),
        apiFetch(new Request(`${world.api.baseUrl}/me`)),
        apiFetch(
          new Request(`${world.api.baseUrl}/me/tracks`, {
            method: 'PUT',
            body: '{"ids":[]}',
            headers: { 'content-type': 'application/json' },
          }),
        ),
        apiFetch('nothing-here'),
      ])
      return replies.map(({ status }) => status)
    })
    const [first, ...rest] = value as number[]
    expect([first, rest[0], rest[1]]).toEqual([200, 200, 200])
    expect(rest[3]).toBe(404)
  })

  test('pages and items walk a list to its end', async () => {
    const { value, error } = await asAda(async (api) => {
      const pages = []
      for await (const page of api.pages<{ items: unknown[] }>('me/top/tracks', {
        query: { limit: 20 },
      }))
        pages.push(page.items.length)
      const names: string[] = []
      for await (const { id } of api.items<{ id: string }>('me/top/tracks', {
        query: { limit: 20 },
      }))
        names.push(id)
      return { pages, names }
    })
    expect(error).toBeUndefined()
    const { pages, names } = value as { pages: number[]; names: string[] }
    expect(pages.length).toBeGreaterThan(1)
    expect(names).toHaveLength(pages.reduce((sum, count) => sum + count, 0))
    expect(new Set(names).size).toBe(names.length)
  })

  test('a schema gives the reply its type and names the field at fault', async () => {
    const schema = {
      '~standard': {
        validate: (value: unknown) =>
          typeof (value as { id?: unknown }).id === 'string'
            ? { value: { id: (value as { id: string }).id } }
            : { issues: [{ path: ['id'] }] },
      },
    }
    expect((await asAda((api) => api.get('me', { schema }))).value).toEqual({ id: 'ada' })
    const { error } = await asAda((api) => api.get('me/top/tracks', { schema }))
    expect(String(error)).toMatch(/does not fit its schema at id/)
  })

  test("HD-05 TK-01 the caller's Authorization and cookies are replaced, the token is in no URL", async () => {
    const { api } = world
    const { value } = await asAda(async (client) => {
      const reply = await client.fetch('me', {
        headers: { authorization: 'Bearer attacker-token', cookie: 'a=b' },
      })
      return reply.status
    })
    expect(value).toBe(200)
    expect(api.requests.at(-1)).toMatchObject({ userId: 'ada', query: {} })
  })

  test('a caller may give up: the call is aborted', async () => {
    const { error } = await asAda((api) => {
      world.api.switches.behaviour = 'hangs'
      return api.get('me/top/tracks', { signal: AbortSignal.timeout(100) })
    })
    world.api.switches.behaviour = 'works'
    expect((error as Error).name).toBe('TimeoutError')
  })

  test('HT-02 an exchange that takes too long ends with a typed error', async () => {
    const { error } = await asAda(
      (api) => {
        world.api.switches.behaviour = 'hangs'
        return api.get('me/top/tracks')
      },
      { options: { timeouts: { total: 0.3 } } },
    )
    world.api.switches.behaviour = 'works'
    expect(error).toMatchObject({ code: 'upstream_unavailable', status: 504 })
  })
})

describe('redirects of the API', () => {
  test('UP-01 are followed within its origins and never carry the token elsewhere', async () => {
    const got: Array<{ host: string; headers: IncomingHttpHeaders }> = []
    const evil = createServer((req, res) => {
      got.push({ host: 'evil', headers: req.headers })
      res.end('{}')
    })
    const target = (server: typeof evil) =>
      `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const api = createServer((req, res) => {
      got.push({ host: 'api', headers: req.headers })
      if (req.url === '/v1/away') res.writeHead(302, { location: `${target(evil)}/v1/me` }).end()
      else if (req.url === '/v1/moved') res.writeHead(302, { location: '/v1/here' }).end()
      else if (req.url === '/v1/loop') res.writeHead(302, { location: '/v1/loop' }).end()
      else res.setHeader('content-type', 'application/json').end('{"ok":true}')
    })
    for (const server of [evil, api])
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const world = await createWorld()
    const moved = {
      ...world.spotify,
      apiBaseUrl: `${target(api)}/v1`,
      userInfo: `${world.api.baseUrl}/me`,
      apiOrigins: [target(api)],
    }
    const { browser } = createApp(
      { ...world, spotify: moved },
      {
        cache: false,
        routes: (app) =>
          app.get('/use/:path', async (req, res) => {
            const reply = await req.api['spotify']!.fetch(req.params.path, {
              headers: { cookie: 'a=b' },
            }).catch((error: unknown) => ({ status: String(error) }))
            res.json({ status: reply.status })
          }),
      },
    )
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    expect((await ada.get('/use/away')).body.status).toBe(302)
    expect((await ada.get('/use/moved')).body.status).toBe(200)
    expect(String((await ada.get('/use/loop')).body.status)).toContain('too many redirects')
    expect(got.filter(({ host }) => host === 'evil')).toEqual([])
    expect(got.filter(({ headers }) => headers.authorization === undefined)).toEqual([])
    expect(got.filter(({ headers }) => headers.cookie !== undefined)).toEqual([])
    await world.close()
    evil.close()
    api.close()
  })
})
