import { createPrivateKey, type JsonWebKey, type KeyObject, type webcrypto } from 'node:crypto'
import { types } from 'node:util'
import { ConfigError } from '../errors.ts'

/** A private key: a JWK (RFC 7517), PEM (PKCS #8), or a `CryptoKey` that may sign. */
export type ClientKey = webcrypto.CryptoKey | (JsonWebKey & { kid?: string; alg?: string }) | string

/** A key that signs, and how it is named at the provider. */
export interface SigningKey {
  key: webcrypto.CryptoKey
  kid: string | undefined
}

/** Looks like a private key; whether it is one shows when it is read. */
export function isClientKey(value: unknown): value is ClientKey {
  if (typeof value === 'string') return value.includes('PRIVATE KEY')
  if (typeof value !== 'object' || value === null) return false
  return isCryptoKey(value) ? value.type === 'private' : 'd' in value
}

/** Reads a private key for signatures (RFC 7518); throws a `ConfigError` that does not quote it. */
export async function signingKey(given: ClientKey): Promise<SigningKey> {
  if (isCryptoKey(given)) return { key: given, kid: undefined }
  try {
    const jwk = typeof given === 'string' ? undefined : given
    const key = keyObjectOf(given)
    const algorithm = algorithmFor(key, jwk?.alg)
    const pkcs8 = key.export({ type: 'pkcs8', format: 'der' })
    return {
      key: await crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), algorithm, false, [
        'sign',
      ]),
      kid: jwk?.kid,
    }
  } catch {
    throw new ConfigError(
      'clientKey cannot be used: it must be a private RSA, EC (P-256, P-384, P-521) or Ed25519 key, as a JWK or as PEM ' +
        'that begins with BEGIN PRIVATE KEY.',
    )
  }
}

function isCryptoKey(value: unknown): value is webcrypto.CryptoKey {
  return types.isCryptoKey(value)
}

function keyObjectOf(given: JsonWebKey | string): KeyObject {
  return typeof given === 'string'
    ? createPrivateKey(given)
    : createPrivateKey({ key: given, format: 'jwk' })
}

const curves: Readonly<Record<string, string>> = {
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
}

/** Signatures are PS256 or RS256 (the default), ES256 and its kind, or Ed25519: what the key says. */
function algorithmFor({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject, alg?: string) {
  if (asymmetricKeyType === 'ed25519') return { name: 'Ed25519' }
  if (asymmetricKeyType === 'ec') {
    const namedCurve = curves[asymmetricKeyDetails?.namedCurve ?? ''] ?? 'unknown'
    return { name: 'ECDSA', namedCurve }
  }
  const name = alg?.startsWith('PS') ? 'RSA-PSS' : 'RSASSA-PKCS1-v1_5'
  return { name, hash: `SHA-${alg?.slice(2) ?? '256'}` }
}
