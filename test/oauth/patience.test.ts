import { afterEach, describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import type { BehalfEvent } from '../../src/events.ts'
import type { ApiClient } from '../../src/oauth/api-client.ts'
import {
  type ProviderDefinition,
  type ProviderOptions,
  resolveProvider,
} from '../../src/oauth/provider.ts'
import {
  github,
  google,
  microsoft,
  oauth2,
  oidc,
  spotify,
} from '../../src/oauth/providers/index.ts'
import { retryAfter } from '../../src/oauth/retry-after.ts'
import { loginAs } from '../../src/testing/index.ts'
import { createApp, useWorld } from '../middleware/express-app.ts'

const world = useWorld()

afterEach(() => {
  Object.assign(world.api.switches, { status: undefined, retryAfter: undefined, reply: undefined })
})

/** Answers so many requests with a status, and the rest with a list; gives the instants of all. */
function answersFirst(count: number, status: number, headers: Record<string, string>): number[] {
  const instants: number[] = []
  world.api.switches.reply = ({ path }) => {
    if (path !== '/v1/me/top/tracks') return undefined
    instants.push(performance.now())
    return instants.length <= count
      ? { status, headers, body: '{"slow":"down"}' }
      : { body: '{"items":[]}' }
  }
  return instants
}

/** An app in which a logged-in user's request makes the call, and what came of it. */
async function called(
  call: (api: ApiClient) => Promise<unknown>,
  provider: Pick<ProviderOptions, 'rateLimitedBy' | 'retry'> = {},
  options: { timeouts?: { total: number } } = {},
) {
  const events: BehalfEvent[] = []
  const { browser } = createApp(
    { ...world, spotify: { ...world.spotify, ...provider } },
    {
      cache: false,
      options: { ...options, onEvent: (event) => events.push(event) },
      routes: (app) =>
        app.get('/call', async (req, res) => {
          const startedAt = performance.now()
          const error = await call(req.api['spotify']!).then(
            () => undefined,
            (reason: unknown) => reason,
          )
          res.json({ ...(error as object), took: (performance.now() - startedAt) / 1000 })
        }),
    },
  )
  const user = async (name: string) => {
    const agent = browser()
    await loginAs(agent, { user: name, provider: 'spotify' })
    return async () => (await agent.get('/call')).body as Record<string, unknown>
  }
  const throttled = () => events.filter(({ type }) => type === 'throttled')
  return { user, throttled }
}

const top = (api: ApiClient) => api.get('me/top/tracks')

describe('HT-03 an API that asks for patience', () => {
  test.each([429, 503])(
    '%i for a second: a GET waits, and its caller never knows',
    async (status) => {
      const instants = answersFirst(1, status, { 'retry-after': '1' })
      const { user, throttled } = await called(top)
      const outcome = await (await user('ada'))()
      expect(outcome['code']).toBeUndefined()
      expect(instants).toHaveLength(2)
      expect(instants[1]! - instants[0]!).toBeGreaterThanOrEqual(990)
      expect(throttled()).toMatchObject([
        { status, wait: 1, retried: true, url: '/v1/me/top/tracks' },
      ])
    },
  )

  test('that asks for longer than 2 s gets no second call; the error says how long', async () => {
    const instants = answersFirst(9, 429, { 'retry-after': '86400' })
    const { user, throttled } = await called(top)
    const outcome = await (await user('ada'))()
    expect(outcome).toMatchObject({ code: 'rate_limited', status: 429, retryAfter: 86_400 })
    expect(outcome).toMatchObject({ body: { slow: 'down' }, headers: { 'retry-after': '86400' } })
    expect(outcome['took']).toBeLessThan(2)
    expect(instants).toHaveLength(1)
    expect(throttled()).toMatchObject([{ wait: 86_400, retried: false }])
  })

  test('that does not say how long is asked again after a second, twice at most', async () => {
    const instants = answersFirst(9, 503, { 'retry-after': 'abc' })
    const { user } = await called(top)
    expect(await (await user('ada'))()).toMatchObject({ code: 'upstream_error', status: 503 })
    expect(instants).toHaveLength(3)
  })

  test('is not sent what changes something a second time', async () => {
    const instants = answersFirst(9, 503, { 'retry-after': '0' })
    const { user } = await called((api) => api.post('me/top/tracks', { json: {} }))
    expect(await (await user('ada'))()).toMatchObject({ code: 'upstream_error', status: 503 })
    expect(instants).toHaveLength(1)
  })

  test('a caller that gives up ends the wait', async () => {
    answersFirst(9, 429, { 'retry-after': '2' })
    const { user } = await called((api) =>
      api.get('me/top/tracks', { signal: AbortSignal.timeout(200) }),
    )
    expect((await (await user('ada'))())['took']).toBeLessThan(1)
  })

  test('fetch() resolves with the last reply', async () => {
    answersFirst(9, 429, { 'retry-after': '30' })
    const { user } = await called(async (api) => {
      const reply = await api.fetch('me/top/tracks')
      throw Object.assign(new Error(), { status: reply.status, text: await reply.text() })
    })
    expect(await (await user('ada'))()).toMatchObject({ status: 429, text: '{"slow":"down"}' })
  })
})

describe('HT-03 until the wait is over, the API is not called', () => {
  test("for any user, where the app's client is what it counts", async () => {
    const instants = answersFirst(1, 429, { 'retry-after': '60' })
    const { user } = await called(top, { rateLimitedBy: 'client' })
    const [ada, ben] = [await user('ada'), await user('grace')]
    await ada()
    expect(await ben()).toMatchObject({ code: 'rate_limited', status: 429 })
    expect(await ada()).toMatchObject({ code: 'rate_limited' })
    expect(instants).toHaveLength(1)
  })

  test('for that user only, where it counts each', async () => {
    const instants = answersFirst(1, 429, { 'retry-after': '60' })
    const { user } = await called(top, { rateLimitedBy: 'grant' })
    const [ada, ben] = [await user('ada'), await user('grace')]
    await ada()
    expect((await ben())['code']).toBeUndefined()
    expect(await ada()).toMatchObject({ code: 'rate_limited' })
    expect(instants).toHaveLength(2)
  })
})

describe('HT-03 what is sent again is the app’s to say', () => {
  const soon = { 'retry-after': '0' }

  test('after other statuses', async () => {
    const instants = answersFirst(2, 502, soon)
    const { user, throttled } = await called(top, { retry: { statusCodes: [502] } })
    expect((await (await user('ada'))())['code']).toBeUndefined()
    expect(instants).toHaveLength(3)
    expect(throttled()).toMatchObject([
      { status: 502, retried: true },
      { status: 502, retried: true },
    ])
  })

  test.each([500, 502, 504])('%i is not, unless it is named', async (status) => {
    const instants = answersFirst(9, status, soon)
    const { user, throttled } = await called(top)
    expect(await (await user('ada'))()).toMatchObject({ code: 'upstream_error', status })
    expect(instants).toHaveLength(1)
    expect(throttled()).toEqual([])
  })

  test.each([
    [{ limit: 5 }, 6],
    [{ limit: 1 }, 2],
    [{ limit: 0 }, 1],
    [{ statusCodes: [500] }, 1],
    [false as const, 1],
  ])('%j: a 503 is sent so often', async (retry, times) => {
    const instants = answersFirst(9, 503, soon)
    const { user, throttled } = await called(top, { retry })
    expect(await (await user('ada'))()).toMatchObject({ code: 'upstream_error', status: 503 })
    expect(instants).toHaveLength(times)
    expect(throttled()).toHaveLength(times)
  })

  test('however often, the waits together are 2 s at most', async () => {
    const instants = answersFirst(99, 500, { 'retry-after': '1' })
    const { user, throttled } = await called(top, { retry: { limit: 10, statusCodes: [500] } })
    expect(await (await user('ada'))()).toMatchObject({ code: 'upstream_error', status: 500 })
    expect(instants).toHaveLength(3)
    expect(throttled()).toMatchObject([{ retried: true }, { retried: true }, { retried: false }])
  })

  test('never what changes something', async () => {
    const instants = answersFirst(9, 500, soon)
    const post = (api: ApiClient) => api.post('me/top/tracks', { json: {} })
    const { user } = await called(post, { retry: { statusCodes: [500] } })
    expect(await (await user('ada'))()).toMatchObject({ status: 500 })
    expect(instants).toHaveLength(1)
  })

  const endpoints = {
    authorizationEndpoint: 'https://a.example/authorize',
    tokenEndpoint: 'https://a.example/token',
  }
  const makers: Record<string, (options: ProviderOptions) => ProviderDefinition> = {
    spotify,
    google,
    github,
    microsoft,
    oidc: (options) => oidc({ ...options, issuer: 'https://a.example' }),
    oauth2: (options) => oauth2({ ...options, ...endpoints }),
  }
  describe.each(Object.entries(makers))('at %s()', (name, make) => {
    const resolved = (retry: ProviderOptions['retry']) =>
      resolveProvider(name, make({ clientId: 'id', clientSecret: 'secret', retry }), fetch)

    test('what is not said is as always', () => {
      const usual = { limit: 2, statusCodes: new Set([429, 503]) }
      expect(resolved(undefined).retry).toEqual(usual)
      expect(resolved({}).retry).toEqual(usual)
      expect(resolved({ limit: 1 }).retry).toEqual({ ...usual, limit: 1 })
    })

    test.each<[unknown, RegExp]>([
      [true, /retry must be false or/],
      [3, /retry must be false or/],
      [null, /retry must be false or/],
      [{ limit: -1 }, /retry\.limit/],
      [{ limit: 1.5 }, /retry\.limit/],
      [{ limit: Infinity }, /retry\.limit/],
      [{ limit: '2' }, /retry\.limit/],
      [{ limit: 11 }, /retry\.limit/],
      [{ statusCodes: 503 }, /retry\.statusCodes/],
      [{ statusCodes: ['503'] }, /retry\.statusCodes/],
      [{ statusCodes: [200] }, /retry\.statusCodes/],
      [{ statusCodes: [401] }, /retry\.statusCodes.*new token/],
      [{ statusCodes: [600] }, /retry\.statusCodes/],
    ])('%j is refused', (retry, words) => {
      const configure = () => resolved(retry as ProviderOptions['retry'])
      expect(configure).toThrow(ConfigError)
      expect(configure).toThrow(words)
      expect(configure).toThrow(`providers.${name}`)
    })
  })
})

test('HT-03 of calls at the same time each gets its answer after the wait, none is held back', async () => {
  const instants: number[] = []
  world.api.switches.reply = ({ path }) => {
    if (path !== '/v1/me/top/tracks') return undefined
    instants.push(performance.now())
    // One after the other, so that the last one's wait ends after the first one's.
    return instants.length <= 10
      ? { status: 429, headers: { 'retry-after': '2' } }
      : { body: '{"items":[]}' }
  }
  const { user } = await called((api) => Promise.all(Array.from({ length: 10 }, () => top(api))))
  expect((await (await user('ada'))())['code']).toBeUndefined()
  expect(instants).toHaveLength(20)
})

test('HT-02 the whole call, its waits included, has one deadline', async () => {
  answersFirst(9, 503, { 'retry-after': '1' })
  const { user } = await called(top, {}, { timeouts: { total: 1.5 } })
  expect(await (await user('ada'))()).toMatchObject({ code: 'upstream_unavailable', status: 504 })
})

test('a wait that no job can mean is refused', async () => {
  const { auth } = createApp(world, { options: { user: () => 'user-1' } })
  for (const maxWait of [Infinity, -1, Number.NaN, 1e9]) {
    await expect(auth.forUser('user-1', { maxWait })).rejects.toThrow(/maxWait must be/)
  }
})

/** The API as a job of a connected user calls it. */
async function apiOfJob(user: string, maxWait: number) {
  const { auth, browser } = createApp(world, {
    cache: false,
    options: { user: () => user, basePath: '/connect' },
  })
  await loginAs(browser(), { user: 'ada', provider: 'spotify', path: '/connect' })
  return (await auth.forUser(user, { maxWait })).api
}

test('a job may wait for longer', async () => {
  const instants = answersFirst(1, 429, { 'retry-after': '3' })
  const api = await apiOfJob('user-1', 5)
  expect(await api.spotify.get('me/top/tracks')).toHaveProperty('items')
  expect(instants).toHaveLength(2)
})

test('a job that must not wait is told at once', async () => {
  const instants = answersFirst(9, 503, { 'retry-after': '0' })
  const api = await apiOfJob('user-2', 0)
  await expect(api.spotify.get('me/top/tracks')).rejects.toMatchObject({ status: 503 })
  expect(instants).toHaveLength(1)
})

test.each([
  ['120', 120],
  [' 0 ', 0],
  ['-1', undefined],
  ['1e3', undefined],
  ['12345678901', undefined],
  ['abc', undefined],
  ['', undefined],
  ['Wed, 21 Oct 2015 07:28:00 GMT', 0],
])('HT-03 Retry-After: %j is %s seconds', (text, seconds) => {
  expect(retryAfter(new Headers({ 'retry-after': text }))).toBe(seconds)
})

test('HT-03 Retry-After as a date is the time until then', () => {
  const headers = new Headers({ 'retry-after': new Date(Date.now() + 90_000).toUTCString() })
  expect(retryAfter(headers)).toBeGreaterThan(85)
  expect(retryAfter(headers)).toBeLessThanOrEqual(90)
})
