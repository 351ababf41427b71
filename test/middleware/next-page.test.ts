import { beforeEach, describe, expect, test, vi } from 'vitest'
import { behalf, type NextBehalf } from '../../src/middleware/next.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor, sessionCookie } from '../../src/testing/index.ts'
import { hostileRows } from '../hostile.ts'
import { baseUrl, navigation, secret, useWorld } from './express-app.ts'

/** The headers of the request that is being rendered for; Next keeps them where only it can. */
const rendering = vi.hoisted(() => ({ headers: new Headers() }))
const after = vi.hoisted(() => vi.fn<(work: Promise<unknown>) => void>())
vi.mock('next/server.js', async (original) => ({ ...(await original<object>()), after }))
vi.mock('next/headers.js', () => ({ headers: async () => rendering.headers }))

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  rendering.headers = new Headers()
})

const make = (options: object = {}) =>
  behalf({
    baseUrl,
    secret,
    store: memoryStore(),
    providers: { spotify: world.spotify },
    ...options,
  })

/** Where a page sends its visitor; Next's `redirect()` throws it. */
async function redirection(page: Promise<unknown>): Promise<string> {
  const error = await page.then(
    () => new Error('no redirect'),
    (thrown: unknown) => thrown,
  )
  const { digest } = error as { digest?: string }
  if (!digest?.startsWith('NEXT_REDIRECT;')) throw error
  return digest.split(';')[2]!
}

async function logIn(auth: NextBehalf, more: Record<string, string> = {}): Promise<void> {
  const cookie = await sessionCookie(auth, { user: 'ada', provider: 'spotify' })
  rendering.headers = new Headers({ cookie, ...more })
}

describe('context() in a page', () => {
  test('gives whoever is logged in their client', async () => {
    const auth = make()
    await logIn(auth)
    const { api, tokens } = await auth.context({ login: 'spotify' })
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
    expect(tokens.spotify.loginUrl({ returnTo: '/x' })).toBe('/auth/spotify/login?returnTo=%2Fx')
  })

  test('asks the `user` of its own configuration, also where another differs in nothing else', async () => {
    vi.stubEnv('NEXT_RUNTIME', 'nodejs')
    const options = { store: 'memory:pages', namespace: 'users' }
    const customers = make({ ...options, user: () => undefined })
    const staff = make({ ...options, user: () => 'ada' })
    vi.unstubAllEnvs()
    expect(staff.core).toBe(customers.core)
    await grantFor(customers, { user: 'ada', provider: 'spotify' })
    rendering.headers = new Headers({ host: '127.0.0.1:3000' })
    const [theirs, ours] = [await customers.context(), await staff.context()]
    expect(await theirs.tokens.spotify.grant()).toBeUndefined()
    expect(await ours.tokens.spotify.grant()).toMatchObject({ subject: 'ada' })
  })

  test.each([
    ['/mine?x=1', '/mine?x=1'],
    ['https://evil.example/', '/'],
    ['//evil.example', '/'],
  ])('sends who is not signed in to the app to signInUrl; %s becomes %s', async (given, path) => {
    rendering.headers = new Headers({ host: '127.0.0.1:3000' })
    const auth = make({ user: () => undefined, signInUrl: '/sign-in' })
    const location = await redirection(auth.context({ login: 'spotify', returnTo: given }))
    expect(location).toBe(`/sign-in?${new URLSearchParams({ returnTo: path }).toString()}`)
  })

  test('without login lets everybody in, and a call says what is missing', async () => {
    const { api, tokens } = await make().context()
    expect(await tokens.spotify.grant()).toBeUndefined()
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'login_required' })
  })

  test.each([
    ['the page that the proxy has noted', { 'x-behalf-path': '/top?x=1' }, {}, '/top?x=1'],
    ['what it says itself', { 'x-behalf-path': '/top' }, { returnTo: '/mine' }, '/mine'],
    ['the page whose action it is', { referer: `${baseUrl}/list?y=2` }, {}, '/list?y=2'],
    ['nothing of another site', { referer: 'https://evil.example/x' }, {}, undefined],
    ['the start page', navigation, {}, undefined],
  ])(
    'sends the others to the login, which comes back to %s',
    async (_what, headers, options, path) => {
      rendering.headers = new Headers({ host: '127.0.0.1:3000', ...headers })
      const location = await redirection(make().context({ login: 'spotify', ...options }))
      const query =
        path === undefined ? '' : `?${new URLSearchParams({ returnTo: path }).toString()}`
      expect(location).toBe(`/auth/spotify/login${query}`)
    },
  )

  test.each(
    hostileRows('returnTo')
      .filter(({ input }) => typeof input === 'string' && /^[\x21-\x7e]*$/.test(input))
      .map((row) => [row.id, row.input as string, row.expect.location!] as const),
  )(
    'NX-02 %s a path that a client claims to be on leads nowhere else',
    async (_id, path, location) => {
      rendering.headers = new Headers({ 'x-behalf-path': path })
      const target = await redirection(make().context({ login: 'spotify' }))
      const returnTo = new URL(target, baseUrl).searchParams.get('returnTo') ?? '/'
      expect(returnTo).toBe(location)
    },
  )

  test('sends whoever’s grant ends at this very moment to the login too', async () => {
    world.provider.switches.expiresIn = 1
    const auth = make()
    await logIn(auth)
    world.provider.revokeGrants()
    await new Promise((resolve) => setTimeout(resolve, 1_050))
    expect(await redirection(auth.context({ login: 'spotify' }))).toBe('/auth/spotify/login')
  })

  test('a provider in trouble sends nobody to the login', async () => {
    world.provider.switches.expiresIn = 1
    const auth = make()
    await logIn(auth)
    world.provider.switches.tokenEndpoint = 'unavailable'
    await new Promise((resolve) => setTimeout(resolve, 1_050))
    const { api } = await auth.context({ login: 'spotify' })
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'provider_unavailable' })
  })

  test('asks for a scope that was not granted', async () => {
    const optionalScope = ['playlist-read-private']
    const auth = make({ providers: { spotify: { ...world.spotify, optionalScope } } })
    await logIn(auth)
    const location = await redirection(auth.context({ login: 'spotify', scope: optionalScope }))
    expect(location).toMatch(/^\/auth\/spotify\/login\?request=/)
  })

  test('OC-11 does not go round and round where a login does not stick', async () => {
    rendering.headers = new Headers({ cookie: 'behalf.last=spotify.done' })
    await expect(make().context({ login: 'spotify' })).rejects.toMatchObject({
      code: 'session_not_kept',
    })
  })

  test('for a provider that the app does not have says so', async () => {
    await expect(make().context({ login: 'nope' as never })).rejects.toThrow(/spotify/)
  })
})

describe('work that a request leaves behind', () => {
  test('is handed to after(), or to what the app says', async () => {
    for (const waitUntil of [undefined, vi.fn<(work: Promise<unknown>) => void>()]) {
      after.mockClear()
      const auth = make({ waitUntil })
      await logIn(auth)
      await (await auth.context()).tokens.spotify.disconnect()
      await auth.close()
      const [used, unused] = waitUntil ? [waitUntil, after] : [after, undefined]
      expect(used.mock.calls[0]?.[0]).toBeInstanceOf(Promise)
      if (unused) expect(unused).not.toHaveBeenCalled()
    }
  })

  test('goes on where Next.js takes none, as outside of a request', async () => {
    after.mockImplementationOnce(() => {
      throw new Error('`after` was called outside a request scope.')
    })
    const auth = make()
    await logIn(auth)
    const before = world.provider.seen.revocations
    await (await auth.context()).tokens.spotify.disconnect()
    await auth.close()
    expect(world.provider.seen.revocations).toBe(before + 1)
  })
})

describe('context() in an app with users', () => {
  const user = async (request: Request) => request.headers.get('x-user')

  test('uses the grant of the app’s user', async () => {
    const auth = make({ user })
    await grantFor(auth, { user: 'user-42', as: 'ada', provider: 'spotify' })
    rendering.headers = new Headers({ 'x-user': 'user-42' })
    const { api } = await auth.context({ login: 'spotify' })
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
    expect(await (await auth.forUser('user-42')).api.spotify.get('me')).toMatchObject({ id: 'ada' })
  })

  test('sends who is not signed in to signInUrl, and says so where there is none', async () => {
    rendering.headers = new Headers({ 'x-behalf-path': '/top' })
    const auth = make({ user, signInUrl: '/sign-in' })
    expect(await redirection(auth.context({ login: 'spotify' }))).toBe('/sign-in?returnTo=%2Ftop')
    await expect(make({ user }).context({ login: 'spotify' })).rejects.toMatchObject({
      code: 'user_required',
    })
  })
})
