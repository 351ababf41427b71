import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { JsonWebKey, KeyObject } from 'node:crypto'

/** The claims of an ID token, by their names on the wire. */
export type IdTokenClaims = Record<string, unknown>

/** Signs claims with the key of the JWKS; `header` is added to, or replaces, what is usual. */
export type SignIdToken = (claims: IdTokenClaims, header?: Record<string, unknown>) => string

/**
 * What is wrong with the ID token: nothing, its nonce, its audience, its signature (`alg` is
 * `none`); or a function that makes the whole token from the right claims.
 */
export type IdTokenSwitch =
  | 'valid'
  | 'wrong-nonce'
  | 'wrong-audience'
  | 'unsigned'
  | ((claims: IdTokenClaims, sign: SignIdToken) => string)

const keyId = 'test-key'

/** Signs ID tokens (RS256) with a key made at first use. */
export class IdTokenSigner {
  #keys: { privateKey: KeyObject; publicKey: KeyObject } | undefined

  /** The JWKS document (RFC 7517). */
  jwks(): { keys: JsonWebKey[] } {
    const key = this.#keyPair().publicKey.export({ format: 'jwk' })
    return { keys: [{ ...key, kid: keyId, alg: 'RS256', use: 'sig' }] }
  }

  sign: SignIdToken = (claims, header = {}) => {
    const signed = encoded({ alg: 'RS256', typ: 'JWT', kid: keyId, ...header }, claims)
    return `${signed}.${sign('sha256', Buffer.from(signed), this.#keyPair().privateKey).toString('base64url')}`
  }

  /** An ID token with these claims and what the switch asks for. */
  issue(claims: IdTokenClaims, fault: IdTokenSwitch): string {
    if (typeof fault === 'function') return fault({ ...claims }, this.sign)
    switch (fault) {
      case 'valid':
        return this.sign(claims)
      case 'wrong-nonce':
        return this.sign({ ...claims, nonce: 'another-nonce' })
      case 'wrong-audience':
        return this.sign({ ...claims, aud: 'another-client' })
      case 'unsigned':
        return `${encoded({ alg: 'none', typ: 'JWT' }, claims)}.`
    }
  }

  #keyPair(): { privateKey: KeyObject; publicKey: KeyObject } {
    return (this.#keys ??= generateKeyPairSync('rsa', { modulusLength: 2048 }))
  }
}

/** `at_hash` of an access token (OpenID Connect Core 3.1.3.6): the left half of its SHA-256. */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url')
}

function encoded(header: object, claims: object): string {
  return [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
}
