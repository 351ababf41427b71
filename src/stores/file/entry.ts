import { crc32 } from 'node:zlib'

/**
 * What one file holds: a head, then the value. A checksum each, so that a head can be trusted
 * before the value is read. Little-endian:
 *
 *     0  magic and format        24  length of the value, uint32
 *     8  CRC-32 of 12 to value   28  length of the key, uint16
 *    12  CRC-32 of the value     30  length of the version, uint16
 *    16  expiresAt, float64      32  version, key, value
 *
 * CRC-32 finds every change within one byte; with the lengths, which must add up to the size of the
 * file, every truncation is found too.
 */
const magic = Buffer.from('behalf\0\x01', 'latin1')
const fixedBytes = 32

/** The largest value that a file takes. */
export const maxValueBytes = 64 * 2 ** 20

/** No head is larger: a key has at most 1,024 bytes, a version far fewer than the rest. */
export const maxHeadBytes = 2048

/** What a file says about the value it holds. */
export interface EntryHead {
  key: string
  version: string
  /** `Infinity` for ever. */
  expiresAt: number
}

/** One whole entry. */
export interface Entry extends EntryHead {
  value: Uint8Array
}

/** The bytes of a file for a value, which is copied. */
export function encodeEntry({ key, version, expiresAt, value }: Entry): Buffer {
  const [keyBytes, versionBytes] = [Buffer.from(key), Buffer.from(version)]
  const valueAt = fixedBytes + versionBytes.byteLength + keyBytes.byteLength
  const file = Buffer.allocUnsafe(valueAt + value.byteLength)
  magic.copy(file)
  file.writeUInt32LE(value.byteLength, 24)
  file.writeUInt16LE(keyBytes.byteLength, 28)
  file.writeUInt16LE(versionBytes.byteLength, 30)
  versionBytes.copy(file, fixedBytes)
  keyBytes.copy(file, fixedBytes + versionBytes.byteLength)
  file.set(value, valueAt)
  file.writeUInt32LE(crc32(file.subarray(valueAt)), 12)
  stampEntry(file, expiresAt)
  return file
}

/** Gives an encoded entry another end. */
export function stampEntry(file: Buffer, expiresAt: number): void {
  file.writeDoubleLE(expiresAt, 16)
  file.writeUInt32LE(crc32(file.subarray(12, valueOffset(file))), 8)
}

/**
 * Reads the head of a file of `size` bytes that begins with `start`; `undefined` for what is no
 * whole entry.
 */
export function decodeHead(start: Buffer, size: number): EntryHead | undefined {
  if (start.byteLength < fixedBytes || !start.subarray(0, magic.byteLength).equals(magic)) {
    return undefined
  }
  const [valueAt, valueBytes] = [valueOffset(start), start.readUInt32LE(24)]
  if (valueAt > start.byteLength || valueBytes > maxValueBytes) return undefined
  if (valueAt + valueBytes !== size) return undefined
  if (crc32(start.subarray(12, valueAt)) !== start.readUInt32LE(8)) return undefined
  const keyAt = fixedBytes + start.readUInt16LE(30)
  return {
    version: start.toString('utf8', fixedBytes, keyAt),
    key: start.toString('utf8', keyAt, valueAt),
    expiresAt: start.readDoubleLE(16),
  }
}

/** Reads a whole file; the value is a part of `file`. `undefined` for what is no whole entry. */
export function decodeEntry(file: Buffer): Entry | undefined {
  const head = decodeHead(file, file.byteLength)
  if (!head) return undefined
  const value = file.subarray(valueOffset(file))
  return crc32(value) === file.readUInt32LE(12) ? { ...head, value } : undefined
}

function valueOffset(file: Buffer): number {
  return fixedBytes + file.readUInt16LE(28) + file.readUInt16LE(30)
}
