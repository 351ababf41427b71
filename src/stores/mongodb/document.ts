import { integerOf } from '../integer.ts'

/**
 * One document for each key:
 *
 *     { _id: key, version: text, value: bytes | integer | { length }, expiresAt?: date }
 *
 * A value that is the digits of an integer is kept as one (a long), so that the server can add to
 * it. `{ length }` stands for a body elsewhere, in the file whose id is the version.
 */
export interface Found {
  version: string
  value: Uint8Array | FileBody
}

/** A body that is a file of `length` bytes. */
export interface FileBody {
  length: number
}

/** The types that `value` has where the body is in the document. */
export const inlineTypes: readonly string[] = ['binData', 'long']

/** MongoDB's dates and JavaScript's end later; this is longer than anybody waits. */
const longestMs = 4e15

/**
 * An expression that is true for a document that is ours and has not expired, by the server's clock.
 * Filters and updates all rest on it, so that what is absent to one is absent to all.
 */
export function liveExpression(types: readonly string[]): object {
  return {
    $and: [
      { $eq: [{ $type: '$version' }, 'string'] },
      { $in: [{ $type: '$value' }, types] },
      {
        $or: [
          { $in: [{ $type: '$expiresAt' }, ['missing', 'null']] },
          { $gt: ['$expiresAt', '$$NOW'] },
        ],
      },
    ],
  }
}

/** The instant at which something ends, counted on the server's clock; nothing where it never does. */
export function expiryExpression(lives: number): object | '$$REMOVE' {
  if (lives === Infinity) return '$$REMOVE'
  return { $add: ['$$NOW', BigInt(Math.min(Math.ceil(lives), longestMs))] }
}

/** The document that is to be under a key from now on, as an update's expression. */
export function documentExpression(
  version: string,
  value: Uint8Array | FileBody,
  lives: number,
): object {
  const kept = value instanceof Uint8Array ? (integerOf(value) ?? value) : value
  return { _id: '$_id', version, value: kept, expiresAt: expiryExpression(lives) }
}

/** Reads what the driver found for `key`; what is not a document of ours is nothing. */
export function readFound(document: unknown, key: string): Found | undefined {
  const { _id, version, value } = (document ?? {}) as Record<string, unknown>
  if (_id !== key || typeof version !== 'string') return undefined
  if (value instanceof Uint8Array) return { version, value }
  if (typeof value === 'bigint') return { version, value: Buffer.from(String(value)) }
  if (typeof value !== 'object' || value === null) return undefined
  const { length } = value as { length?: unknown }
  return { version, value: { length: typeof length === 'number' ? length : Number.NaN } }
}

/**
 * A filter for the keys that begin with `prefix`. MongoDB compares text by its bytes, and no key of
 * 1,024 bytes that begins so comes after 256 of the last character that there is.
 */
export function prefixFilter(prefix: string): object {
  return { _id: { $gte: prefix, $lte: prefix + '\u{10FFFF}'.repeat(256) } }
}
