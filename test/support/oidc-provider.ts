import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Provider } from 'oidc-provider'

/** An authorization server that is not ours: oidc-provider, certified by the OpenID Foundation. */
export interface RunningOidcProvider {
  issuer: string
  clientId: string
  clientSecret: string
  /** The `grant_type` of each token request, in the order in which they were answered. */
  tokenRequests: string[]
  /** The tokens it has issued, in order. */
  issued: IssuedPair[]
  /** Every request with a body, in order: what was asked and how it was answered. */
  requests: SeenRequest[]
  /** What its introspection endpoint says of a token (RFC 7662). */
  introspected(token: string): Promise<Record<string, unknown>>
  /** Is this token good? */
  isActive(token: string): Promise<boolean>
  /** Presents a refresh token as a thief would; gives the status. */
  presentRefreshToken(token: string): Promise<number>
  close(): Promise<void>
}

/** A request that the server was sent. */
export interface SeenRequest {
  path: string
  parameters: Record<string, unknown>
  dpop: string | undefined
  authorization: string | undefined
  status: number
}

/** What a test has otherwise than usual. */
export interface OidcProviderSettings {
  client?: object
  features?: object
  configuration?: object
  /** Adds what configuration cannot, such as a grant of another kind. */
  prepare?: (provider: Provider) => void
}

/** What one token response brought. */
export interface IssuedPair {
  accessToken: string
  refreshToken: string | undefined
}

/** Seconds that its access tokens live. */
export const accessTokenTtl = 600

const clientId = 'behalf'
const clientSecret = 'a-secret-of-the-tests-for-oidc-provider'

/**
 * Starts oidc-provider with pages of its own (anybody may log in with any password), PKCE required,
 * refresh token rotation, revocation and introspection. `redirectUri` is the app's.
 */
export async function startOidcProvider(
  redirectUri: string,
  settings: OidcProviderSettings = {},
): Promise<RunningOidcProvider> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const tokenRequests: string[] = []
  const issued: IssuedPair[] = []
  const provider = await quietly(async () => {
    const { Provider } = await import('oidc-provider')
    return new Provider(issuer, configurationFor(redirectUri, settings))
  })
  settings.prepare?.(provider)
  const requests: SeenRequest[] = []
  provider.use(async (context, next) => {
    await next()
    const { dpop, authorization } = context.headers
    const parameters = context.oidc?.params ?? {}
    requests.push({ path: context.path, parameters, dpop, authorization, status: context.status })
    if (context.path !== '/token' || context.status !== 200) return
    tokenRequests.push(String(context.oidc?.params?.['grant_type']))
    const { access_token: accessToken, refresh_token: refreshToken } = context.body as {
      access_token?: string
      refresh_token?: string
    }
    if (accessToken) issued.push({ accessToken, refreshToken })
  })
  const answer = provider.callback()
  server.on('request', answer)
  const introspected = async (token: string) => {
    const reply = await post(`${issuer}/token/introspection`, { token })
    return (await reply.json()) as Record<string, unknown>
  }
  return {
    issuer,
    clientId,
    clientSecret,
    tokenRequests,
    issued,
    requests,
    introspected,
    isActive: async (token) => (await introspected(token))['active'] === true,
    presentRefreshToken: async (token) => {
      const form = { grant_type: 'refresh_token', refresh_token: token }
      return (await post(`${issuer}/token`, form)).status
    },
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function configurationFor(
  redirectUri: string,
  { client, features, configuration }: OidcProviderSettings,
): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [redirectUri],
        // Its web clients must not have a redirect URI on plain http.
        application_type: 'native',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
        ...client,
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig' }] },
    cookies: { keys: ['a key of the tests'] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: accessTokenTtl,
      AuthorizationCode: 60,
      ClientCredentials: accessTokenTtl,
      Grant: 86_400,
      IdToken: 3_600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
    claims: { openid: ['sub'], profile: ['name'], email: ['email'] },
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: () => ({ sub: id, name: `The user ${id}`, email: `${id}@example.test` }),
    }),
    features: {
      devInteractions: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      ...features,
    },
    ...configuration,
  }
}

/** It warns of what is right for tests: this version of Node, memory, and its pages for development. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { warn, info } = console
  Object.assign(console, { warn: () => {}, info: () => {} })
  try {
    return await work()
  } finally {
    Object.assign(console, { warn, info })
  }
}

function post(url: string, form: Record<string, string>): Promise<Response> {
  const authorization = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`
  return fetch(url, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams(form),
  })
}
