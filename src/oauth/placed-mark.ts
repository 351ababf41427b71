import { hash } from 'node:crypto'

/** What stands beside a value that is kept in a place of its own. */
export type PlacedMark =
  | { is: 'gone' }
  | {
      is: 'there'
      writtenAt: number
      /** When the value ends; `Infinity` for never. */
      endsAt: number
      /** SHA-256 of the newest value: any other is older. */
      hash: Buffer
      /** The newest value itself, until its place has been seen to hold it. */
      value: Uint8Array | undefined
    }

const state = { gone: 0, there: 1 }
const hashAt = 17
const valueAt = hashAt + 32

/** Bytes that a mark has beside the value in it. */
export const markBytes = valueAt

/** Says that what was there has been deleted. */
export const goneMark: Uint8Array = Buffer.from([state.gone])

/** Says which value is the newest; `isKept`: and brings it along. `ttl` in seconds. */
export function thereMark(value: Uint8Array, isKept: boolean, ttl = Infinity): Uint8Array {
  const now = Date.now()
  const head = Buffer.alloc(hashAt)
  head.writeUInt8(state.there, 0)
  head.writeDoubleBE(now, 1)
  head.writeDoubleBE(now + ttl * 1000, 9)
  return Buffer.concat([head, hashOf(value), ...(isKept ? [value] : [])])
}

/** The mark in these bytes; `undefined` for what is none. */
export function markIn(bytes: Uint8Array): PlacedMark | undefined {
  if (bytes[0] === state.gone && bytes.byteLength === 1) return { is: 'gone' }
  if (bytes[0] !== state.there || bytes.byteLength < valueAt) return undefined
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const [writtenAt, endsAt] = [buffer.readDoubleBE(1), buffer.readDoubleBE(9)]
  if (!Number.isFinite(writtenAt) || Number.isNaN(endsAt)) return undefined
  const value = bytes.byteLength > valueAt ? bytes.subarray(valueAt) : undefined
  const newest = buffer.subarray(hashAt, valueAt)
  if (value && !hashOf(value).equals(newest)) return undefined
  return { is: 'there', writtenAt, endsAt, hash: newest, value }
}

/** Is it the newest value? */
export function isNewest(mark: PlacedMark & { is: 'there' }, value: Uint8Array): boolean {
  return hashOf(value).equals(mark.hash)
}

function hashOf(value: Uint8Array): Buffer {
  return hash('sha256', value, 'buffer')
}
