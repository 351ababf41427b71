import { createHash, createPublicKey, verify } from 'node:crypto'
import type { JsonWebKey } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { createTestProvider } from '../../src/testing/index.ts'
import type { TestProvider } from '../../src/testing/index.ts'
import {
  authorizationUrl,
  codeFor,
  press,
  redeem,
  redirectUri,
  state,
  tokenRequest,
  tokensIn,
  verifier,
} from './plain-client.ts'

let provider: TestProvider

beforeAll(async () => {
  provider = await createTestProvider()
})
afterEach(() => {
  vi.useRealTimers()
  provider.reset()
})
afterAll(() => provider.close())

describe('a login', () => {
  it('ends with tokens of the user whose button was pressed', async () => {
    const page = await fetch(authorizationUrl(provider))
    expect(page.status).toBe(200)
    expect(await page.text()).toContain('Grace Adeyemi')

    const response = await press(authorizationUrl(provider), { user: 'grace' })
    expect(response.get('state')).toBe(state)
    expect(response.get('iss')).toBe(provider.issuer)

    const reply = await redeem(provider, response.get('code') ?? '')
    expect(reply.status).toBe(200)
    expect(reply.headers.get('cache-control')).toBe('no-store')
    const tokens = await tokensIn(reply)
    expect(tokens).toMatchObject({ token_type: 'Bearer', expires_in: 3600, scope: 'user-top-read' })
    expect(tokens.refresh_token).toBeTypeOf('string')
    expect(tokens.id_token).toBeUndefined()
    expect(provider.accountOf(tokens.access_token)).toEqual({
      userId: 'grace',
      scope: ['user-top-read'],
    })
    expect(provider.seen).toMatchObject({ authorizations: 1, codeRequests: 1 })
  })

  it('that is cancelled comes back with access_denied, state and iss', async () => {
    const response = await press(authorizationUrl(provider), { cancel: 'cancel' })
    expect(response.get('error')).toBe('access_denied')
    expect(response.get('state')).toBe(state)
    expect(response.get('iss')).toBe(provider.issuer)
    expect(response.has('code')).toBe(false)
  })

  it('with prompt=none comes back with login_required at once', async () => {
    const url = authorizationUrl(provider, { prompt: 'none' })
    const reply = await fetch(url, { redirect: 'manual' })
    expect(reply.status).toBe(303)
    expect(reply.headers.get('location')).toContain('error=login_required')
  })

  it('puts the user of login_hint first', async () => {
    const page = await (await fetch(authorizationUrl(provider, { login_hint: 'mei' }))).text()
    expect(page.indexOf('value="mei"')).toBeLessThan(page.indexOf('value="ada"'))
  })
})

describe('an authorization request', () => {
  const errorOf = async (extra: Record<string, string | undefined>) =>
    (await press(authorizationUrl(provider, extra), { user: 'ada' })).get('error')

  it('without PKCE, with plain PKCE or another response type is refused', async () => {
    expect(await errorOf({ code_challenge: undefined })).toBe('invalid_request')
    expect(await errorOf({ code_challenge_method: 'plain' })).toBe('invalid_request')
    expect(await errorOf({ response_type: 'token' })).toBe('unsupported_response_type')
  })

  it('that names a parameter twice is refused', async () => {
    const response = await press(`${authorizationUrl(provider)}&scope=more`, { user: 'ada' })
    expect(response.get('error')).toBe('invalid_request')
  })

  it('of an unknown client or to a foreign redirect URI leads nowhere', async () => {
    for (const extra of [
      { client_id: 'nobody' },
      { redirect_uri: 'http://app.example/callback' },
      { redirect_uri: 'javascript:alert(1)' },
      { redirect_uri: `${redirectUri}#part` },
    ]) {
      const reply = await fetch(authorizationUrl(provider, extra), { redirect: 'manual' })
      expect(reply.status).toBe(400)
      expect(reply.headers.has('location')).toBe(false)
    }
  })

  it('may go to a listed redirect URI only, when there is a list', async () => {
    const strict = await createTestProvider({ redirectUris: ['https://app.example/callback'] })
    const listed = authorizationUrl(strict, { redirect_uri: 'https://app.example/callback' })
    expect((await fetch(listed)).status).toBe(200)
    expect((await fetch(authorizationUrl(strict))).status).toBe(400)
    await strict.close()
  })

  it('is shown with everything escaped', async () => {
    const hostile = `"><script>alert('x')</script>`
    provider.clients.set(hostile, { clientId: hostile })
    const shown = await fetch(
      authorizationUrl(provider, { client_id: hostile, state: hostile, scope: hostile }),
    )
    const page = await shown.text()
    expect(shown.status).toBe(200)
    expect(page).toContain('&#60;script&#62;')
    expect(page).not.toContain('<script')

    const refused = await fetch(authorizationUrl(provider, { client_id: `${hostile}2` }))
    expect(refused.status).toBe(400)
    expect(await refused.text()).not.toContain('<script')
  })
})

describe('a code', () => {
  it('needs the verifier of its challenge', async () => {
    const code_verifier = verifier.replace('a', 'b')
    const reply = await redeem(provider, await codeFor(provider), { code_verifier })
    expect(reply.status).toBe(400)
    expect((await tokensIn(reply)).error).toBe('invalid_grant')
  })

  it('with a challenge is refused when no verifier comes with it', async () => {
    const code = await codeFor(provider)
    const form = { grant_type: 'authorization_code', code, redirect_uri: redirectUri }
    expect((await tokensIn(tokenRequest(provider, form))).error).toBe('invalid_grant')
  })

  it('needs the redirect URI it was issued for, to the letter', async () => {
    const code = await codeFor(provider)
    const reply = await redeem(provider, code, { redirect_uri: `${redirectUri}/` })
    expect((await tokensIn(reply)).error).toBe('invalid_grant')
  })

  it('is good once; a replay revokes what it gave', async () => {
    const code = await codeFor(provider)
    const tokens = await tokensIn(redeem(provider, code))
    expect(provider.accountOf(tokens.access_token)).toBeDefined()
    expect((await tokensIn(redeem(provider, code))).error).toBe('invalid_grant')
    expect(provider.accountOf(tokens.access_token)).toBeUndefined()
  })

  it('is good for 60 s', async () => {
    const [early, late] = [await codeFor(provider), await codeFor(provider)]
    const issuedAt = Date.now()
    vi.useFakeTimers({ toFake: ['Date'], now: issuedAt + 58_000 })
    expect((await redeem(provider, early)).status).toBe(200)
    vi.setSystemTime(issuedAt + 61_000)
    expect((await tokensIn(redeem(provider, late))).error).toBe('invalid_grant')
  })

  it('of a request without PKCE is refused when a verifier comes with it', async () => {
    const lax = await createTestProvider({ requirePkce: false })
    const without = { code_challenge: undefined, code_challenge_method: undefined }
    const code = await codeFor(lax, 'ada', without)
    expect((await tokensIn(redeem(lax, code))).error).toBe('invalid_grant')
    const next = await codeFor(lax, 'ada', without)
    const form = { grant_type: 'authorization_code', code: next, redirect_uri: redirectUri }
    expect((await tokenRequest(lax, form)).status).toBe(200)
    await lax.close()
  })

  it('gives tokens to one of many who redeem it at once', async () => {
    const code = await codeFor(provider)
    const replies = await Promise.all(Array.from({ length: 10 }, () => redeem(provider, code)))
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  it('is of no use to another client', async () => {
    provider.clients.set('other', { clientId: 'other' })
    const code = await codeFor(provider)
    const parameters = {
      grant_type: 'authorization_code',
      client_id: 'other',
      code,
      redirect_uri: redirectUri,
      code_verifier: verifier,
    }
    const stolen = await tokenRequest(provider, parameters, { headers: {} })
    expect((await tokensIn(stolen)).error).toBe('invalid_grant')
    expect((await redeem(provider, code)).status).toBe(200)
  })
})

describe('a client', () => {
  const login = { grant_type: 'authorization_code', redirect_uri: redirectUri }

  it('may send its secret in the form', async () => {
    const { clientId: client_id, clientSecret: client_secret = '' } = provider.overrides
    const code = await codeFor(provider)
    const form = { ...login, code, code_verifier: verifier, client_id, client_secret }
    expect((await tokenRequest(provider, form, { headers: {} })).status).toBe(200)
  })

  it('may not authenticate in two ways at once', async () => {
    const { clientSecret: client_secret = '' } = provider.overrides
    const form = { ...login, code: await codeFor(provider), code_verifier: verifier, client_secret }
    expect((await tokensIn(tokenRequest(provider, form))).error).toBe('invalid_request')
  })

  it('may have an id and a secret with any characters, form-encoded for Basic', async () => {
    const odd = await createTestProvider({ clientId: 'id:ö', clientSecret: 'a+b c%&:d=' })
    const code = await codeFor(odd)
    const pair = ['id:ö', 'a+b c%&:d=']
      .map((text) => new URLSearchParams({ text }).toString().slice('text='.length))
      .join(':')
    const headers = { authorization: `Basic ${btoa(pair)}` }
    const form = { ...login, code, code_verifier: verifier }
    expect((await tokenRequest(odd, form, { headers })).status).toBe(200)
    await odd.close()
  })

  it('with a wrong secret or none is refused with 401', async () => {
    const { clientId: client_id } = provider.overrides
    const code = await codeFor(provider)
    for (const secret of [{ client_secret: 'wrong' }, {}]) {
      const form = { ...login, code, code_verifier: verifier, client_id, ...secret }
      const reply = await tokenRequest(provider, form, { headers: {} })
      expect(reply.status).toBe(401)
      expect((await tokensIn(reply)).error).toBe('invalid_client')
    }
    expect((await redeem(provider, code)).status).toBe(200)
  })

  it('that is public needs no secret', async () => {
    const publicProvider = await createTestProvider({ publicClient: true })
    expect(publicProvider.overrides.clientSecret).toBeUndefined()
    const code = await codeFor(publicProvider)
    const form = { ...login, code, code_verifier: verifier, client_id: 'test-client' }
    expect((await tokenRequest(publicProvider, form, { headers: {} })).status).toBe(200)
    await publicProvider.close()
  })
})

describe('OpenID Connect', () => {
  it('gives an ID token that the JWKS verifies, with nonce and at_hash', async () => {
    const code = await codeFor(provider, 'mei', { scope: 'openid', nonce: 'the-nonce' })
    const { id_token = '', access_token } = await tokensIn(redeem(provider, code))
    const [header = '', claims = '', signature = ''] = id_token.split('.')
    const jwks = (await (await fetch(`${provider.issuer}/jwks`)).json()) as { keys: JsonWebKey[] }
    const hash = createHash('sha256').update(access_token).digest()
    const key = createPublicKey({ key: jwks.keys[0]!, format: 'jwk' })
    const signed = Buffer.from(`${header}.${claims}`)
    expect(verify('sha256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true)
    expect(decoded(header)).toMatchObject({ alg: 'RS256', kid: jwks.keys[0]!['kid'] })
    expect(decoded(claims)).toMatchObject({
      iss: provider.issuer,
      sub: 'mei',
      aud: 'test-client',
      nonce: 'the-nonce',
      at_hash: hash.subarray(0, 16).toString('base64url'),
    })
  })

  it('serves the claims of the user to a good access token only', async () => {
    const { accessToken } = provider.issueTokens({ user: 'linus' })
    const ask = (token: string) =>
      fetch(`${provider.issuer}/userinfo`, { headers: { authorization: `Bearer ${token}` } })
    expect(await (await ask(accessToken)).json()).toMatchObject({
      sub: 'linus',
      name: 'Linus Bergqvist',
      email: 'linus@example.test',
    })
    expect((await ask('unknown')).status).toBe(401)
  })

  it('serves the same metadata under both well-known paths', async () => {
    const [oauth, openid] = await Promise.all(
      ['oauth-authorization-server', 'openid-configuration'].map(async (name) =>
        (await fetch(`${provider.issuer}/.well-known/${name}`)).json(),
      ),
    )
    expect(oauth).toEqual(openid)
    const { authorizationEndpoint, tokenEndpoint, revocationEndpoint } = provider.overrides
    expect(oauth).toMatchObject({
      issuer: provider.overrides.issuer,
      authorization_endpoint: authorizationEndpoint,
      token_endpoint: tokenEndpoint,
      revocation_endpoint: revocationEndpoint,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
    })
  })
})

it('serves a picture of each user', async () => {
  const reply = await fetch(provider.users[0]!.avatar)
  expect(reply.headers.get('content-type')).toBe('image/svg+xml')
  expect(await reply.text()).toMatch(/>\s*AM\s*<\/text>/)
})

function decoded(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString())
}
