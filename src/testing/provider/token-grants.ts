import { randomBytes } from 'node:crypto'
import { ProtocolError } from './protocol-error.ts'
import { mannersOf } from './provider-manners.ts'
import type { ProviderSwitches } from './provider-switches.ts'

/** One user's authorization of one client: the family of all its tokens. */
export interface Grant {
  /** `undefined` for what the client was granted for itself (RFC 6749 section 4.4). */
  readonly userId: string | undefined
  readonly clientId: string
  readonly scope: readonly string[]
  readonly authorizedAt: number
  readonly nonce: string | undefined
  revoked: boolean
}

/** Tokens as the token endpoint is about to give them. */
export interface GrantTokens {
  readonly grant: Grant
  readonly accessToken: string
  readonly scope: readonly string[]
  readonly expiresAt: number
  readonly refreshToken: string | undefined
}

/** Whose access token it is. */
export interface Account {
  readonly userId: string | undefined
  readonly clientId: string
  readonly scope: readonly string[]
  readonly resource: string | undefined
  readonly expiresAt: number
}

interface AccessToken {
  readonly grant: Grant
  readonly resource: string | undefined
  readonly scope: readonly string[]
  expiresAt: number
}

interface RefreshToken {
  readonly grant: Grant
  usedAt: number | undefined
  successor: GrantTokens | undefined
}

/** What a token request asks for in particular (RFC 6749 section 6, RFC 8707). */
export interface Requested {
  readonly scope: readonly string[] | undefined
  readonly resource: string | undefined
}

/** Every grant of the test provider, with the access and refresh tokens issued under it. */
export class TokenGrants {
  readonly #switches: ProviderSwitches
  readonly #accessTokenTtl: number
  readonly #grants = new Set<Grant>()
  readonly #accessTokens = new Map<string, AccessToken>()
  readonly #refreshTokens = new Map<string, RefreshToken>()

  constructor(switches: ProviderSwitches, accessTokenTtl: number) {
    this.#switches = switches
    this.#accessTokenTtl = accessTokenTtl
  }

  authorize(
    userId: string | undefined,
    clientId: string,
    scope: readonly string[],
    nonce?: string,
  ): Grant {
    const granted = this.#switches.grantedScope ?? scope
    const authorizedAt = Date.now()
    const grant = { userId, clientId, scope: granted, authorizedAt, nonce, revoked: false }
    this.#grants.add(grant)
    return grant
  }

  /** Whether the user has granted the client something that is good still. */
  has(userId: string, clientId: string): boolean {
    const isOf = (grant: Grant) => grant.userId === userId && grant.clientId === clientId
    return [...this.#grants].some((grant) => isOf(grant) && !grant.revoked)
  }

  /** The first tokens of a grant. */
  issue(grant: Grant, withRefreshToken: boolean, resource?: string): GrantTokens {
    return this.#issue(grant, grant.scope, withRefreshToken, resource)
  }

  /** Whether the refresh token has been used up. */
  isUsed(refreshToken: string): boolean {
    return this.#refreshTokens.get(refreshToken)?.usedAt !== undefined
  }

  /** Refreshes with rotation, reuse detection and grace window (RFC 9700 section 4.14.2). */
  refresh(
    presented: string,
    clientId: string,
    { scope: requestedScope, resource }: Requested,
    onFamilyRevoked: () => void,
  ): GrantTokens {
    const token = this.#refreshTokens.get(presented)
    if (!token || token.grant.clientId !== clientId) throw refused('The refresh token is unknown')
    const { grant } = token
    if (grant.revoked) throw refused('The grant has been revoked')
    if (token.usedAt !== undefined) return this.#reuse(token, token.usedAt, onFamilyRevoked)

    const scope = requestedScope ?? grant.scope
    if (!scope.every((name) => grant.scope.includes(name))) {
      throw new ProtocolError('invalid_scope', 'The scope exceeds what was granted')
    }
    const { rotates = this.#switches.rotate, keepsReplaced } = mannersOf(this.#switches.like)
    const tokens = this.#issue(grant, scope, rotates, resource)
    if (rotates && !keepsReplaced) {
      token.usedAt = Date.now()
      token.successor = tokens
    }
    return tokens
  }

  /** Whose token it is, while it is good. */
  account(accessToken: string): Account | undefined {
    const token = this.#accessTokens.get(accessToken)
    if (!token || token.grant.revoked || Date.now() >= token.expiresAt) return undefined
    const { userId, clientId } = token.grant
    const { scope, resource, expiresAt } = token
    return { userId, clientId, scope, resource, expiresAt }
  }

  /** A refresh token takes its whole grant with it; an access token goes alone (RFC 7009). */
  revoke(presented: string, clientId: string): void {
    const grant = this.#refreshTokens.get(presented)?.grant
    if (grant?.clientId === clientId) grant.revoked = true
    const token = this.#accessTokens.get(presented)
    if (token?.grant.clientId === clientId) token.expiresAt = 0
  }

  revokeGrants(userId: string | undefined): void {
    for (const grant of this.#grants) {
      if (userId === undefined || grant.userId === userId) grant.revoked = true
    }
  }

  expireAccessTokens(): void {
    for (const token of this.#accessTokens.values()) token.expiresAt = 0
  }

  #reuse(token: RefreshToken, usedAt: number, onFamilyRevoked: () => void): GrantTokens {
    const { familyRevocation, graceWindow } = this.#switches
    if (token.successor && Date.now() < usedAt + graceWindow * 1000) return token.successor
    if (familyRevocation) {
      token.grant.revoked = true
      onFamilyRevoked()
    }
    throw refused('The refresh token has been used')
  }

  #issue(
    grant: Grant,
    scope: readonly string[],
    withRefreshToken: boolean,
    resource: string | undefined,
  ): GrantTokens {
    const { expiresIn } = this.#switches
    const lifetime = typeof expiresIn === 'number' ? expiresIn : this.#accessTokenTtl
    const expiresAt = Date.now() + lifetime * 1000
    const accessToken = newToken('access')
    this.#accessTokens.set(accessToken, { grant, scope, resource, expiresAt })
    const refreshToken = withRefreshToken ? newToken('refresh') : undefined
    if (refreshToken !== undefined) {
      this.#refreshTokens.set(refreshToken, { grant, usedAt: undefined, successor: undefined })
    }
    return { grant, accessToken, scope, expiresAt, refreshToken }
  }
}

function newToken(kind: 'access' | 'refresh'): string {
  return `${kind}-${randomBytes(24).toString('base64url')}`
}

function refused(description: string): ProtocolError {
  return new ProtocolError('invalid_grant', description)
}
