import {
  createHash,
  generateKeyPairSync,
  type JsonWebKey,
  randomUUID,
  type webcrypto,
} from 'node:crypto'
import { SignJWT } from 'jose'
import { Recent } from '../recent.ts'

/** The private key that a grant's tokens are bound to (RFC 9449): an EC key on P-256, as a JWK. */
export type DpopKey = JsonWebKey & { kty: 'EC'; crv: 'P-256'; x: string; y: string; d: string }

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' }

/** A key for a new grant: each has its own, so that no proof of one says anything of another. */
export function newDpopKey(): DpopKey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ format: 'jwk' }) as DpopKey
}

/** Is it such a key, as a store gives it back? */
export function isDpopKey(value: unknown): value is DpopKey {
  const { kty, crv, x, y, d } = (value ?? {}) as Record<string, unknown>
  return kty === 'EC' && crv === 'P-256' && [x, y, d].every((one) => typeof one === 'string')
}

/** The key's two halves, for whoever signs with it. */
export async function dpopKeyPair(key: DpopKey): Promise<webcrypto.CryptoKeyPair> {
  const { kty, crv, x, y, d } = key
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('jwk', { kty, crv, x, y, d }, ecdsa, false, ['sign']),
    crypto.subtle.importKey('jwk', { kty, crv, x, y }, ecdsa, true, ['verify']),
  ])
  return { privateKey, publicKey }
}

/** A request with a token that is bound to a key. */
export interface BoundRequest {
  method: string
  url: string
  accessToken: string
}

/**
 * Proofs of possession for calls of an API (RFC 9449 section 4). Each has an id of its own; the last
 * nonce that a server gave (section 9) is remembered for each key and origin, so that two grants
 * never share one.
 */
export class DpopProofs {
  readonly #nonces = new Recent<string>(1_000)
  readonly #keys = new Recent<Promise<webcrypto.CryptoKeyPair>>(1_000)

  /** The header `DPoP` of a request. */
  async proof(key: DpopKey, { method, url, accessToken }: BoundRequest): Promise<string> {
    const { kty, crv, x, y } = key
    const { origin, pathname } = new URL(url)
    const nonce = this.#nonces.get(placeOf(key, origin))
    const claims = {
      htm: method,
      htu: `${origin}${pathname}`,
      ath: createHash('sha256').update(accessToken).digest('base64url'),
      ...(nonce === undefined ? {} : { nonce }),
    }
    const { privateKey } = await this.#pair(key)
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: { kty, crv, x, y } })
      .setJti(randomUUID())
      .setIssuedAt()
      .sign(privateKey)
  }

  /** Remembers the nonce of a reply; tells whether it wants the request again, with that nonce. */
  note(key: DpopKey, url: string, { status, headers }: Response): boolean {
    const nonce = headers.get('dpop-nonce')
    if (nonce === null || !isNonce.test(nonce)) return false
    this.#nonces.set(placeOf(key, new URL(url).origin), nonce)
    const challenge = headers.get('www-authenticate') ?? ''
    return status === 401 && /\berror="?use_dpop_nonce\b/.test(challenge)
  }

  #pair(key: DpopKey): Promise<webcrypto.CryptoKeyPair> {
    return this.#keys.getOrMake(key.x, () => dpopKeyPair(key))
  }
}

/** RFC 9449 section 8.1. */
const isNonce = /^[\x21\x23-\x5b\x5d-\x7e]{1,1024}$/

function placeOf({ x, y }: DpopKey, origin: string): string {
  return `${x}.${y} ${origin}`
}
