/** What an entry on a server holds beside the value. */
export interface MemcachedRecord {
  version: string
  /** Of the namespace, and of the key's segment where it has one, when it was written. */
  generation: string
  /** The instant of its end on the server's clock, in epoch ms; `Infinity` for ever. */
  expiresAt: number
  value: Uint8Array
}

/** Also tells this format from later ones. */
const magic = 'bhf1'
const idLength = 16
const keyLengthAt = magic.length + idLength
const expiresAtAt = keyLengthAt + 2
const generationLengthAt = expiresAtAt + 8
const generationAt = generationLengthAt + 1

/** The most bytes that are stored before a value. */
export const largestHead: number = generationAt + 2 * idLength + 1024

/**
 * An entry as it is sent, with the CR LF that ends it: a head, the key it belongs to and a copy of
 * the value. Its generation and its end are stamped on it just before.
 */
export class MemcachedEntry {
  /** What memcached counts, and `bytes` goes on for two more. */
  readonly size: number
  readonly bytes: Buffer
  readonly version: string
  #expiresAt = Infinity

  /** `hasSegment` says how long the generation will be. */
  constructor(key: string, hasSegment: boolean, version: string, value: Uint8Array) {
    const keyLength = Buffer.byteLength(key)
    const generationLength = hasSegment ? 2 * idLength : idLength
    const keyAt = generationAt + generationLength
    this.size = keyAt + keyLength + value.byteLength
    const bytes = Buffer.allocUnsafe(this.size + 2)
    bytes.write(magic + version, 'latin1')
    bytes.writeUInt16BE(keyLength, keyLengthAt)
    bytes.writeUInt8(generationLength, generationLengthAt)
    bytes.write(key, keyAt)
    bytes.set(value, keyAt + keyLength)
    bytes.write('\r\n', this.size)
    this.bytes = bytes
    this.version = version
  }

  /** As it was stamped. */
  get expiresAt(): number {
    return this.#expiresAt
  }

  stamp(generation: string, expiresAt: number): void {
    this.#expiresAt = expiresAt
    this.bytes.write(generation, generationAt, 'latin1')
    this.bytes.writeDoubleBE(expiresAt, expiresAtAt)
  }
}

/** Reads an entry; gives `undefined` for what is not of this format, cut off, or of another key. */
export function readRecord(bytes: Buffer, key: string): MemcachedRecord | undefined {
  if (bytes.length < generationAt || bytes.toString('latin1', 0, magic.length) !== magic)
    return undefined
  const keyAt = generationAt + bytes.readUInt8(generationLengthAt)
  const valueAt = keyAt + bytes.readUInt16BE(keyLengthAt)
  if (valueAt > bytes.length || bytes.toString('utf8', keyAt, valueAt) !== key) return undefined
  return {
    version: bytes.toString('latin1', magic.length, keyLengthAt),
    generation: bytes.toString('latin1', generationAt, keyAt),
    expiresAt: bytes.readDoubleBE(expiresAtAt),
    value: new Uint8Array(bytes.buffer, bytes.byteOffset + valueAt, bytes.length - valueAt),
  }
}
