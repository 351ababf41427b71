import { describe, expect, test } from 'vitest'
import type { CacheRules, ResponseCacheOptions } from '../../src/cache/index.ts'
import { createBehalf } from '../../src/index.ts'
import { responseCache } from '../../src/middleware/express.ts'
import { spotify } from '../../src/oauth/providers/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor } from '../../src/testing/index.ts'
import { baseUrl, secret, useWorld } from './express-app.ts'

const world = useWorld()

function appWith(cache: ResponseCacheOptions, provider: object = {}, store = memoryStore()) {
  const auth = createBehalf({
    baseUrl,
    secret,
    store,
    user: () => undefined,
    cache: responseCache(cache),
    providers: {
      spotify: spotify({
        ...world.provider.overrides,
        apiBaseUrl: world.api.baseUrl,
        scope: ['user-read-email', 'user-top-read'],
        ...provider,
      }),
    },
  })
  const statusOf = async (user: string, path: string, init: object = {}) => {
    const { api } = await auth.forUser(user)
    const response = await api.spotify.fetch(path, init)
    expect(response.status).toBe(200)
    await response.arrayBuffer()
    return response.headers.get('cache-status')!
  }
  const connect = (...users: string[]) =>
    Promise.all(users.map((user) => grantFor(auth, { user, provider: 'spotify' })))
  return { auth, statusOf, connect }
}

/** Whose token each request to the catalogue came with; the app is nobody. */
const askers = () => world.api.requests.map(({ userId, query }) => [userId, query['market']])

describe('a rule with as: app', () => {
  const asApp: CacheRules = [
    { match: '/v1/tracks/*', ttl: 60, as: 'app', fromProfile: { market: 'country' } },
  ]
  const track = async () => {
    const { items } = (await (await fetchTracks()).json()) as { items: Array<{ id: string }> }
    return `tracks/${items[0]!.id}`
  }
  const fetchTracks = async () => {
    const { auth, connect } = appWith({})
    await connect('ada')
    const { api } = await auth.forUser('ada')
    return api.spotify.fetch('me/top/tracks')
  }

  test('is fetched with the app’s token and the user’s market, for all users of that market', async () => {
    const path = await track()
    world.api.reset()
    const { statusOf, connect } = appWith({ rules: asApp })
    await connect('ada', 'grace')
    world.api.reset()
    expect(await statusOf('ada', path)).toContain('stored')
    expect(await statusOf('ada', path)).toContain('hit')
    expect(await statusOf('grace', path)).toContain('stored')
    expect(await statusOf('grace', `${path}?market=FR`)).toContain('hit')
    expect(await statusOf('grace', `${path}?market=from_token`)).toContain('hit')
    expect(askers()).toEqual([
      ['', 'FR'],
      ['', 'GB'],
    ])
  })

  test('while the market is not known the user’s own token is used, and the reply is theirs', async () => {
    const path = await track()
    world.api.reset()
    const profile = (user: Record<string, unknown>) => ({ subject: String(user['id']) })
    const { statusOf, connect } = appWith({ rules: asApp }, { profile })
    await connect('ada', 'grace')
    world.api.reset()
    for (const user of ['ada', 'ada', 'grace']) await statusOf(user, path)
    expect(askers()).toEqual([
      ['ada', undefined],
      ['grace', undefined],
    ])
  })

  test('needs no login where nothing of a user is asked for', async () => {
    const path = await track()
    const { statusOf } = appWith({ rules: asApp })
    expect(await statusOf('nobody', `${path}?market=FR`)).toContain('stored')
    const { auth } = appWith({ rules: asApp })
    const { api } = await auth.forUser('nobody')
    await expect(api.spotify.fetch(path)).rejects.toMatchObject({ code: 'login_required' })
  })
})

describe('what a user’s replies are kept for', () => {
  const rules = { '/v1/me': 60 }

  test('a grant: connecting again begins anew', async () => {
    const { statusOf, connect } = appWith({ rules })
    await connect('ada')
    await statusOf('ada', 'me')
    expect(await statusOf('ada', 'me')).toContain('hit')
    await connect('ada')
    expect(await statusOf('ada', 'me')).toContain('uri-miss')
  })

  test('the subject: two users of the app with one account share, another account does not', async () => {
    const { auth, statusOf, connect } = appWith({ rules, partition: 'subject' })
    await connect('ada', 'grace')
    await grantFor(auth, { user: 'ada at work', as: 'ada', provider: 'spotify' })
    await statusOf('ada', 'me')
    expect(await statusOf('ada at work', 'me')).toContain('hit')
    expect(await statusOf('grace', 'me')).toContain('uri-miss')
    const { tokens } = await auth.forUser('ada at work')
    await tokens.spotify.disconnect()
    const { api } = await auth.forUser('ada at work')
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'login_required' })
  })

  test('OC-27 the subject: an equal one of another issuer is somebody else, also in one store and under one name', async () => {
    const store = memoryStore()
    const here = appWith({ rules, partition: 'subject' }, {}, store)
    await here.connect('ada')
    await here.statusOf('ada', 'me')
    expect(await here.statusOf('ada', 'me')).toContain('hit')
    const { tokens } = await here.auth.forUser('ada')
    const accessToken = await tokens.spotify.getAccessToken()
    const { scope } = (await tokens.spotify.grant())!
    for (const [issuer, status] of [
      [world.provider.issuer, 'hit'],
      ['https://accounts.other.example', 'uri-miss'],
    ] as const) {
      const there = appWith({ rules, partition: 'subject' }, { issuer }, store)
      const grant = { user: issuer, subject: 'ada', tokenSet: { accessToken, scope } }
      await there.auth.grants.import('spotify', grant)
      expect(await there.statusOf(issuer, 'me')).toContain(status)
    }
  })

  test('the subject: another scope is another partition', async () => {
    const { auth, statusOf } = appWith({ rules, partition: 'subject' })
    const scopes = [[], ['user-read-email']]
    for (const [index, scope] of scopes.entries()) {
      await grantFor(auth, { user: `ada ${index}`, as: 'ada', provider: 'spotify', scope })
      expect(await statusOf(`ada ${index}`, 'me')).toContain('uri-miss')
    }
  })

  test('shared: true shares only what the reply permits, and with nobody who is not connected', async () => {
    const shared = [{ match: '/v1/me', ttl: 60, shared: true }]
    const headers = { 'cache-control': 'public, max-age=60' }
    const publicly = async () => new Response('{"id":"x"}', { headers })
    const { auth, statusOf, connect } = appWith({ rules: shared })
    await connect('ada', 'grace')
    // The test API says nothing that permits it.
    await statusOf('ada', 'me')
    expect(await statusOf('grace', 'me')).toContain('uri-miss')
    const open = appWith({ rules: shared })
    await open.connect('ada', 'grace')
    const app = await open.auth.app()
    Object.assign(app.access('spotify').provider, { fetch: publicly })
    await open.statusOf('ada', 'me')
    expect(await open.statusOf('grace', 'me')).toContain('hit')
    const { api } = await open.auth.forUser('nobody')
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'login_required' })
    await auth.close()
  })
})

describe('what a call says to the cache', () => {
  test('ttl and tags of a call reach it, also where there is no rule', async () => {
    const { statusOf, connect } = appWith({ rules: { '/other': 1 } }, { rules: {} })
    await connect('ada')
    expect(await statusOf('ada', 'me')).toContain('detail=no-rule')
    await statusOf('ada', 'me', { ttl: 30, tags: ['profile'] })
    expect(await statusOf('ada', 'me', { ttl: 30 })).toBe('behalf; hit; ttl=30')
    expect(await statusOf('ada', 'me', { ttl: 30, cache: 'no-store' })).toContain('fwd=request')
  })

  test('stale-while-revalidate of a rule: close() waits for the refresh', async () => {
    const rules = [{ match: '/v1/me', ttl: 0.05, staleWhileRevalidate: 60 }]
    const { auth, statusOf, connect } = appWith({ rules })
    await connect('ada')
    await statusOf('ada', 'me')
    await new Promise((resolve) => setTimeout(resolve, 80))
    world.api.reset()
    expect(await statusOf('ada', 'me')).toMatch(/^behalf; hit; ttl=-?0$/)
    await auth.close()
    expect(world.api.requestsTo('me')).toBe(1)
  })
})

describe('the body of a call', () => {
  test('is no longer than its maxBytes, from the API or from the cache', async () => {
    const { auth, connect } = appWith({ rules: { '/v1/me': 60 } })
    await connect('ada')
    const { api } = await auth.forUser('ada')
    const short = { maxBytes: 10 }
    await expect(api.spotify.get('me', short)).rejects.toThrow(/more than 10 bytes/)
    const { id } = await api.spotify.get<{ id: string }>('me')
    expect(id).toBe('ada')
    await expect(api.spotify.get('me', short)).rejects.toThrow(/more than 10 bytes/)
    expect(await api.spotify.get('me')).toMatchObject({ id })
  })

  test.each([{ rules: { '/v1/me': 60 } }, { rules: {} }])(
    'with a byte order mark is the same JSON, with %o',
    async (options) => {
      const { auth, connect } = appWith(options, { rules: {} })
      await connect('ada')
      const { api } = await auth.forUser('ada')
      const headers = { 'content-type': 'application/json' }
      world.api.switches.reply = () => ({ status: 200, headers, body: '\uFEFF{"marked":true}' })
      for (let calls = 0; calls < 2; calls += 1) {
        expect(await api.spotify.get('me')).toEqual({ marked: true })
      }
      world.api.switches.reply = undefined
    },
  )
})

describe('CA-15 calls of one user for the same, at the same time', () => {
  const profiles = () => world.api.requests.filter(({ path }) => path.endsWith('/me')).length

  test('are one upstream call, also when the first caller gives up', async () => {
    const { auth, connect } = appWith({ rules: { '/v1/me': 60 } })
    await connect('ada')
    const { api } = await auth.forUser('ada')
    world.api.reset()
    const first = new AbortController()
    const left = api.spotify.fetch('me', { signal: first.signal })
    const all = Array.from({ length: 200 }, () => api.spotify.get<{ id: string }>('me'))
    first.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    expect(new Set((await Promise.all(all)).map(({ id }) => id)).size).toBe(1)
    expect(profiles()).toBe(1)
  })

  test('are one for each user', async () => {
    const { auth, connect } = appWith({ rules: { '/v1/me': 60 } })
    await connect('ada', 'grace')
    world.api.reset()
    const users = ['ada', 'grace', 'ada', 'grace']
    const profile = async (user: string) => {
      const { api } = await auth.forUser(user)
      return api.spotify.get<{ id: string }>('me')
    }
    const ids = (await Promise.all(users.map(profile))).map(({ id }) => id)
    expect([ids[0], ids[1]]).toEqual([ids[2], ids[3]])
    expect(ids[0]).not.toBe(ids[1])
    expect(profiles()).toBe(2)
  })
})
