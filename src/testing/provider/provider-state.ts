import type { AuthorizationCodes } from './authorization-codes.ts'
import type { IdTokenSigner } from './id-token.ts'
import type { ProviderSwitches } from './provider-switches.ts'
import type { TestClient } from './test-clients.ts'
import type { CompleteTestUser } from './test-users.ts'
import type { TokenGrants } from './token-grants.ts'

/** What the test provider has been asked so far. */
export interface ProviderSeen {
  /** Authorization requests that were in order. */
  authorizations: number
  /** Token requests with a code, the failed ones included. */
  codeRequests: number
  /** Token requests with a refresh token, the failed ones included. */
  refreshRequests: number
  /** Those among them whose refresh token had been used up already. */
  presentedTwice: number
  /** Token requests with the client's own credentials (RFC 6749 section 4.4). */
  clientRequests: number
  revocations: number
  introspections: number
  /** Grants revoked because a used refresh token came back. */
  familiesRevoked: number
  /** Requests that followed a redirect of the switches. */
  redirectsFollowed: number
}

/** Everything the endpoints of one test provider share. */
export interface ProviderState {
  readonly issuer: string
  readonly users: ReadonlyMap<string, CompleteTestUser>
  readonly clients: ReadonlyMap<string, TestClient>
  readonly requirePkce: boolean
  readonly switches: ProviderSwitches
  readonly seen: ProviderSeen
  readonly codes: AuthorizationCodes
  readonly grants: TokenGrants
  readonly signer: IdTokenSigner
}

export function nothingSeen(): ProviderSeen {
  return {
    authorizations: 0,
    codeRequests: 0,
    clientRequests: 0,
    refreshRequests: 0,
    presentedTwice: 0,
    revocations: 0,
    introspections: 0,
    familiesRevoked: 0,
    redirectsFollowed: 0,
  }
}
