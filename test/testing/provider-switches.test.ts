import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createTestProvider } from '../../src/testing/index.ts'
import type { ProviderSwitches, TestProvider } from '../../src/testing/index.ts'
import { authorizationUrl, codeFor, press, redeem, refresh, tokensIn } from './plain-client.ts'

let provider: TestProvider

beforeAll(async () => {
  provider = await createTestProvider()
})
afterEach(() => provider.reset())
afterAll(() => provider.close())

const login = async () => tokensIn(redeem(provider, await codeFor(provider)))
const refreshToken = () => provider.issueTokens({ user: 'ada' }).refreshToken

/** The code of undici's error for a connection that the server reset. */
const reset = { cause: { code: 'ECONNRESET' } }

describe('iss', () => {
  it('can be missing or wrong, in errors too', async () => {
    provider.switches.iss = 'missing'
    expect((await press(authorizationUrl(provider), { user: 'ada' })).has('iss')).toBe(false)
    provider.switches.iss = 'wrong'
    const wrong = await press(authorizationUrl(provider), { cancel: 'cancel' })
    expect(wrong.get('iss')).toBe('https://another-issuer.example')
  })
})

describe('what a token reply holds', () => {
  it('grantedScope replaces what was asked for', async () => {
    provider.switches.grantedScope = ['less']
    const { scope, access_token } = await login()
    expect(scope).toBe('less')
    expect(provider.accountOf(access_token)?.scope).toEqual(['less'])
  })

  it('refreshTokenInReply false leaves the refresh token out', async () => {
    provider.switches.refreshTokenInReply = false
    expect((await login()).refresh_token).toBeUndefined()
  })

  it('expiresIn is what is said, and what is true', async () => {
    provider.switches.expiresIn = 0
    const { expires_in, access_token } = await login()
    expect(expires_in).toBe(0)
    expect(provider.accountOf(access_token)).toBeUndefined()
    provider.switches.expiresIn = 'missing'
    const silent = await login()
    expect(silent.expires_in).toBeUndefined()
    expect(provider.accountOf(silent.access_token)).toBeDefined()
  })

  it('idToken can have a wrong nonce, a wrong audience or no signature', async () => {
    const claimsWith = async (idToken: ProviderSwitches['idToken']) => {
      provider.switches.idToken = idToken
      const code = await codeFor(provider, 'ada', { scope: 'openid', nonce: 'n' })
      const [, claims = '', signature] = (await tokensIn(redeem(provider, code))).id_token!.split(
        '.',
      )
      const parsed: unknown = JSON.parse(Buffer.from(claims, 'base64url').toString())
      return { ...(parsed as { nonce: string; aud: string; iss: string }), signature }
    }
    expect(await claimsWith('valid')).toMatchObject({ nonce: 'n', aud: 'test-client' })
    expect((await claimsWith('wrong-nonce')).nonce).not.toBe('n')
    expect((await claimsWith('wrong-audience')).aud).not.toBe('test-client')
    expect((await claimsWith('unsigned')).signature).toBe('')
    const hostile = await claimsWith((claims, sign) =>
      sign({ ...claims, iss: 'https://evil.test' }),
    )
    expect(hostile).toMatchObject({ iss: 'https://evil.test', nonce: 'n' })
    expect(hostile.signature).not.toBe('')
  })
})

describe('tokenEndpoint, with nothing used up', () => {
  const replyOf = async (tokenEndpoint: ProviderSwitches['tokenEndpoint']) => {
    provider.switches.tokenEndpoint = tokenEndpoint
    const token = refreshToken()
    const reply = await refresh(provider, token)
    provider.switches.tokenEndpoint = 'works'
    expect((await refresh(provider, token)).status).toBe(200)
    expect(provider.seen.presentedTwice).toBe(0)
    return reply
  }

  it('unavailable', async () => {
    const plain = await replyOf('unavailable')
    expect([plain.status, plain.headers.get('retry-after')]).toEqual([503, null])
    expect(plain.headers.get('content-type')).toBe('application/json')
    provider.switches.retryAfter = 7
    expect((await replyOf('unavailable')).headers.get('retry-after')).toBe('7')
  })

  it('bad-gateway', async () => {
    const reply = await replyOf('bad-gateway')
    expect([reply.status, reply.headers.get('content-type')]).toEqual([502, 'text/html'])
  })

  it('rate-limited', async () => {
    expect((await replyOf('rate-limited')).headers.get('retry-after')).toBe('1')
    provider.switches.retryAfter = 86_400
    const reply = await replyOf('rate-limited')
    expect([reply.status, reply.headers.get('retry-after')]).toEqual([429, '86400'])
  })

  it('invalid-client', async () => {
    const reply = await replyOf('invalid-client')
    expect(reply.status).toBe(401)
    expect((await tokensIn(reply)).error).toBe('invalid_client')
  })

  it('garbage', async () => {
    const reply = await replyOf('garbage')
    expect(reply.status).toBe(200)
    await expect(reply.json()).rejects.toThrow(SyntaxError)
  })

  it('a function gives the raw reply, and sees the request', async () => {
    const seen: unknown[] = []
    const reply = await replyOf(({ grantType, parameters }) => {
      seen.push(grantType, parameters['refresh_token'])
      return { status: 418, headers: { 'x-raw': 'yes' }, body: 'teapot' }
    })
    expect([reply.status, reply.headers.get('x-raw')]).toEqual([418, 'yes'])
    expect(await reply.text()).toBe('teapot')
    expect(seen).toEqual(['refresh_token', expect.stringMatching(/^refresh-/)])
  })

  it('resets-before', async () => {
    provider.switches.tokenEndpoint = 'resets-before'
    const token = refreshToken()
    await expect(refresh(provider, token)).rejects.toMatchObject(reset)
    provider.switches.tokenEndpoint = 'works'
    expect((await refresh(provider, token)).status).toBe(200)
  })

  it('hangs', async () => {
    provider.switches.tokenEndpoint = 'hangs'
    const pending = refresh(provider, refreshToken()).then(
      () => 'answered',
      () => 'ended',
    )
    expect(await Promise.race([pending, wait(150, 'hangs')])).toBe('hangs')
  })
})

describe('tokenEndpoint, with the token used up', () => {
  it('resets-after', async () => {
    provider.switches.tokenEndpoint = 'resets-after'
    const token = refreshToken()
    await expect(refresh(provider, token)).rejects.toMatchObject(reset)
    provider.switches.tokenEndpoint = 'works'
    expect((await refresh(provider, token)).status).toBe(400)
    expect(provider.seen).toMatchObject({ presentedTwice: 1, familiesRevoked: 1 })
  })

  it('slow sends a byte per second', async () => {
    provider.switches.tokenEndpoint = 'slow'
    const reply = await refresh(provider, refreshToken())
    expect(reply.status).toBe(200)
    const reader = reply.body!.getReader()
    const startedAt = Date.now()
    const first = await reader.read()
    const second = await reader.read()
    expect([first.value, second.value].map((chunk) => chunk?.length)).toEqual([1, 1])
    expect(Date.now() - startedAt).toBeGreaterThan(800)
    await reader.cancel()
  })

  it('delay answers later', async () => {
    provider.switches.delay = 0.2
    const startedAt = Date.now()
    expect((await refresh(provider, refreshToken())).status).toBe(200)
    expect(Date.now() - startedAt).toBeGreaterThan(180)
  })
})

describe('redirects', () => {
  it('of the token endpoint are counted when they are followed', async () => {
    provider.switches.tokenEndpoint = 'redirects'
    const reply = await refresh(provider, refreshToken())
    expect([reply.status, reply.redirected]).toEqual([200, true])
    expect(provider.seen.redirectsFollowed).toBe(1)
  })

  it('of the metadata likewise', async () => {
    provider.switches.discovery = 'redirects'
    const url = `${provider.issuer}/.well-known/openid-configuration`
    const reply = await fetch(url, { redirect: 'manual' })
    expect(reply.status).toBe(302)
    expect(provider.seen.redirectsFollowed).toBe(0)
    expect((await fetch(url)).redirected).toBe(true)
    expect(provider.seen.redirectsFollowed).toBe(1)
  })
})

describe('discovery', () => {
  const metadata = () => fetch(`${provider.issuer}/.well-known/openid-configuration`)

  it('can be unavailable, name another issuer, or be anything', async () => {
    provider.switches.discovery = 'unavailable'
    expect((await metadata()).status).toBe(503)
    provider.switches.discovery = 'wrong-issuer'
    expect(await (await metadata()).json()).toMatchObject({
      issuer: 'https://another-issuer.example',
      token_endpoint: provider.overrides.tokenEndpoint,
    })
    provider.switches.discovery = (right) => ({ body: JSON.stringify(Object.keys(right)) })
    expect(await (await metadata()).json()).toContain('jwks_uri')
  })

  it('can hang', async () => {
    provider.switches.discovery = 'hangs'
    const pending = metadata().then(
      () => 'answered',
      () => 'ended',
    )
    expect(await Promise.race([pending, wait(150, 'hangs')])).toBe('hangs')
  })
})

describe('revocation', () => {
  const revoke = (token: string) => {
    const { clientId, clientSecret, revocationEndpoint } = provider.overrides
    const authorization = `Basic ${btoa(`${clientId}:${clientSecret}`)}`
    const body = new URLSearchParams({ token })
    return fetch(revocationEndpoint, { method: 'POST', body, headers: { authorization } })
  }

  it('can be unavailable, and then revokes nothing', async () => {
    provider.switches.revocation = 'unavailable'
    const { accessToken } = provider.issueTokens({ user: 'ada' })
    expect((await revoke(accessToken)).status).toBe(503)
    expect(provider.accountOf(accessToken)).toBeDefined()
  })

  it('can hang', async () => {
    provider.switches.revocation = 'hangs'
    const pending = revoke('any').then(
      () => 'answered',
      () => 'ended',
    )
    expect(await Promise.race([pending, wait(150, 'hangs')])).toBe('hangs')
  })
})

it('reset() puts the switches and the counts back', async () => {
  provider.switches.tokenEndpoint = 'unavailable'
  await refresh(provider, refreshToken())
  expect(provider.seen.refreshRequests).toBe(1)
  provider.reset()
  expect(provider.switches.tokenEndpoint).toBe('works')
  expect(provider.seen.refreshRequests).toBe(0)
})

it('close() ends a request that hangs', async () => {
  const other = await createTestProvider()
  other.switches.tokenEndpoint = 'hangs'
  const outcome = refresh(other, 'any').then(
    () => 'answered',
    (error: Error) => error.message,
  )
  await wait(50)
  await other.close()
  expect(await outcome).toBe('fetch failed')
})
