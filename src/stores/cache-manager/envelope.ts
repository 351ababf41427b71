import { readDigits } from '../counter.ts'

/** What turns values into bytes and back. */
export interface Serializer {
  /** The bytes of a value, or text that is kept as UTF-8; `undefined` for what cannot be kept. */
  serialize(value: unknown): Uint8Array | string | undefined
  /** The value again; a throw is a miss. */
  deserialize(bytes: Uint8Array): unknown
}

/** JSON (RFC 8259). */
export const json: Serializer = {
  serialize: (value) => JSON.stringify(value),
  deserialize: (bytes) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
}

const lineFeed = 10

/**
 * What is stored for a value: the key it belongs to, a line feed, and the value. A safe integer is
 * its digits and nothing else, so that the backend can count.
 *
 * Throws a `RangeError` for what cannot be kept, such as `undefined`.
 */
export function wrap(key: string, value: unknown, serializer: Serializer): Uint8Array {
  if (Number.isSafeInteger(value)) return Buffer.from(String(value))
  const payload = serialized(value, serializer)
  if (payload === undefined) {
    throw new RangeError('This value cannot be kept: the serializer (JSON) has nothing for it.')
  }
  return Buffer.concat([Buffer.from(`${key}\n`), Buffer.from(payload)])
}

/** The value again; `undefined` for what belongs to another key, or cannot be read. */
export function unwrap(key: string, stored: Uint8Array, serializer: Serializer): unknown {
  const end = stored.indexOf(lineFeed)
  if (end < 0) return readDigits(stored)
  if (Buffer.from(stored.subarray(0, end)).toString('latin1') !== key) return undefined
  try {
    return serializer.deserialize(stored.subarray(end + 1))
  } catch {
    return undefined
  }
}

/** What JSON cannot say is nothing (`undefined`, functions) or a `TypeError` (a bigint, a cycle). */
function serialized(value: unknown, serializer: Serializer): Uint8Array | string | undefined {
  try {
    return serializer.serialize(value)
  } catch (error) {
    if (error instanceof TypeError && serializer === json) return undefined
    throw error
  }
}
