import { beforeEach, describe, expect, test } from 'vitest'
import { createBehalf } from '../../src/middleware/behalf.ts'
import type { BehalfOptions } from '../../src/middleware/options.ts'
import type { ProviderDefinition } from '../../src/oauth/provider.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { grantFor, loginAs } from '../../src/testing/index.ts'
import { createApp, secret, useWorld } from './express-app.ts'

const world = useWorld()
beforeEach(() => {
  world.provider.reset()
  world.api.reset()
})

type Options = Partial<BehalfOptions<{ spotify: ProviderDefinition }>>

function app(options: Options = {}) {
  return createBehalf({
    baseUrl: 'http://127.0.0.1:3000',
    secret,
    store: memoryStore(),
    providers: { spotify: world.spotify },
    user: () => undefined,
    ...options,
  })
}

const wait = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))
const json = (body: object, status = 400) => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

describe('a secret that was taken away', () => {
  test('keeps nobody from logging in anew, and hides no other grant of the same person', async () => {
    const store = memoryStore()
    const newer = 'another-secret-of-the-tests-that-is-long-enough-0123'
    const before = app({ store })
    await grantFor(before, { user: 'u1', as: 'ada', provider: 'spotify' })
    await grantFor(before, { user: 'u2', as: 'ada', provider: 'spotify' })
    const after = app({ store, secret: [newer] })
    await grantFor(after, { user: 'u1', as: 'ada', provider: 'spotify' })
    expect(await (await after.forUser('u1')).api.spotify.get('me')).toMatchObject({ id: 'ada' })
    const { api } = await after.forSubject('spotify', 'ada')
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
    await expect((await after.forUser('u2')).api.spotify.get('me')).rejects.toMatchObject({
      code: 'store_unavailable',
    })
  })
})

describe('getAccessToken({ resource })', () => {
  test('never gives another person’s token, nor one for something else, when another account is connected meanwhile', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const { tokens } = await auth.forUser('u1')
    // Longer than a login takes on a busy machine.
    world.provider.switches.delay = 1.5
    const asked = tokens.spotify.getAccessToken({ resource: 'https://files.example/' })
    const outcome = asked.catch((error: { code: string }) => error.code)
    await wait(0.1)
    world.provider.switches.delay = 0
    await grantFor(auth, { user: 'u1', as: 'grace', provider: 'spotify' })
    expect(await outcome).toBe('login_required')
    await auth.close()
  })

  test('a resource that is refused closes nothing else, and says so', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const { tokens } = await auth.forUser('u1')
    world.provider.switches.tokenEndpoint = () => json({ error: 'invalid_target' })
    const resource = 'https://nowhere.example/'
    await expect(tokens.spotify.getAccessToken({ resource })).rejects.toMatchObject({
      code: 'client_misconfigured',
      error: 'invalid_target',
    })
    world.provider.switches.tokenEndpoint = 'works'
    await tokens.spotify.getAccessToken({ forceRefresh: true })
  })

  test('what a refresh has narrowed is not given to who needs more', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const { tokens } = await auth.forUser('u1')
    const { refreshToken } = world.provider.issueTokens({ user: 'ada', scope: ['user-read-email'] })
    world.provider.switches.tokenEndpoint = () =>
      json(
        {
          access_token: 'narrow',
          token_type: 'Bearer',
          expires_in: 3600,
          scope: 'user-read-email',
          refresh_token: refreshToken,
        },
        200,
      )
    const wanted = { forceRefresh: true, scope: 'user-top-read' }
    await expect(tokens.spotify.getAccessToken(wanted)).rejects.toMatchObject({
      code: 'insufficient_scope',
    })
  })
})

describe('onMissingGrant', () => {
  const rowOf = (user: string) => world.provider.issueTokens({ user })

  test('does not bring back what was disconnected while it was being asked', async () => {
    const store = memoryStore()
    let answer!: (row: object) => void
    const slow = app({ store, onMissingGrant: () => new Promise((resolve) => (answer = resolve)) })
    const late = (await slow.forUser('u1')).tokens.spotify.getAccessToken().catch(String)
    await wait(0.05)
    const fast = app({ store, onMissingGrant: () => rowOf('ada') })
    await (await fast.forUser('u1')).tokens.spotify.getAccessToken()
    await (await fast.forUser('u1')).tokens.spotify.disconnect()
    answer(rowOf('ada'))
    expect(await late).toMatch(/LoginRequiredError/)
    expect(await slow.grants.list({ user: 'u1' })).toEqual([])
    await fast.close()
  })

  test('is not asked for a user who was forgotten before they came', async () => {
    const auth = app({ onMissingGrant: () => rowOf('ada') })
    expect(await auth.grants.forget('u1')).toBe(0)
    await expect((await auth.forUser('u1')).api.spotify.get('me')).rejects.toMatchObject({
      code: 'login_required',
    })
  })

  test('is asked again after it gave what are no tokens', async () => {
    const rows = [{ accessToken: 'кл' }, rowOf('ada')]
    const auth = app({ onMissingGrant: () => rows.shift() })
    const { api } = await auth.forUser('u1')
    await expect(api.spotify.get('me')).rejects.toMatchObject({ code: 'config_invalid' })
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
  })
})

describe('tokens that the app hands in', () => {
  const odd = [
    { authorizedAt: 'yesterday' },
    { authorizedAt: Number.NaN },
    { subject: {} },
    { subject: '' },
    { scope: 5 },
    { scope: {} },
    { expiresAt: '123' },
  ]
  test.each(odd)('odd members are refused by import: %j', async (members) => {
    const auth = app()
    const tokenSet = { ...world.provider.issueTokens({ user: 'ada' }), ...members } as object
    const importing = auth.grants.import('spotify', { user: 'u1', tokenSet })
    await expect(importing).rejects.toMatchObject({ code: 'config_invalid' })
    expect(await auth.grants.list({ user: 'u1' })).toEqual([])
  })

  test.each([
    { expiresAt: Number.NaN },
    { expiresAt: Infinity },
    { expiresAt: '123' },
    { scope: 7 },
    { accessToken: 'a\nb' },
  ])('odd members are refused by save, and the grant stays: %j', async (members) => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const { tokens } = await auth.forUser('u1')
    const set = { accessToken: 'access', ...members } as { accessToken: string }
    await expect(tokens.spotify.save(set)).rejects.toMatchObject({ code: 'config_invalid' })
    expect(await tokens.spotify.getAccessToken()).toMatch(/^access-/)
  })

  test('an end in milliseconds is understood, and a number for a subject', async () => {
    const auth = app()
    const { accessToken, expiresAt } = world.provider.issueTokens({ user: 'ada' })
    const tokenSet = { access_token: accessToken, expires_at: expiresAt, providerAccountId: 42 }
    await auth.grants.import('spotify', { user: 'u1', tokenSet: tokenSet as object })
    expect(await auth.grants.list({ user: 'u1' })).toMatchObject([{ expiresAt, subject: '42' }])
  })
})

describe('assignTo', () => {
  test('is for grants of sessions only', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    const ofUser = (await auth.forUser('u1')).tokens.spotify
    await ofUser.assignTo('u1')
    await expect(ofUser.assignTo('u2')).rejects.toMatchObject({ code: 'config_invalid' })
    const ofApp = (await auth.forApp('spotify')).tokens.spotify
    await expect(ofApp.assignTo('u2')).rejects.toMatchObject({ code: 'config_invalid' })
    expect(await auth.grants.list({ user: 'u2' })).toEqual([])
  })
})

describe('forSubject()', () => {
  test('takes a grant that works before a newer one that has ended', async () => {
    const auth = app()
    await grantFor(auth, { user: 'u1', as: 'ada', provider: 'spotify' })
    await wait(0.01)
    await grantFor(auth, { user: 'u2', as: 'ada', provider: 'spotify' })
    world.provider.switches.tokenEndpoint = () => json({ error: 'invalid_grant' })
    const ended = (await auth.forUser('u2')).tokens.spotify
    await expect(ended.getAccessToken({ forceRefresh: true })).rejects.toMatchObject({
      reason: 'revoked',
    })
    world.provider.switches.tokenEndpoint = 'works'
    const { api } = await auth.forSubject('spotify', 'ada')
    expect(await api.spotify.get('me')).toMatchObject({ id: 'ada' })
  })
})

describe('a caller who waits for a refresh', () => {
  test('waits no longer than timeouts.total, or its own signal; the refresh goes on', async () => {
    const { auth, browser } = createApp(world, {
      cache: false,
      options: { timeouts: { total: 0.4 } },
      routes: (express) => {
        express.get('/aborted', async (req, res) => {
          const asked = req.api['spotify']!.fetch('me', { signal: AbortSignal.timeout(200) })
          res.send(await asked.catch((error: Error) => error.name))
        })
        express.get(
          '/profile',
          async (req, res) => void res.json(await req.api['spotify']!.get('me')),
        )
      },
    })
    const ada = browser()
    await loginAs(ada, { user: 'ada', provider: 'spotify' })
    world.provider.expireAccessTokens()
    world.provider.switches.delay = 2
    expect((await ada.get('/aborted')).text).toBe('TimeoutError')
    expect((await ada.get('/profile')).status).toBe(504)
    await auth.close()
    world.provider.switches.delay = 0
    await ada.get('/me').expect(200)
    expect(world.provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
  })
})
