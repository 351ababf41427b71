import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { ConfigError } from './errors.ts'

/** What {@link KeyRing.open} finds. */
export type Opened =
  | { ok: true; value: Uint8Array; outdated: boolean }
  | { ok: false; reason: 'corrupt' | 'unknown-key' }

const formatVersion = 1
const keyIdBytes = 4
const ivBytes = 12
const tagBytes = 16
const headerBytes = 1 + keyIdBytes

/**
 * The app's secrets, newest first: the first one seals, all of them open.
 *
 * Sealing is AES-256-GCM with a key derived per purpose (HKDF, RFC 5869); purpose and context (the
 * cookie's name, the store's key) are associated data, so that a value sealed for one place does
 * not open in another.
 */
export class KeyRing {
  readonly #secrets: ReadonlyArray<{ id: Buffer; secret: Buffer }>
  readonly #keys = new Map<string, Buffer>()

  /** Throws a `ConfigError` when there is no secret or one is shorter than 32 bytes. */
  constructor(secrets: readonly string[]) {
    if (secrets.length === 0) throw new ConfigError('secret must hold at least one secret.')
    this.#secrets = secrets.map((text) => {
      const secret = Buffer.from(text)
      if (secret.length < 32) {
        throw new ConfigError(
          'Each secret must have at least 32 bytes; make one with: npx behalf secret',
        )
      }
      const id = createHash('sha256').update('behalf key id').update(secret).digest()
      return { id: id.subarray(0, keyIdBytes), secret }
    })
  }

  seal(purpose: string, context: string, value: Uint8Array): Uint8Array {
    const { id } = this.#secrets[0]!
    const header = Buffer.concat([Buffer.from([formatVersion]), id])
    const sealed = encrypt(this.#key(0, purpose), associated(purpose, context), value)
    return Buffer.concat([header, sealed])
  }

  /** Never throws: what cannot be opened is told apart by its reason. */
  open(purpose: string, context: string, sealed: Uint8Array): Opened {
    if (sealed.length < headerBytes + ivBytes + tagBytes || sealed[0] !== formatVersion) {
      return { ok: false, reason: 'corrupt' }
    }
    const id = sealed.subarray(1, headerBytes)
    const index = this.#secrets.findIndex((entry) => entry.id.equals(id))
    if (index < 0) return { ok: false, reason: 'unknown-key' }
    const key = this.#key(index, purpose)
    const value = decrypt(key, associated(purpose, context), sealed.subarray(headerBytes))
    return value ? { ok: true, value, outdated: index > 0 } : { ok: false, reason: 'corrupt' }
  }

  /** 32 bytes for a purpose, of the newest secret: what was made with an older one is not found again. */
  derive(purpose: string): Uint8Array {
    return this.#key(0, purpose)
  }

  #key(index: number, purpose: string): Buffer {
    const name = `${index} ${purpose}`
    let key = this.#keys.get(name)
    // Stryker disable next-line ConditionalExpression: derived anew, it is the same
    if (!key) {
      const { secret } = this.#secrets[index]!
      key = Buffer.from(hkdfSync('sha256', secret, '', `behalf ${purpose}`, 32))
      this.#keys.set(name, key)
    }
    return key
  }
}

/** Encrypts with AES-256-GCM: initialization vector, ciphertext and tag in one. */
export function encrypt(key: Uint8Array, context: Uint8Array, value: Uint8Array): Uint8Array {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(context)
  return Buffer.concat([iv, cipher.update(value), cipher.final(), cipher.getAuthTag()])
}

/** Gives `undefined` for whatever {@link encrypt} did not make with this key and context. */
export function decrypt(
  key: Uint8Array,
  context: Uint8Array,
  sealed: Uint8Array,
): Uint8Array | undefined {
  if (sealed.length < ivBytes + tagBytes) return undefined
  const tagAt = sealed.length - tagBytes
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes))
    .setAAD(context)
    .setAuthTag(sealed.subarray(tagAt))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(ivBytes, tagAt)), decipher.final()])
  } catch {
    // Of another key or context, or damaged.
  }
  return undefined
}

/** JSON of a tuple is injective: no purpose and context can be mistaken for others. */
function associated(purpose: string, context: string): Buffer {
  return Buffer.from(JSON.stringify([purpose, context]))
}
