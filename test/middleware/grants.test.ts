import { beforeEach, describe, expect, test } from 'vitest'
import { createBehalf } from '../../src/middleware/behalf.ts'
import type { BehalfOptions } from '../../src/middleware/options.ts'
import type { ProviderDefinition } from '../../src/oauth/provider.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor, loginAs } from '../../src/testing/index.ts'
import { createApp, navigation, secret, useWorld } from './express-app.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.api.reset()
})

type Options = Partial<BehalfOptions<{ spotify: ProviderDefinition; other: ProviderDefinition }>>

/** An app that knows its users by themselves, with two providers. */
function app(options: Options = {}) {
  return createBehalf({
    baseUrl: 'http://127.0.0.1:3000',
    secret,
    store: memoryStore(),
    providers: { spotify: world.spotify, other: { ...world.spotify } },
    user: () => undefined,
    ...options,
  })
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const value of values) found.push(value)
  return found
}

describe('the grants of all users', () => {
  test('are listed by user, by provider and by subject, without a token', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'other' })
    await grantFor(auth, { user: 'u2', as: 'mei', provider: 'spotify' })
    await grantFor(auth, { user: 'u3', as: 'ada', provider: 'spotify' })

    const names = async (query: object) => {
      const listed = await auth.grants.list(query)
      expect(JSON.stringify(listed)).not.toMatch(/access-|refresh-/)
      return listed.map(({ user, provider, subject }) => `${user} ${provider} ${subject}`)
    }
    expect(await names({ user: 'u1' })).toEqual(['u1 spotify ada', 'u1 other ada'])
    expect(await names({ user: 'u1', provider: 'other' })).toEqual(['u1 other ada'])
    expect(await names({ user: 'u2', subject: 'ada' })).toEqual([])
    expect(await names({ user: 'nobody' })).toEqual([])
    expect(new Set(await names({ provider: 'spotify', subject: 'ada' }))).toEqual(
      new Set(['u1 spotify ada', 'u3 spotify ada']),
    )
    await expect(auth.grants.list({})).rejects.toThrow(/user or a subject/)
    await expect(auth.grants.list({ user: 'u1', provider: 'nowhere' })).rejects.toThrow(/nowhere/)
  })

  test('of one user are forgotten: revoked at the providers, and nobody else’s', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'other' })
    await grantFor(auth, { user: 'u2', as: 'ada', provider: 'spotify' })
    const token = await (await auth.forUser('u1')).tokens.spotify.getAccessToken()
    expect(await auth.grants.forget('u1')).toBe(2)
    expect(await auth.grants.forget('u1')).toBe(0)
    await auth.close()
    expect(world.provider.seen.revocations).toBe(2)
    expect(world.provider.accountOf(token)).toBeUndefined()
    expect(await auth.grants.list({ user: 'u1' })).toEqual([])
    expect(await auth.grants.list({ user: 'u2' })).toHaveLength(1)
    expect(await auth.grants.list({ subject: 'ada' })).toMatchObject([{ user: 'u2' }])
  })

  test('that end soon, or have ended, are found among all', async () => {
    const auth = app()
    const day = 86_400
    const lifetime = world.spotify.refreshTokenLifetime!
    for (const [user, daysLeft] of [
      ['soon', 3],
      ['later', 30],
    ] as const) {
      const { accessToken, refreshToken } = world.provider.issueTokens({ user: 'ada' })
      const authorizedAt = Date.now() - (lifetime - daysLeft * day) * 1000
      const tokenSet = { accessToken, refreshToken, subject: user }
      await auth.grants.import('spotify', { user, tokenSet, authorizedAt })
    }
    await grantFor(auth, { user: 'revoked', as: 'mei', provider: 'other' })
    world.provider.revokeGrants('mei')
    const { tokens } = await auth.forUser('revoked')
    await expect(tokens.other.getAccessToken({ forceRefresh: true })).rejects.toMatchObject({
      code: 'reauth_required',
    })

    const found = await all(auth.grants.expiring({ within: 7 * day }))
    expect(found.map(({ user, reauthRequired }) => [user, reauthRequired])).toEqual(
      expect.arrayContaining([
        ['soon', undefined],
        ['revoked', 'revoked'],
      ]),
    )
    expect(found).toHaveLength(2)
  })
})

describe('tokens that others have kept', () => {
  const rowOf = (user: string) => {
    const { accessToken, refreshToken, expiresAt } = world.provider.issueTokens({ user })
    return { accessToken, refreshToken, expiresAt }
  }

  test.each([
    [
      'Auth.js rows of accounts',
      (row: ReturnType<typeof rowOf>) => ({
        type: 'oauth',
        provider: 'spotify',
        providerAccountId: 'ada',
        access_token: row.accessToken,
        refresh_token: row.refreshToken,
        expires_at: Math.floor(row.expiresAt / 1000),
        token_type: 'bearer',
        scope: 'user-read-email user-top-read',
        id_token: null,
      }),
    ],
    [
      'spotipy’s cache files',
      (row: ReturnType<typeof rowOf>) => ({
        access_token: row.accessToken,
        token_type: 'Bearer',
        expires_in: 3600,
        scope: 'user-read-email user-top-read',
        expires_at: Math.floor(row.expiresAt / 1000),
        refresh_token: row.refreshToken,
      }),
    ],
    [
      'openid-client’s sets',
      (row: ReturnType<typeof rowOf>) => ({
        access_token: row.accessToken,
        token_type: 'bearer',
        expires_in: 3600,
        scope: 'user-read-email user-top-read',
        refresh_token: row.refreshToken,
      }),
    ],
    ['a refresh token alone', ({ refreshToken }: ReturnType<typeof rowOf>) => ({ refreshToken })],
    ['our own names', (row: ReturnType<typeof rowOf>) => ({ ...row, subject: 'ada' })],
  ])('%s are imported without a call to the provider, and work', async (_name, as) => {
    const auth = app()
    const tokenSet = as(rowOf('ada'))
    expect(await auth.grants.import('spotify', { user: 'u1', tokenSet })).toBe(true)
    expect(world.provider.seen.refreshRequests).toBe(0)
    const { api } = await auth.forUser('u1')
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })

    // A second import changes nothing, whatever it brings.
    expect(await auth.grants.import('spotify', { user: 'u1', tokenSet: rowOf('mei') })).toBe(false)
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
  })

  test.each([{}, { access_token: '' }, { refresh_token: 'a\nb' }, { accessToken: 'ключ' }])(
    'what are no tokens (%j) is refused, and not told',
    async (tokenSet) => {
      const importing = app().grants.import('spotify', { user: 'u1', tokenSet })
      await expect(importing).rejects.toMatchObject({ code: 'config_invalid' })
    },
  )

  test('are asked for when a user comes who has none here, once, and then kept', async () => {
    const asked: unknown[] = []
    const auth = app({
      onMissingGrant: async (missing) => {
        asked.push(missing)
        await new Promise((resolve) => setTimeout(resolve, 20))
        return missing.user === 'u1' ? rowOf('ada') : undefined
      },
    })
    const { api, tokens } = await auth.forUser('u1')
    const calls = Array.from({ length: 10 }, () => api.spotify.get('me'))
    for (const reply of await Promise.all(calls)) expect(reply).toMatchObject({ id: 'ada' })
    expect(await tokens.spotify.grant()).toMatchObject({ expiresAt: expect.any(Number) })
    expect(asked).toEqual([{ user: 'u1', provider: 'spotify' }])

    const nobody = await auth.forUser('u2')
    for (let round = 0; round < 3; round += 1) {
      await expect(nobody.api.spotify.get('me')).rejects.toMatchObject({ code: 'login_required' })
    }
    expect(asked).toHaveLength(2)
  })

  test('let their user pass requireLogin(), without a login', async () => {
    const options = { user: () => 'u1', onMissingGrant: () => rowOf('ada') }
    const { browser } = createApp(world, { cache: false, options })
    expect((await browser().get('/guarded').set(navigation)).text).toBe('in')
  })

  test.each(['moved over', 'logged in'])(
    'are not asked for once a user who was %s has disconnected here',
    async (how) => {
      const store = memoryStore()
      const onMissingGrant = () => rowOf('ada')
      const auth = app({ store, onMissingGrant })
      if (how === 'logged in') await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
      const { tokens } = await auth.forUser('u1')
      await tokens.spotify.getAccessToken()
      await tokens.spotify.disconnect()
      for (const process of [auth, app({ store, onMissingGrant })]) {
        const later = await process.forUser('u1')
        await expect(later.tokens.spotify.getAccessToken()).rejects.toMatchObject({
          code: 'login_required',
        })
      }
      await auth.close()
    },
  )
})

describe('forSubject()', () => {
  test('finds the grant of whoever the provider calls so, of a user and of a session', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const { api } = await auth.forSubject('spotify', 'ada')
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
    expect(api).not.toHaveProperty('other')
    const stranger = await auth.forSubject('spotify', 'mei')
    await expect(stranger.api.spotify.get('me')).rejects.toMatchObject({ code: 'login_required' })

    const made = createApp(world, { cache: false })
    await loginAs(made.browser(), { user: 'grace', provider: 'spotify' })
    const grace = await made.auth.forSubject('spotify', 'grace')
    expect(await grace.api.spotify.get('me')).toMatchObject({ id: 'grace' })
  })

  test('no longer finds what was logged out', async () => {
    const made = createApp(world, { cache: false })
    const grace = made.browser()
    await loginAs(grace, { user: 'grace', provider: 'spotify' })
    await grace.post('/auth/logout').set({ origin: 'http://127.0.0.1:3000' }).expect(303)
    const { api } = await made.auth.forSubject('spotify', 'grace')
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'login_required' })
    await made.auth.close()
  })
})

describe('forApp()', () => {
  test('calls as the app itself, with one token for all calls', async () => {
    const auth = app()
    const { api } = await auth.forApp('spotify')
    const search = () =>
      api.spotify.get('search', { query: { q: 'a', type: 'track', market: 'SE' } })
    const replies = await Promise.all(Array.from({ length: 20 }, search))
    expect(replies[0]).toHaveProperty('tracks')
    expect(world.provider.seen.clientRequests).toBe(1)
    await expect(api.spotify.get('me')).rejects.toMatchObject({ status: 401 })
  })

  test('has a token for each scope and resource, and keeps them', async () => {
    const auth = app()
    const { tokens } = await auth.forApp('spotify')
    const resource = 'https://api.example.com/'
    const wanted = [{}, { scope: 'a' }, { scope: 'b a' }, { scope: 'a', resource }, { resource }]
    for (let round = 0; round < 2; round += 1) {
      for (const { scope, resource: target } of wanted as Array<Record<string, string>>) {
        const token = await tokens.spotify.getAccessToken({ scope, resource: target })
        expect(world.provider.accountOf(token)).toEqual({
          userId: undefined,
          scope: scope?.split(' ') ?? [],
          resource: target,
        })
      }
    }
    expect(await tokens.spotify.getAccessToken({ scope: 'a b' })).toBe(
      await tokens.spotify.getAccessToken({ scope: ['b', 'a'] }),
    )
    expect(world.provider.seen.clientRequests).toBe(wanted.length)
  })

  test('gets a new token when the API refuses the old one', async () => {
    const auth = app()
    const { api } = await auth.forApp('spotify')
    await api.spotify.get('markets')
    world.provider.expireAccessTokens()
    await api.spotify.get('markets')
    expect(world.provider.seen.clientRequests).toBe(2)
  })

  test('TK-07 a refusal of the app itself is told as such, and ends nothing', async () => {
    const auth = app({ timeouts: { token: 0.5 } })
    const { tokens } = await auth.forApp('spotify')
    world.provider.switches.tokenEndpoint = () => ({
      status: 400,
      headers: { 'content-type': 'application/json' },
      body: '{"error":"invalid_grant"}',
    })
    await expect(tokens.spotify.getAccessToken()).rejects.toMatchObject({
      code: 'client_misconfigured',
    })
    world.provider.switches.tokenEndpoint = 'works'
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(await tokens.spotify.getAccessToken()).toMatch(/^access-/)
  })

  test('is nobody’s grant: no list has it', async () => {
    const auth = app()
    await (await auth.forApp('spotify')).tokens.spotify.getAccessToken()
    expect(await all(auth.grants.expiring({ within: 1e12 }))).toEqual([])
    await expect(auth.forApp('nowhere' as 'spotify')).rejects.toThrow(/nowhere/)
  })
})

describe('a token for a resource (RFC 8707)', () => {
  test('is kept beside the one for API calls, and costs each refresh token once', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const { tokens } = await auth.forUser('u1')
    const main = await tokens.spotify.getAccessToken()
    const resources = ['https://one.example/', 'https://two.example/']
    const first = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        tokens.spotify.getAccessToken({ resource: resources[index % 2] }),
      ),
    )
    for (const [index, token] of first.entries()) {
      const resource = resources[index % 2]
      expect(world.provider.accountOf(token)).toMatchObject({ userId: 'ada', resource })
    }
    expect(await tokens.spotify.getAccessToken()).toBe(main)
    expect(new Set(first).size).toBe(2)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 2, presentedTwice: 0 })
  })

  test('can have less scope than the grant, never more', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const { tokens } = await auth.forUser('u1')
    const target = { resource: 'https://one.example/', scope: 'user-top-read' }
    const token = await tokens.spotify.getAccessToken(target)
    expect(world.provider.accountOf(token)?.scope).toEqual(['user-top-read'])
    expect((await tokens.spotify.grant())?.scope.length).toBeGreaterThan(1)
    const more = { resource: 'https://one.example/', scope: 'playlist-modify' }
    await expect(tokens.spotify.getAccessToken(more)).rejects.toMatchObject({
      code: 'insufficient_scope',
    })
  })

  test.each(['not a uri', '/relative', 'https://one.example/#fragment'])(
    'must be for an absolute URI, not %j',
    async (resource) => {
      const auth = app()
      await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
      const { tokens } = await auth.forUser('u1')
      await expect(tokens.spotify.getAccessToken({ resource })).rejects.toMatchObject({
        code: 'config_invalid',
      })
    },
  )
})

describe('health()', () => {
  test('says whether the store answers, and never throws', async () => {
    expect(await app().health()).toMatchObject({ ok: true, underWay: 0 })
    const store = memoryStore()
    store.get = () => Promise.reject(new Error('gone'))
    expect(await app({ store }).health()).toMatchObject({ ok: false, code: 'store_unavailable' })
  })
})
