import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getIronSession } from 'iron-session'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createBehalf } from '../../src/index.ts'
import { behalf } from '../../src/middleware/express.ts'
import { oauth2, oidc, spotify } from '../../src/oauth/providers/index.ts'
import { inSession, ironSession, sealedCookie } from '../../src/sessions/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const secret = 'x'.repeat(32)
const good = {
  baseUrl: 'https://app.example.com',
  secret,
  store: memoryStore(),
  providers: { spotify: spotify({ clientId: 'id', clientSecret: 'hush-hush' }) },
}
const local = { ...good, baseUrl: 'http://127.0.0.1:3000' }
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('good options are taken', () => {
  expect(() => behalf(good)).not.toThrow()
})

const endpoints = {
  authorizationEndpoint: 'https://as.example/a',
  tokenEndpoint: 'https://as.example/t',
  clientId: 'id',
}

describe('a configuration that is unsafe or incomplete throws at construction and says what to change', () => {
  test.each([
    ['no baseUrl', { baseUrl: undefined }, /baseUrl is missing.*BEHALF_BASE_URL/],
    ['baseUrl that is no URL', { baseUrl: 'app.example.com' }, /is not a URL/],
    [
      'baseUrl with a path',
      { baseUrl: 'https://app.example.com/x' },
      /nothing more: https:\/\/app\.example\.com/,
    ],
    ['SE-02 plain http on a real host', { baseUrl: 'http://app.example.com' }, /must be https/],
    ['mixed schemes', { baseUrl: ['https://a.example', 'http://127.0.0.1'] }, /must not mix/],
    ['another scheme', { baseUrl: 'ftp://app.example.com' }, /http or https/],
    ['basePath without /', { basePath: 'auth' }, /begin with \//],
    ['basePath with / at its end', { basePath: '/auth/' }, /not end with it/],
    ['a short secret', { secret: 'short' }, /32 bytes.*npx behalf secret/],
    ['one short secret of a list', { secret: [secret, 'short'] }, /32 bytes/],
    ['no secret in the list', { secret: [] }, /at least one secret/],
    ['a namespace with a colon', { namespace: 'a:b' }, /namespace must have/],
    ['a store nobody knows', { store: 'mysql://user:hush@host/db' }, /The store must be/],
    ['no providers', { providers: {} }, /at least one provider/],
    ['a list of providers', { providers: [good.providers.spotify] }, /it is an object/],
    [
      'a provider that was not called',
      { providers: { spotify } },
      /call it, as in spotify: spotify\(\)/,
    ],
    [
      'a reserved provider name',
      { providers: { logout: good.providers.spotify } },
      /cannot be called logout/,
    ],
    [
      'a provider name with a slash',
      { providers: { 'a/b': good.providers.spotify } },
      /must begin with a letter/,
    ],
    [
      'a provider without client id',
      { providers: { spotify: spotify({}) } },
      /clientId is missing.*SPOTIFY_CLIENT_ID/,
    ],
    [
      'client authentication without secret',
      {
        providers: {
          spotify: spotify({ clientId: 'x', clientAuthentication: 'client_secret_basic' }),
        },
      },
      /needs a clientSecret/,
    ],
    [
      'OC-35 a plain http token endpoint',
      { providers: { x: oauth2({ ...endpoints, tokenEndpoint: 'http://as.example/t' }) } },
      /tokenEndpoint must be an https URL/,
    ],
    [
      'OC-35 a plain http issuer',
      { providers: { x: oidc({ clientId: 'x', issuer: 'http://as.example' }) } },
      /issuer must be an https URL/,
    ],
    [
      'an API on plain http',
      { providers: { x: oauth2({ ...endpoints, apiBaseUrl: 'http://api.example' }) } },
      /apiBaseUrl must be an https URL/,
    ],
    [
      'credentials in an endpoint',
      { providers: { x: oauth2({ ...endpoints, tokenEndpoint: 'https://u:p@as.example' }) } },
      /must not contain credentials/,
    ],
    [
      'parameters that OAuth owns',
      { providers: { x: oauth2({ ...endpoints, authorizationParameters: { state: 'fixed' } }) } },
      /must not set state/,
    ],
    [
      'a redirect URI elsewhere',
      { providers: { x: oauth2({ ...endpoints, redirectUri: 'https://other.example/cb' }) } },
      /must be of the origin of baseUrl/,
    ],
    [
      'localhost for Spotify',
      { baseUrl: 'http://localhost:3000' },
      /Set baseUrl to http:\/\/127\.0\.0\.1:3000.*register http:\/\/127\.0\.0\.1:3000\/auth\/spotify\/callback/,
    ],
    [
      'a rule of a provider that cannot be read',
      { providers: { spotify: spotify({ clientId: 'id', rules: { '/v1/:(': 60 } }) } },
      /Cache rule '\/v1\/:\('/,
    ],
    ['a cookie name with spaces', { cookie: { name: 'my app' } }, /cookie\.name/],
    ['a lifetime of nothing', { grantTtl: { absolute: 0 } }, /grantTtl\.absolute/],
    ['an idle time of nothing', { grantTtl: { idle: 0 } }, /grantTtl\.idle/],
    ['a lease shorter than its token request', { timeouts: { lease: 10 } }, /timeouts\.lease/],
    ['a time-out that is no number', { timeouts: { token: Number.NaN } }, /timeouts\.token/],
  ])('%s', (_name, wrong, message) => {
    const construct = () => behalf({ ...good, ...wrong } as typeof good)
    expect(construct).toThrow(message)
    expect(construct).toThrow(expect.objectContaining({ code: 'config_invalid' }))
    expect(construct).not.toThrow(/hush/)
  })
})

test('an app that others can reach makes do with no secret and no store of its own', () => {
  expect(() => behalf({ ...good, secret: undefined })).toThrow(/secret is missing/)
  expect(() => behalf({ ...good, store: undefined })).toThrow(/store is missing/)
})

test('a store that may drop entries keeps logins only for who says so', () => {
  const volatile = Object.create(memoryStore(), {
    durable: { value: false },
  }) as typeof good.store
  expect(() => behalf({ ...good, store: volatile })).toThrow(/allowVolatile/)
  expect(() => behalf({ ...good, store: volatile, allowVolatile: true })).not.toThrow()
})

test('OC-13 two providers cannot have one redirect URI', () => {
  const redirectUri = 'https://app.example.com/callback'
  const provider = spotify({ clientId: 'id', redirectUri })
  expect(() => behalf({ ...good, providers: { one: provider, two: provider } })).toThrow(
    /redirectUri/,
  )
})

describe('in production', () => {
  test.each([
    ['plain http, also on loopback', { baseUrl: 'http://127.0.0.1:3000' }, /https in production/],
    ['no secret', { secret: undefined }, /secret is missing.*npx behalf secret.*BEHALF_SECRET/],
    ['no store', { store: undefined }, /store is missing.*sqlite/],
    [
      'a provider on loopback',
      { providers: { x: oauth2({ ...endpoints, tokenEndpoint: 'http://127.0.0.1:1/t' }) } },
      /must be an https URL/,
    ],
  ])('%s throws', (_name, wrong, message) => {
    vi.stubEnv('NODE_ENV', 'production')
    expect(() => behalf({ ...good, ...wrong } as typeof good)).toThrow(message)
  })
})

test('the environment gives what the options leave out', async () => {
  vi.stubEnv('BEHALF_BASE_URL', 'https://app.example.com')
  vi.stubEnv('BEHALF_SECRET', `${secret}1,${secret}2`)
  vi.stubEnv('BEHALF_STORE', 'memory:environment')
  vi.stubEnv('SPOTIFY_CLIENT_ID', 'from-the-environment')
  const auth = createBehalf({ providers: { spotify: spotify() } })
  expect(auth.origins).toEqual(['https://app.example.com'])
  const login = await auth.handle(new Request('https://app.example.com/auth/spotify/login'))
  const { searchParams } = new URL(login!.headers.get('location')!)
  expect(searchParams.get('client_id')).toBe('from-the-environment')
})

test('a store in memory is warned about, with a code', () => {
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  createBehalf({ ...local, store: undefined })
  expect(warn).toHaveBeenCalledWith(
    expect.stringMatching(/memory/),
    expect.objectContaining({ code: 'BEHALF_MEMORY_STORE' }),
  )
})

describe('tokens that requests bring along', () => {
  test.each([
    ['inSession()', inSession()],
    ['sealedCookie()', sealedCookie()],
    ['ironSession()', ironSession(getIronSession, { cookieName: 'app', password: secret })],
  ])('%s is refused with the option user, whose grants are the users’', (name, tokenStore) => {
    const make = () => createBehalf({ ...good, tokenStore, user: () => 'ada' })
    expect(make).toThrow(/belongs to the user.*get\(\), save\(\) and delete\(\)/)
    expect(make).toThrow(name)
  })

  test('inSession() is refused where the session is not express-session’s', () => {
    const make = () => createBehalf({ ...good, tokenStore: inSession(), session: 'own' })
    expect(make).toThrow(/needs express-session/)
  })

  test('what is neither a place nor one of behalf/sessions is refused', () => {
    const make = () => createBehalf({ ...good, tokenStore: { get: () => undefined } as never })
    expect(make).toThrow(/get\(\), save\(\) and delete\(\), or is inSession\(\)/)
  })

  test.each([
    ['memory:', true],
    ['sqlite:x.sqlite', false],
    ['redis://127.0.0.1:1', false],
  ])('with the store %s a warning is given: %s', (store, isWarned) => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    createBehalf({ ...good, store, tokenStore: sealedCookie() })
    const codes = warn.mock.calls.map(([, options]) => (options as { code?: string }).code)
    expect(codes.includes('BEHALF_UNCOORDINATED')).toBe(isWarned)
  })
})

test('in development a secret is made once, readable by nobody else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-secret-'))
  vi.spyOn(process, 'cwd').mockReturnValue(folder)
  try {
    await createBehalf({ ...local, secret: undefined }).ready()
    const file = join(folder, '.behalf', 'secret')
    const made = readFileSync(file, 'utf8')
    expect(made).toMatch(/^[\w-]{43}$/)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, '.behalf')).mode & 0o777).toBe(0o700)
    await createBehalf({ ...local, secret: undefined }).ready()
    expect(readFileSync(file, 'utf8')).toBe(made)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

describe('secrets that come later', () => {
  test('are awaited by ready() and by the first request', async () => {
    const auth = createBehalf({ ...good, secret: async () => [secret] })
    await auth.ready()
    const reply = await auth.handle(new Request('https://app.example.com/auth/session'))
    expect(reply?.status).toBe(200)
  })

  test('that are not good enough fail ready() and every request, until they are', async () => {
    let answer = 'short'
    const auth = createBehalf({ ...good, secret: async () => answer })
    await expect(auth.ready()).rejects.toMatchObject({ code: 'config_invalid' })
    await expect(auth.handle(new Request('https://app.example.com/auth/session'))).rejects.toThrow(
      /32 bytes/,
    )
    answer = secret
    await auth.ready()
  })
})

test('ready() reaches for the store', async () => {
  const missing = createBehalf({ ...good, store: 'sqlite:/no/such/folder/x.sqlite' })
  await expect(missing.ready()).rejects.toMatchObject({
    code: expect.stringMatching(/store_unavailable|config_invalid/),
  })
})

test('a worker needs no baseUrl; only its routes do', async () => {
  const worker = createBehalf({ ...good, baseUrl: undefined })
  await expect((await worker.forUser('ada')).tokens.spotify.grant()).resolves.toBeUndefined()
  await expect(worker.handle(new Request('https://x.example/auth/session'))).rejects.toThrow(
    /baseUrl is missing/,
  )
  expect(await worker.handle(new Request('https://x.example/other'))).toBeUndefined()
})
