import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { createTestProvider } from '../../src/testing/index.ts'
import type { IssuedTokens, TestProvider } from '../../src/testing/index.ts'
import { refresh, tokenRequest, tokensIn } from './plain-client.ts'

let provider: TestProvider

beforeAll(async () => {
  provider = await createTestProvider()
})
afterEach(() => provider.reset())
afterAll(() => provider.close())

const grant = (scope: string[] = ['one', 'two']): IssuedTokens =>
  provider.issueTokens({ user: 'ada', scope })

it('a refresh gives another access token and another refresh token', async () => {
  const first = grant()
  const second = await tokensIn(refresh(provider, first.refreshToken))
  expect(second.access_token).not.toBe(first.accessToken)
  expect(second.refresh_token).toBeTypeOf('string')
  expect(second.refresh_token).not.toBe(first.refreshToken)
  expect(provider.accountOf(second.access_token)?.scope).toEqual(['one', 'two'])
  expect(provider.accountOf(first.accessToken)).toBeDefined()
  expect(provider.seen).toMatchObject({ refreshRequests: 1, presentedTwice: 0 })
})

it('a used refresh token, presented again, revokes the whole grant and no other', async () => {
  const first = grant()
  const other = grant()
  const second = await tokensIn(refresh(provider, first.refreshToken))
  const replay = await refresh(provider, first.refreshToken)
  expect(replay.status).toBe(400)
  expect((await tokensIn(replay)).error).toBe('invalid_grant')
  expect(provider.accountOf(second.access_token)).toBeUndefined()
  expect((await tokensIn(refresh(provider, second.refresh_token))).error).toBe('invalid_grant')
  expect(provider.accountOf(other.accessToken)).toBeDefined()
  expect(provider.seen).toMatchObject({
    refreshRequests: 3,
    presentedTwice: 1,
    familiesRevoked: 1,
  })
})

it('one of many concurrent refreshes with one token succeeds', async () => {
  const { refreshToken } = grant()
  const replies = await Promise.all(
    Array.from({ length: 8 }, () => refresh(provider, refreshToken)),
  )
  expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(provider.seen).toMatchObject({ presentedTwice: 7, familiesRevoked: 1 })
})

it('without family revocation a replay is only refused', async () => {
  provider.switches.familyRevocation = false
  const { refreshToken } = grant()
  const second = await tokensIn(refresh(provider, refreshToken))
  expect((await refresh(provider, refreshToken)).status).toBe(400)
  expect(provider.accountOf(second.access_token)).toBeDefined()
  expect(provider.seen.familiesRevoked).toBe(0)
})

it('within the grace window a used refresh token gets its successor again', async () => {
  provider.switches.graceWindow = 0.2
  const { refreshToken } = grant()
  const second = await tokensIn(refresh(provider, refreshToken))
  const again = await tokensIn(refresh(provider, refreshToken))
  expect(again.refresh_token).toBe(second.refresh_token)
  expect(provider.seen).toMatchObject({ presentedTwice: 1, familiesRevoked: 0 })
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect((await refresh(provider, refreshToken)).status).toBe(400)
  expect(provider.accountOf(second.access_token)).toBeUndefined()
})

it('without rotation the refresh token stays, and none comes with the reply', async () => {
  provider.switches.rotate = false
  const { refreshToken } = grant()
  expect((await tokensIn(refresh(provider, refreshToken))).refresh_token).toBeUndefined()
  expect((await refresh(provider, refreshToken)).status).toBe(200)
  expect(provider.seen).toMatchObject({ refreshRequests: 2, presentedTwice: 0 })
})

it('a refresh token is of no use to another client', async () => {
  provider.clients.set('other', { clientId: 'other' })
  const { refreshToken } = grant()
  const form = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: 'other' }
  const stolen = await tokenRequest(provider, form, { headers: {} })
  expect((await tokensIn(stolen)).error).toBe('invalid_grant')
  expect((await refresh(provider, refreshToken)).status).toBe(200)
})

it('a refresh may narrow the scope, not widen it', async () => {
  const ask = (refresh_token: string, scope: string) =>
    tokensIn(tokenRequest(provider, { grant_type: 'refresh_token', refresh_token, scope }))
  const { refreshToken } = grant(['one', 'two'])
  expect((await ask(refreshToken, 'one three')).error).toBe('invalid_scope')
  expect((await ask(refreshToken, 'one')).scope).toBe('one')
})

it('a revoked refresh token takes its grant along, a revoked access token goes alone', async () => {
  const { revocationEndpoint, clientId, clientSecret } = provider.overrides
  const revoke = (token: string) => {
    const authorization = `Basic ${btoa(`${clientId}:${clientSecret}`)}`
    const body = new URLSearchParams({ token })
    return fetch(revocationEndpoint, { method: 'POST', body, headers: { authorization } })
  }
  const first = grant()
  expect((await revoke(first.accessToken)).status).toBe(200)
  expect(provider.accountOf(first.accessToken)).toBeUndefined()
  const second = await tokensIn(refresh(provider, first.refreshToken))
  expect((await revoke(second.refresh_token ?? '')).status).toBe(200)
  expect(provider.accountOf(second.access_token)).toBeUndefined()
  expect((await revoke('unknown')).status).toBe(200)
  expect(provider.seen.revocations).toBe(3)
})

it('revocation needs the client that the token belongs to', async () => {
  const { accessToken } = grant()
  const { revocationEndpoint } = provider.overrides
  const post = (form: Record<string, string>) =>
    fetch(revocationEndpoint, { method: 'POST', body: new URLSearchParams(form) })
  expect((await post({ token: accessToken })).status).toBe(401)
  provider.clients.set('stranger', { clientId: 'stranger' })
  expect((await post({ token: accessToken, client_id: 'stranger' })).status).toBe(200)
  expect(provider.accountOf(accessToken)).toBeDefined()
})

it('introspection knows a good token and nothing of the others', async () => {
  const introspect = async (token: string) => {
    const body = new URLSearchParams({ token })
    return (await fetch(`${provider.issuer}/introspect`, { method: 'POST', body })).json()
  }
  const { accessToken, refreshToken } = grant()
  expect(await introspect(accessToken)).toMatchObject({
    active: true,
    sub: 'ada',
    scope: 'one two',
    client_id: 'test-client',
  })
  expect(await introspect(refreshToken)).toEqual({ active: false })
  expect(provider.seen.introspections).toBe(2)
})

it('expireAccessTokens() leaves refresh tokens good', async () => {
  const { accessToken, refreshToken } = grant()
  provider.expireAccessTokens()
  expect(provider.accountOf(accessToken)).toBeUndefined()
  expect((await refresh(provider, refreshToken)).status).toBe(200)
})

it('revokeGrants() ends the grants of one user, or of all', () => {
  const ada = grant()
  const mei = provider.issueTokens({ user: 'mei' })
  provider.revokeGrants('ada')
  expect(provider.accountOf(ada.accessToken)).toBeUndefined()
  expect(provider.accountOf(mei.accessToken)).toBeDefined()
  provider.revokeGrants()
  expect(provider.accountOf(mei.accessToken)).toBeUndefined()
})

it('issueTokens() refuses a user who does not exist', () => {
  expect(() => provider.issueTokens({ user: 'nobody' })).toThrow('no user "nobody"')
})

it('access tokens live as long as accessTokenTtl says', async () => {
  const brief = await createTestProvider({ accessTokenTtl: 0.05 })
  const { accessToken } = brief.issueTokens({ user: 'ada' })
  expect(brief.accountOf(accessToken)).toBeDefined()
  await new Promise((resolve) => setTimeout(resolve, 80))
  expect(brief.accountOf(accessToken)).toBeUndefined()
  await brief.close()
})
