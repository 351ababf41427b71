import { crc32 } from 'node:zlib'
import { bufferOf } from '../../buffer-of.ts'
import { decrypt, encrypt } from '../../key-ring.ts'
import { type Description, isDescription, type StoredResponse } from './stored-response.ts'

/** The variants of a response, newest first; one value in the store. */
export type StoredEntry = readonly StoredResponse[]

/** What the head says of a variant, and where its body is. */
interface Described {
  readonly about: Description
  readonly start: number
  readonly end: number
}

/** A version, a checksum over all that follows, the length of the head. */
const prefixBytes = 9
const formatVersion = 3
/** So many answers to different request headers are kept for one URL. */
export const mostVariants = 16

/** Encodes an entry: version, checksum, head as JSON, bodies. It names the key it belongs to. */
export function encodeEntry(key: string, entry: StoredEntry): Uint8Array {
  const variants = entry.map(({ body, text: _decoded, ...about }) => {
    return { about, bytes: body.byteLength }
  })
  const head = JSON.stringify({ key, variants })
  const headBytes = Buffer.byteLength(head)
  const bodiesAt = prefixBytes + headBytes
  const value = Buffer.allocUnsafeSlow(variants.reduce((at, { bytes }) => at + bytes, bodiesAt))
  value[0] = formatVersion
  value.writeUInt32BE(headBytes, 5)
  value.write(head, prefixBytes)
  let at = bodiesAt
  for (const { body } of entry) {
    value.set(body, at)
    at += body.byteLength
  }
  value.writeUInt32BE(crc32(value.subarray(5)), 1)
  return value
}

/**
 * `undefined` for whatever is not an entry of that key. `isTrusted` for bytes that nobody can have
 * changed: they are not checked again. Never throws.
 */
export function decodeEntry(
  key: string,
  value: Uint8Array,
  isTrusted = false,
): StoredEntry | undefined {
  const head = isTrusted || isWhole(value) ? decodeHead(key, value) : undefined
  return head?.map(({ about, start, end }) => {
    return { ...about, body: value.subarray(start, end), text: undefined }
  })
}

function isWhole(value: Uint8Array): boolean {
  if (value.byteLength < prefixBytes) return false
  return bufferOf(value).readUInt32BE(1) === crc32(value.subarray(5))
}

function decodeHead(key: string, value: Uint8Array): readonly Described[] | undefined {
  const bytes = bufferOf(value)
  if (bytes.byteLength < prefixBytes || bytes[0] !== formatVersion) return undefined
  const bodiesAt = prefixBytes + bytes.readUInt32BE(5)
  if (bodiesAt > bytes.byteLength) return undefined
  const head = parse(bytes.toString('utf8', prefixBytes, bodiesAt))
  if (head?.key !== key || !Array.isArray(head.variants)) return undefined
  if (head.variants.length === 0 || head.variants.length > mostVariants) return undefined
  let start = bodiesAt
  const variants = head.variants.flatMap((variant: unknown) => {
    const { about, bytes: length } = (variant ?? {}) as { about?: unknown; bytes?: unknown }
    if (!isDescription(about) || !Number.isSafeInteger(length) || (length as number) < 0) return []
    const place = { about, start, end: (start += length as number) }
    return [place]
  })
  const isComplete = variants.length === head.variants.length && start === bytes.byteLength
  return isComplete ? variants : undefined
}

/** Puts a variant before the others: those it replaces go, and what is beyond the bounds. */
export function withVariant(
  entry: StoredEntry,
  added: StoredResponse,
  replaced: StoredResponse | undefined,
  maxBytes: number,
): StoredEntry {
  let left = maxBytes - added.body.byteLength
  const others = entry.filter((one) => one !== replaced).slice(0, mostVariants - 1)
  return [added, ...others.filter(({ body }) => (left -= body.byteLength) >= 0)]
}

/** Seals an encoded entry for its key; only who holds the partition's key can read it. */
export function sealEntry(partitionKey: Uint8Array, key: string, value: Uint8Array): Uint8Array {
  return encrypt(partitionKey, Buffer.from(`response ${key}`), value)
}

/** `undefined` for what another partition's key sealed, or what is damaged or swapped. */
export function openEntry(
  partitionKey: Uint8Array,
  key: string,
  sealed: Uint8Array,
): Uint8Array | undefined {
  return decrypt(partitionKey, Buffer.from(`response ${key}`), sealed)
}

function parse(text: string): { key?: unknown; variants?: unknown } | undefined {
  try {
    return (JSON.parse(text) ?? undefined) as { key?: unknown; variants?: unknown } | undefined
  } catch {
    return undefined
  }
}
