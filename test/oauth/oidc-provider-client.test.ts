import { generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { navigation, ownForm } from '../middleware/express-app.ts'
import { cookiesOf } from '../middleware/flow.ts'
import { HostileApi, reply as raw } from '../middleware/hostile-api.ts'
import {
  accessTokenTtl,
  type OidcProviderSettings,
  type RunningOidcProvider,
  startOidcProvider,
} from '../support/oidc-provider.ts'
import { appAt, callbackUrl, logIn, outliveAccessTokens } from './oidc-provider-app.ts'

let server: RunningOidcProvider | undefined
afterEach(async () => {
  vi.useRealTimers()
  await server?.close()
  server = undefined
})

async function startedWith(settings: OidcProviderSettings): Promise<RunningOidcProvider> {
  return (server = await startOidcProvider(callbackUrl, settings))
}

function claimsOf(jwt: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(jwt).split('.')[1]!, 'base64url').toString()) as never
}

describe('private_key_jwt', () => {
  const keys = {
    RSA: generateKeyPairSync('rsa', { modulusLength: 2048 }),
    EC: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  }
  const forms = {
    'a JWK': async (key: (typeof keys)['RSA']) => key.privateKey.export({ format: 'jwk' }),
    PEM: async (key: (typeof keys)['RSA']) =>
      key.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    'a CryptoKey': async (key: (typeof keys)['RSA']) =>
      crypto.subtle.importKey(
        'pkcs8',
        key.privateKey.export({ type: 'pkcs8', format: 'der' }),
        key === keys.RSA
          ? { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
          : { name: 'ECDSA', namedCurve: 'P-256' },
        false,
        ['sign'],
      ),
  }
  const targets = Object.entries(keys).flatMap(([kind, key]) =>
    Object.entries(forms).map(([form, make]) => ({ kind, form, key, make })),
  )

  test.each(targets)('OC-29 an $kind key as $form proves the app', async ({ kind, key, make }) => {
    const at = await startedWith({
      client: {
        client_secret: undefined,
        token_endpoint_auth_method: 'private_key_jwt',
        token_endpoint_auth_signing_alg: kind === 'RSA' ? 'RS256' : 'ES256',
        jwks: { keys: [{ ...key.publicKey.export({ format: 'jwk' }), kid: 'one' }] },
      },
    })
    const { browser } = appAt(at, { clientSecret: undefined, clientKey: await make(key) })
    const ada = browser()
    await logIn(ada)
    outliveAccessTokens()
    await ada.get('/me').expect(200)
    expect(at.tokenRequests).toEqual(['authorization_code', 'refresh_token'])
    const asserted = at.requests.filter(({ path }) => path === '/token')
    const claims = asserted.map(({ parameters }) => claimsOf(parameters['client_assertion']))
    expect(claims.map(({ aud, iss, sub }) => [aud, iss, sub])).toEqual(
      Array.from({ length: 2 }, () => [at.issuer, at.clientId, at.clientId]),
    )
    expect(claims[0]!['jti']).not.toBe(claims[1]!['jti'])
    for (const { authorization, parameters } of asserted) {
      expect(authorization).toBeUndefined()
      expect(parameters['client_secret']).toBeUndefined()
    }
  })

  test('a key that is none is refused, and is not quoted', async () => {
    const at = await startedWith({})
    const clientKey = '-----BEGIN PRIVATE KEY-----\nhush-hush\n-----END PRIVATE KEY-----'
    const { browser, errors } = appAt(at, { clientSecret: undefined, clientKey })
    const reply = await browser().get('/auth/spotify/login').set(navigation)
    expect(reply.status).toBe(500)
    expect(String(errors[0])).toMatch(/clientKey cannot be used/)
    expect(JSON.stringify(errors) + String(errors[0])).not.toContain('hush')
    expect(() => appAt(at, { clientAuthentication: 'private_key_jwt' })).toThrow(/clientKey/)
  })
})

describe('pushed authorization requests', () => {
  test('OC-08 are made where the metadata requires them, each used once', async () => {
    const at = await startedWith({
      features: {
        pushedAuthorizationRequests: { enabled: true, requirePushedAuthorizationRequests: true },
      },
    })
    const { browser } = appAt(at)
    const uris = new Set()
    for (const _login of [1, 2]) {
      const ada = browser()
      const { searchParams } = (await logIn(ada)).authorization
      expect([...searchParams.keys()].toSorted()).toEqual(['client_id', 'request_uri'])
      uris.add(searchParams.get('request_uri'))
      await ada.get('/me').expect(200)
    }
    expect(uris.size).toBe(2)
    const pushed = at.requests.filter(({ path }) => path === '/request')
    expect(pushed).toHaveLength(2)
    for (const { authorization, parameters } of pushed) {
      expect(authorization).toMatch(/^Basic /)
      expect(parameters).toMatchObject({ code_challenge_method: 'S256', response_type: 'code' })
    }
  })

  test('OC-08 are made where the app wants them, and not otherwise', async () => {
    const at = await startedWith({})
    const pushedAuthorizationRequests = true
    const pushed = await logIn(appAt(at, { pushedAuthorizationRequests }).browser())
    expect(pushed.authorization.searchParams.has('state')).toBe(false)
    const usual = await logIn(appAt(at).browser())
    expect(usual.authorization.searchParams.has('state')).toBe(true)
  })

  test('a server that refuses one says so before the browser goes anywhere', async () => {
    const at = await startedWith({})
    const options = { pushedAuthorizationRequests: true, clientSecret: 'another-secret' }
    const reply = await appAt(at, options).browser().get('/auth/spotify/login').set(navigation)
    expect(reply.status).toBe(502)
    expect(reply.body.code).toBe('client_misconfigured')
  })
})

describe('DPoP', () => {
  const bound = { client: { dpop_bound_access_tokens: true } }
  const withNonce = {
    ...bound,
    features: {
      dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true },
    },
  }

  test.each([
    ['without a nonce', bound],
    ['with a nonce that the server wants', withNonce],
  ])('OC-33 tokens are bound to a key of their grant, %s', async (_how, settings) => {
    const at = await startedWith(settings)
    const { browser } = appAt(at, { dpop: true })
    const ada = browser()
    await logIn(ada)
    expect((await ada.get('/me').expect(200)).body.sub).toBe('ada')
    outliveAccessTokens()
    expect((await ada.get('/me').expect(200)).body.sub).toBe('ada')
    expect(at.tokenRequests).toEqual(['authorization_code', 'refresh_token'])
    const calls = at.requests.filter(({ path }) => path === '/me')
    for (const { authorization } of calls) expect(authorization).toMatch(/^DPoP /)
    const proofs = at.requests.flatMap(({ dpop }) => (dpop === undefined ? [] : [claimsOf(dpop)]))
    expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(proofs.length)
    expect(proofs.at(-1)).toMatchObject({ htm: 'GET', htu: `${at.issuer}/me` })
    expect(proofs.at(-1)!['ath']).toMatch(/^[\w-]{43}$/)
  })

  test('OC-33 a nonce is asked for once, and used until there is another', async () => {
    const at = await startedWith(withNonce)
    const { browser } = appAt(at, { dpop: true })
    const ada = browser()
    await logIn(ada)
    const refused = () => at.requests.filter(({ status }) => status >= 400).length
    await ada.get('/me').expect(200)
    const before = refused()
    for (const _call of [1, 2, 3]) await ada.get('/me').expect(200)
    expect(refused()).toBe(before)
    outliveAccessTokens()
    await ada.get('/me').expect(200)
    expect(at.tokenRequests).toEqual(['authorization_code', 'refresh_token'])
  })

  test('OC-33 CVE-2026-40155 two users have two keys, and many calls at once share none of their proofs', async () => {
    const at = await startedWith(withNonce)
    const { browser } = appAt(at, { dpop: true })
    const [ada, eve] = [browser(), browser()]
    await logIn(ada)
    await logIn(eve)
    const cookies = [ada, eve].map((one) => cookiesOf(one).join('; '))
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        browser()
          .get('/me')
          .set('cookie', cookies[index % 2]!),
      ),
    )
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200))
    const used = at.requests.filter(({ path, status }) => path === '/me' && status === 200)
    const keyOf = (proof = '') =>
      (JSON.parse(Buffer.from(proof.split('.')[0]!, 'base64url').toString()) as never)['jwk']['x']
    const keys = new Map<string, Set<unknown>>()
    for (const { dpop, authorization = '' } of used) {
      keys.set(authorization, (keys.get(authorization) ?? new Set()).add(keyOf(dpop)))
    }
    expect([...keys.values()].map((of) => of.size)).toEqual([1, 1])
    expect(new Set([...keys.values()].flatMap((of) => [...of])).size).toBe(2)
    expect(new Set(used.map(({ dpop }) => claimsOf(dpop)['jti'])).size).toBe(used.length)
  })

  test('OC-33 a call that is made again, because its connection broke, has another proof', async () => {
    const api = new HostileApi()
    await api.start()
    try {
      const at = await startedWith(bound)
      const apiOrigins = [api.origin, at.issuer]
      const { browser } = appAt(at, { dpop: true, apiBaseUrl: api.origin, apiOrigins })
      const ada = browser()
      await logIn(ada)
      api.answer = (socket) => {
        if (api.seen.length === 1) socket.resetAndDestroy()
        else socket.write(raw('200 OK', {}))
      }
      await ada.get('/me').expect(200)
      const proofs = api.seen.map(({ dpop }) => claimsOf(dpop))
      expect(new Set(proofs.map(({ jti }) => jti)).size).toBe(2)
    } finally {
      await api.close()
    }
  })

  test('a bearer token in the place of a bound one is refused', async () => {
    const at = await startedWith({})
    const asBearer: typeof fetch = async (input, init) => {
      const reply = await fetch(input, init)
      if (!String(input).endsWith('/token')) return reply
      return Response.json({ ...((await reply.json()) as object), token_type: 'Bearer' })
    }
    const ada = appAt(at, { dpop: true, fetch: asBearer }).browser()
    await expect(logIn(ada)).rejects.toThrow(/502/)
  })

  test('grants from before DPoP was switched on go on', async () => {
    const at = await startedWith({})
    const plain = appAt(at)
    const ada = plain.browser()
    await logIn(ada)
    const later = appAt(at, { dpop: true }, { options: { store: plain.store } })
    outliveAccessTokens()
    const cookie = cookiesOf(ada).join('; ')
    await later.browser().get('/me').set('cookie', cookie).expect(200)
  })
})

describe('resource indicators', () => {
  const [api, other] = ['https://api.example.test/', 'https://other.example.test/']
  const settings = {
    features: {
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => false,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: 'read write',
          audience: resource,
          accessTokenTTL: accessTokenTtl,
          accessTokenFormat: 'opaque',
        }),
      },
    },
  }

  test('OC-36 stand in authorization, token and refresh requests; each resource has its token', async () => {
    const at = await startedWith(settings)
    const { browser, auth } = appAt(at, {
      resource: [api, other],
      scope: ['openid', 'offline_access', 'read'],
    })
    const ada = browser()
    const { authorization } = await logIn(ada)
    expect(authorization.searchParams.getAll('resource')).toEqual([api, other])
    const { tokens } = await auth.forSubject('spotify', 'ada')
    outliveAccessTokens()
    const main = await tokens.spotify.getAccessToken()
    const further = await tokens.spotify.getAccessToken({ resource: other })
    expect(further).not.toBe(main)
    expect(await tokens.spotify.getAccessToken({ resource: other })).toBe(further)
    const asked = at.requests.filter(({ path }) => path === '/token')
    expect(asked.map(({ parameters }) => parameters['resource'])).toEqual([api, api, other])
    const said = await Promise.all([main, further].map((token) => at.introspected(token)))
    expect(said.map(({ aud }) => aud)).toEqual([api, other])
  })

  test('OC-36 what is no absolute URI is refused at construction', async () => {
    const at = await startedWith(settings)
    for (const resource of ['api', '/api', 'https://api.example.test/#part']) {
      expect(() => appAt(at, { resource })).toThrow(/absolute URI/)
    }
  })
})

test('LO-04 a logout revokes a token that is bound to a key', async () => {
  const at = await startedWith({ client: { dpop_bound_access_tokens: true } })
  const { browser, auth } = appAt(at, { dpop: true })
  const ada = browser()
  await logIn(ada)
  const { refreshToken = '' } = at.issued.at(-1)!
  expect(await at.isActive(refreshToken)).toBe(true)
  await ada.post('/auth/logout').set(ownForm).expect(303)
  await auth.close()
  expect(await at.isActive(refreshToken)).toBe(false)
})
