import type { Provider, ProviderContext } from 'oidc-provider'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningOidcProvider, startOidcProvider } from '../support/oidc-provider.ts'
import { appAt, callbackUrl, logIn } from './oidc-provider-app.ts'

const exchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/**
 * oidc-provider brings no token exchange (RFC 8693), but a place for it. The decision is made here;
 * the endpoint, the client's proof, the tokens, what they are good for and the errors are the server's.
 */
function offerExchange(provider: Provider): void {
  const refuse = (context: ProviderContext, error: string) => {
    context.status = 400
    context.body = { error }
  }
  const handler = async (context: ProviderContext) => {
    const { params = {}, client } = context.oidc!
    if (params['subject_token_type'] !== accessTokenType) return refuse(context, 'invalid_request')
    const subject = await provider.AccessToken.find(String(params['subject_token']))
    if (!subject?.isValid) return refuse(context, 'invalid_grant')
    if (params['audience'] !== 'billing') return refuse(context, 'invalid_target')
    const { accountId, grantId } = subject
    const scope = String(params['scope'] ?? subject.scope)
    const audience = 'billing'
    const token = new provider.AccessToken({
      accountId,
      grantId,
      client,
      scope,
      aud: audience,
      gty: exchange,
    })
    context.body = {
      access_token: await token.save(),
      issued_token_type: accessTokenType,
      token_type: token.tokenType,
      expires_in: token.expiration,
      scope,
    }
    return undefined
  }
  const parameters = ['subject_token', 'subject_token_type', 'audience', 'scope', 'resource']
  provider.registerGrantType(exchange, handler, [...parameters, 'requested_token_type'])
}

let server: RunningOidcProvider
beforeAll(async () => {
  server = await startOidcProvider(callbackUrl, {
    client: {
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials', exchange],
      scope: 'openid profile email offline_access read write',
    },
    features: { clientCredentials: { enabled: true } },
    configuration: { scopes: ['openid', 'offline_access', 'read', 'write'] },
    prepare: offerExchange,
  })
})
afterAll(() => server.close())

async function tokensOfAda() {
  const { browser, auth } = appAt(server)
  await logIn(browser())
  return (await auth.forSubject('spotify', 'ada')).tokens.spotify
}

describe('token exchange at oidc-provider', () => {
  test('a user’s token becomes one for another service, of the same user; theirs stays good', async () => {
    const tokens = await tokensOfAda()
    const given = await tokens.exchange({ audience: 'billing', scope: 'openid' })
    expect(given).toMatchObject({ scope: ['openid'], issuedTokenType: accessTokenType })
    expect(given.expiresAt).toBeGreaterThan(Date.now())
    const own = await tokens.getAccessToken()
    expect(given.accessToken).not.toBe(own)
    expect(await server.introspected(given.accessToken)).toMatchObject({
      active: true,
      sub: 'ada',
      aud: 'billing',
      scope: 'openid',
    })
    expect(await server.introspected(own)).toMatchObject({ active: true, sub: 'ada' })
    const asked = server.requests.findLast(({ path }) => path === '/token')!
    expect(asked.parameters).toMatchObject({ grant_type: exchange, subject_token: own })
    expect(asked.authorization).toMatch(/^Basic /)
  })

  test('what the server does not exchange is told, and ends no grant', async () => {
    const tokens = await tokensOfAda()
    await expect(tokens.exchange({ audience: 'nobody' })).rejects.toMatchObject({
      code: 'client_misconfigured',
      error: 'invalid_target',
    })
    expect(await tokens.grant()).toBeDefined()
    await tokens.exchange({ audience: 'billing' })
  })

  test('a client that may not exchange, or proves itself wrongly, is told so', async () => {
    const tokens = await tokensOfAda()
    const own = await tokens.getAccessToken()
    const stranger = appAt(server, { clientSecret: 'another-secret-than-the-one-there' })
    await stranger.auth.grants.import('spotify', {
      user: 'ada',
      subject: 'ada',
      tokenSet: { accessToken: own },
    })
    const theirs = (await stranger.auth.forUser('ada')).tokens.spotify
    await expect(theirs.exchange({ audience: 'billing' })).rejects.toMatchObject({
      code: 'client_misconfigured',
      error: 'invalid_client',
    })
  })
})

describe('client credentials at oidc-provider', () => {
  test.each(['client_secret_basic', 'client_secret_post'] as const)(
    'OC-29 the app has a token of its own, by %s, asked for once',
    async (method) => {
      const at = await startOidcProvider(callbackUrl, {
        client: {
          grant_types: ['authorization_code', 'client_credentials'],
          token_endpoint_auth_method: method,
          scope: 'openid read write',
        },
        features: { clientCredentials: { enabled: true } },
        configuration: { scopes: ['openid', 'read', 'write'] },
      })
      try {
        const { clientSecret } = at
        const { auth } = appAt(at, { clientAuthentication: method, scope: ['read'] })
        const { tokens } = await auth.forApp('spotify')
        const many = await Promise.all(
          Array.from({ length: 10 }, () => tokens.spotify.getAccessToken()),
        )
        expect(new Set(many).size).toBe(1)
        expect(at.tokenRequests).toEqual(['client_credentials'])
        expect(await at.isActive(many[0]!)).toBe(true)
        const asked = at.requests.find(({ path }) => path === '/token')!
        expect(asked.authorization !== undefined).toBe(method === 'client_secret_basic')
        expect(asked.parameters['client_secret'] === clientSecret).toBe(
          method === 'client_secret_post',
        )
        await expect(
          appAt(at, { clientAuthentication: method, clientSecret: 'w'.repeat(32) })
            .auth.forApp('spotify')
            .then((app) => app.tokens.spotify.getAccessToken()),
        ).rejects.toMatchObject({ code: 'client_misconfigured', error: 'invalid_client' })
      } finally {
        await at.close()
      }
    },
  )
})
