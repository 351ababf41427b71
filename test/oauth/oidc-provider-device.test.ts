import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OidcOptions } from '../../src/oauth/providers/index.ts'
import type { LoginEvent } from '../../src/middleware/options.ts'
import type { AppSettings } from '../middleware/express-app.ts'
import { type RunningOidcProvider, startOidcProvider } from '../support/oidc-provider.ts'
import { OidcBrowser } from '../support/oidc-provider-pages.ts'
import { appAt, callbackUrl } from './oidc-provider-app.ts'

const grantType = 'urn:ietf:params:oauth:grant-type:device_code'

let server: RunningOidcProvider
beforeAll(async () => {
  server = await startOidcProvider(callbackUrl, {
    client: { grant_types: ['authorization_code', 'refresh_token', grantType] },
    features: { deviceFlow: { enabled: true } },
  })
})
afterAll(() => server.close())

/** The server asks for no interval, and 5 s is what the specification has then: tests ask sooner. */
const impatient: typeof fetch = async (input, init) => {
  const reply = await fetch(input, init)
  if (!String(input).endsWith('/device/auth')) return reply
  return Response.json({ ...((await reply.json()) as object), interval: 0.2 }, reply)
}

function appWith(options: Partial<OidcOptions> = {}, more: AppSettings['options'] = {}) {
  const settings = { user: () => 'user-1', ...more }
  return appAt(server, { fetch: impatient, ...options }, { options: settings })
}

test('a device logs its user in: the code is shown, and the grant is the user’s', async () => {
  const { auth } = appWith()
  const login = await auth.grants.deviceLogin('spotify', { user: 'user-1' })
  expect(login.userCode).toMatch(/^[A-Z]{4}-[A-Z]{4}$/)
  expect(login.verificationUri).toBe(`${server.issuer}/device`)
  expect(login.expiresAt).toBeGreaterThan(Date.now())
  const pages = await new OidcBrowser().enterCode(login.verificationUri, {
    user: 'ada',
    code: login.userCode,
  })
  expect(pages).toEqual(['code', 'confirm', 'login', 'consent'])
  expect((await login.grant).subject).toBe('ada')
  const { api, tokens } = await auth.forUser('user-1')
  expect(await api.spotify.get('me')).toMatchObject({ sub: 'ada' })
  await tokens.spotify.getAccessToken({ forceRefresh: true })
  expect(server.tokenRequests.filter((type) => type === 'refresh_token')).toHaveLength(1)
})

test('onLogin sees a device’s login as it sees a browser’s, and may refuse it', async () => {
  const seen: LoginEvent[] = []
  const refused = new Error('not of this company')
  const onLogin = (login: LoginEvent) => {
    seen.push(login)
    if (login.profile.subject === 'eve') throw refused
  }
  const { auth } = appWith({}, { onLogin })
  for (const [user, subject] of [
    ['user-4', 'ada'],
    ['user-5', 'eve'],
  ] as const) {
    const login = await auth.grants.deviceLogin('spotify', { user })
    const entered = { user: subject, code: login.userCode }
    await new OidcBrowser().enterCode(login.verificationUri, entered)
    if (subject === 'eve') await expect(login.grant).rejects.toBe(refused)
    else expect((await login.grant).subject).toBe(subject)
    const { tokens } = await auth.forUser(user)
    expect((await tokens.spotify.grant())?.subject).toBe(subject === 'eve' ? undefined : subject)
  }
  expect(seen.map(({ user, profile }) => [user, profile.subject])).toEqual([
    ['user-4', 'ada'],
    ['user-5', 'eve'],
  ])
  expect(seen[0]).toMatchObject({ provider: 'spotify', grant: { subject: 'ada' } })
  expect(seen[0]!.request).toBeUndefined()
  await auth.close()
  expect(await server.isActive(server.issued.at(-1)!.accessToken)).toBe(false)
})

test('the address with the code in it leads to the confirmation', async () => {
  const { auth } = appWith()
  const login = await auth.grants.deviceLogin('spotify', { user: 'user-2' })
  const pages = await new OidcBrowser().enterCode(login.verificationUriComplete!, {
    user: 'eve',
    code: login.userCode,
  })
  expect(pages).toContain('confirm')
  expect((await login.grant).subject).toBe('eve')
})

test('with DPoP the tokens of a device are bound to a key as well', async () => {
  const { auth } = appWith({ dpop: true })
  const login = await auth.grants.deviceLogin('spotify', { user: 'user-3' })
  const code = login.userCode
  await new OidcBrowser().enterCode(login.verificationUri, { user: 'ada', code })
  await login.grant
  const { api } = await auth.forUser('user-3')
  expect(await api.spotify.get('me')).toMatchObject({ sub: 'ada' })
  expect(server.requests.at(-1)!.authorization).toMatch(/^DPoP /)
})

test('who says no at the other device gives access_denied here, and no grant', async () => {
  const { auth } = appWith()
  const login = await auth.grants.deviceLogin('spotify', { user: 'user-4' })
  const visit = { user: 'ada', code: login.userCode, cancel: true }
  await new OidcBrowser().enterCode(login.verificationUri, visit)
  await expect(login.grant).rejects.toMatchObject({ code: 'access_denied' })
  expect(await (await auth.forUser('user-4')).tokens.spotify.grant()).toBeUndefined()
})

test('the waiting outlives a server in trouble, and ends by a signal', async () => {
  let outages = 2
  const { auth } = appWith({
    fetch: async (input, init) => {
      if (!String(input).endsWith('/token') || outages === 0) return impatient(input, init)
      outages -= 1
      return new Response('', { status: 502 })
    },
  })
  const login = await auth.grants.deviceLogin('spotify', { user: 'user-5' })
  const code = login.userCode
  await new OidcBrowser().enterCode(login.verificationUri, { user: 'ada', code })
  expect((await login.grant).subject).toBe('ada')
  expect(outages).toBe(0)
  const signal = AbortSignal.timeout(300)
  const second = await auth.grants.deviceLogin('spotify', { user: 'user-5', signal })
  await expect(second.grant).rejects.toThrow(/timeout|abort/i)
})

test('a code that nobody enters runs out', async () => {
  const { auth } = appWith({
    fetch: async (input, init) => {
      const reply = await impatient(input, init)
      if (!String(input).endsWith('/device/auth')) return reply
      return Response.json({ ...((await reply.json()) as object), expires_in: 1 })
    },
  })
  const login = await auth.grants.deviceLogin('spotify', { user: 'user-6' })
  await expect(login.grant).rejects.toMatchObject({ error: 'expired_token' })
})

test('without an endpoint for it, and for scopes that nobody allowed, it says what to do', async () => {
  const { auth } = appWith({
    fetch: async (input, init) => {
      const reply = await fetch(input, init)
      if (!String(input).includes('/.well-known')) return reply
      const { device_authorization_endpoint: _dropped, ...rest } = (await reply.json()) as Record<
        string,
        unknown
      >
      return Response.json(rest)
    },
  })
  const begin = (scope?: string) => auth.grants.deviceLogin('spotify', { user: 'user-7', scope })
  await expect(begin()).rejects.toThrow(/deviceAuthorizationEndpoint/)
  await expect(begin('everything')).rejects.toThrow(/optionalScope/)
})
