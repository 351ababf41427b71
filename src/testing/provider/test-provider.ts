import { AuthorizationCodes } from './authorization-codes.ts'
import { IdTokenSigner } from './id-token.ts'
import { listen } from '../server/listen.ts'
import type { ListenOptions } from '../server/listen.ts'
import { providerEndpoints } from './provider-endpoints.ts'
import { nothingSeen } from './provider-state.ts'
import type { ProviderSeen, ProviderState } from './provider-state.ts'
import { workingProvider } from './provider-switches.ts'
import type { ProviderSwitches } from './provider-switches.ts'
import type { TestClient } from './test-clients.ts'
import { completeTestUser, defaultTestUsers } from './test-users.ts'
import type { CompleteTestUser, TestUser } from './test-users.ts'
import { tokenResponse } from './token-endpoint.ts'
import { TokenGrants } from './token-grants.ts'

/** Options of {@link createTestProvider}. */
export interface TestProviderOptions extends ListenOptions {
  /** Who can log in. Default a handful of made-up people: `ada`, `grace`, `linus`, `mei`, `tomas`. */
  users?: readonly TestUser[] | undefined
  /** Default `test-client`. */
  clientId?: string | undefined
  /** Default a fixed one. */
  clientSecret?: string | undefined
  /** Makes the client a public one, without a secret. Default `false`. */
  publicClient?: boolean | undefined
  /** What the login page calls the app. Default the client id. */
  clientName?: string | undefined
  /** The redirect URIs that are accepted, compared exactly. Default any on loopback or https. */
  redirectUris?: readonly string[] | undefined
  /** Lifetime of access tokens in seconds. Default 3600. */
  accessTokenTtl?: number | undefined
  /** Refuses authorization requests without PKCE. Default `true`. */
  requirePkce?: boolean | undefined
}

/** What points a provider preset at the test provider. */
export interface ProviderOverrides {
  readonly issuer: string
  readonly authorizationEndpoint: string
  readonly tokenEndpoint: string
  readonly revocationEndpoint: string
  readonly clientId: string
  /** `undefined` for a public client. */
  readonly clientSecret: string | undefined
}

/** Tokens made without a browser. */
export interface IssuedTokens {
  readonly accessToken: string
  readonly refreshToken: string
  /** Instant, epoch ms. */
  readonly expiresAt: number
  readonly scope: readonly string[]
  /** The user's id. */
  readonly subject: string
  /** Only with the scope `openid`. */
  readonly idToken: string | undefined
}

/** What an access token of the test provider stands for. */
export interface TokenAccount {
  readonly userId: string | undefined
  readonly scope: readonly string[]
  readonly resource: string | undefined
}

/** An OAuth 2 and OpenID Connect authorization server for tests and demos, run by this process. */
export interface TestProvider {
  /** Its origin, such as `http://127.0.0.1:40123`. */
  readonly issuer: string
  /** Spread into a preset: `spotify({ ...provider.overrides, apiBaseUrl: api.baseUrl })`. */
  readonly overrides: ProviderOverrides
  /** What goes wrong; set its properties at any time. */
  readonly switches: ProviderSwitches
  /** Counts of what was asked. */
  readonly seen: ProviderSeen
  readonly users: readonly CompleteTestUser[]
  /** By client id; more can be added. */
  readonly clients: Map<string, TestClient>
  /** Sets the counts to zero and the switches to their defaults; grants stay. */
  reset(): void
  /** Makes every access token expired; refresh tokens stay good. */
  expireAccessTokens(): void
  /** Ends the grants of one user, or all of them: no token of theirs is good any more. */
  revokeGrants(userId?: string): void
  /**
   * Whose access token it is, and for which resource (RFC 8707); `undefined` when it is unknown,
   * expired or revoked. The app's own, by client credentials, is no user's.
   */
  accountOf(accessToken: string): TokenAccount | undefined
  /** Makes a grant and its first tokens without a browser. `clientId` defaults to the own client. */
  issueTokens(grant: {
    user: string
    scope?: readonly string[] | undefined
    clientId?: string | undefined
  }): IssuedTokens
  /** Stops it, connections that hang included. */
  close(): Promise<void>
}

/**
 * Starts an authorization server on this machine: authorization code with PKCE, refresh with
 * rotation and reuse detection, revocation, introspection, user info and ID tokens, each of which
 * can be made to fail with `switches`.
 */
export async function createTestProvider(options: TestProviderOptions = {}): Promise<TestProvider> {
  const { clientId = 'test-client', accessTokenTtl = 3600, requirePkce = true } = options
  const secret = options.clientSecret ?? 'test-secret-that-is-not-secret'
  const clientSecret = options.publicClient ? undefined : secret
  const { clientName: name, redirectUris, users = defaultTestUsers } = options
  const server = await listen(options)
  const issuer = server.origin
  const switches = workingProvider()
  const clients = new Map([[clientId, { clientId, clientSecret, name, redirectUris }]])
  const state: ProviderState = {
    issuer,
    users: new Map(users.map((user) => [user.id, completeTestUser(user, issuer)])),
    clients,
    requirePkce,
    switches,
    seen: nothingSeen(),
    codes: new AuthorizationCodes(),
    grants: new TokenGrants(switches, accessTokenTtl),
    signer: new IdTokenSigner(),
  }
  server.serve(providerEndpoints(state))
  return {
    ...controls(state, clientId),
    issuer,
    overrides: overridesOf(issuer, clientId, clientSecret),
    clients,
    close: () => server.close(),
  }
}

type Controls = Omit<TestProvider, 'issuer' | 'overrides' | 'clients' | 'close'>

function controls(state: ProviderState, ownClientId: string): Controls {
  const { switches, seen, users, grants } = state
  return {
    switches,
    seen,
    users: [...users.values()],
    reset: () => {
      Object.assign(switches, workingProvider())
      Object.assign(seen, nothingSeen())
    },
    expireAccessTokens: () => grants.expireAccessTokens(),
    revokeGrants: (userId) => grants.revokeGrants(userId),
    accountOf: (accessToken) => {
      const account = grants.account(accessToken)
      if (!account) return undefined
      const { userId, scope, resource } = account
      return { userId, scope, resource }
    },
    issueTokens: ({ user, scope = [], clientId = ownClientId }) => {
      if (!users.has(user)) throw new Error(`The test provider has no user "${user}".`)
      const tokens = grants.issue(grants.authorize(user, clientId, scope), true)
      return issuedTokens(state, tokens)
    },
  }
}

function issuedTokens(
  state: ProviderState,
  tokens: ReturnType<TokenGrants['issue']>,
): IssuedTokens {
  const { accessToken, refreshToken = '', expiresAt, scope, grant } = tokens
  const idToken = tokenResponse(state, tokens)['id_token'] as string | undefined
  return { accessToken, refreshToken, expiresAt, scope, subject: grant.userId!, idToken }
}

function overridesOf(
  issuer: string,
  clientId: string,
  clientSecret: string | undefined,
): ProviderOverrides {
  return {
    issuer,
    authorizationEndpoint: `${issuer}/authorize`,
    tokenEndpoint: `${issuer}/token`,
    revocationEndpoint: `${issuer}/revoke`,
    clientId,
    clientSecret,
  }
}
