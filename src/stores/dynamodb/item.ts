import { integerOf } from '../integer.ts'
import type { StoredValue } from '../store.ts'

/** An attribute as DynamoDB's API writes it. */
export interface Attribute {
  S?: string
  N?: string
  B?: Uint8Array
  NULL?: boolean
}

/**
 * One item for each key: the primary key (`namespace`, `key`), `version`, `value` (bytes, NULL where
 * there are none, or a number where they are the digits of an integer, so that DynamoDB can add to it), `expiresAt` (epoch
 * milliseconds, exact) and `expires` (epoch seconds, rounded up, for DynamoDB's TTL). The last two are
 * not there where the value does not expire.
 */
export type Item = Record<string, Attribute>

/** The attributes of a value that lives for so many milliseconds, `Infinity` for ever. */
export function valueItem(version: string, value: Uint8Array, lives: number): Item {
  return { version: { S: version }, value: valueAttribute(value), ...expiryItem(lives) }
}

function valueAttribute(value: Uint8Array): Attribute {
  if (value.byteLength === 0) return { NULL: true }
  const integer = integerOf(value)
  return integer === undefined ? { B: value } : { N: String(integer) }
}

/** The attributes of the instant at which something ends. */
export function expiryItem(lives: number): Item {
  if (lives === Infinity) return {}
  const expiresAt = Math.min(Math.ceil(Date.now() + lives), Number.MAX_SAFE_INTEGER)
  const expires = Math.ceil(expiresAt / 1000)
  return { expiresAt: { N: String(expiresAt) }, expires: { N: String(expires) } }
}

/** Reads the item that was found for `key`; what is not ours, or has expired, is nothing. */
export function readItem(item: Item | undefined, key: string): StoredValue | undefined {
  const version = item?.['version']?.S
  const value = valueOf(item?.['value'])
  if (item?.['key']?.S !== key || version === undefined || !value) return undefined
  return remaining(item) > 0 ? { value, version } : undefined
}

function valueOf({ B: bytes, N: digits, NULL: none }: Attribute = {}): Uint8Array | undefined {
  if (none) return new Uint8Array()
  return bytes ?? (digits === undefined ? undefined : Buffer.from(digits))
}

/** The milliseconds that an item has left: `Infinity` for ever. */
export function remaining(item: Item): number {
  const expiresAt = item['expiresAt']
  return expiresAt ? Number(expiresAt.N ?? 0) - Date.now() : Infinity
}
