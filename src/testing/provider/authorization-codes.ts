import { createHash, randomBytes } from 'node:crypto'
import { ProtocolError } from './protocol-error.ts'
import type { Grant } from './token-grants.ts'

/** What an authorization code stands for (RFC 6749 section 4.1.2). */
export interface CodeContents {
  readonly userId: string
  readonly clientId: string
  readonly redirectUri: string
  readonly scope: readonly string[]
  /** PKCE, `S256` (RFC 7636); `undefined` when the request had none. */
  readonly codeChallenge: string | undefined
  readonly nonce: string | undefined
  /** Google's `access_type`. */
  readonly accessType: string | undefined
  readonly prompt: readonly string[]
}

/** What a client must show to redeem a code. */
export interface CodeProof {
  readonly clientId: string
  readonly redirectUri: string | undefined
  readonly codeVerifier: string | undefined
}

interface IssuedCode {
  readonly contents: CodeContents
  readonly expiresAt: number
  used: boolean
  grant: Grant | undefined
}

const lifetime = 60

/** Authorization codes: good for one use within 60 s. */
export class AuthorizationCodes {
  readonly #codes = new Map<string, IssuedCode>()

  issue(contents: CodeContents): string {
    const code = `code-${randomBytes(24).toString('base64url')}`
    const expiresAt = Date.now() + lifetime * 1000
    this.#codes.set(code, { contents, expiresAt, used: false, grant: undefined })
    return code
  }

  /**
   * Uses the code up and makes its grant. A used code, presented again, revokes the grant it gave
   * (RFC 6749 section 4.1.2).
   */
  redeem(code: string, proof: CodeProof, makeGrant: (contents: CodeContents) => Grant): Grant {
    const issued = this.#codes.get(code)
    if (!issued) throw invalidGrant('The code is unknown')
    if (issued.contents.clientId !== proof.clientId) {
      throw invalidGrant('The code was issued to another client')
    }
    if (issued.used) {
      if (issued.grant) issued.grant.revoked = true
      throw invalidGrant('The code has been used')
    }
    issued.used = true
    if (Date.now() >= issued.expiresAt) throw invalidGrant('The code has expired')
    checkProof(issued.contents, proof)
    issued.grant = makeGrant(issued.contents)
    return issued.grant
  }
}

function checkProof({ redirectUri, codeChallenge }: CodeContents, proof: CodeProof): void {
  if (proof.redirectUri !== redirectUri) {
    throw invalidGrant('redirect_uri is not the one of the authorization request')
  }
  // A verifier without a challenge is a PKCE downgrade attack (RFC 9700 section 4.8.2).
  if ((codeChallenge === undefined) !== (proof.codeVerifier === undefined)) {
    throw invalidGrant('code_verifier and code_challenge go together')
  }
  if (proof.codeVerifier === undefined) return
  const challenge = createHash('sha256').update(proof.codeVerifier).digest('base64url')
  if (challenge !== codeChallenge) throw invalidGrant('code_verifier does not match')
}

function invalidGrant(description: string): ProtocolError {
  return new ProtocolError('invalid_grant', description)
}
