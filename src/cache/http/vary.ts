import { createHmac } from 'node:crypto'
import type { Fields } from './received.ts'

/** What a stored response was selected by: for each field an HMAC of its value, `''` for none. */
export type Variant = Readonly<Record<string, string>>

/** Answered for by the partition: whose reply it is. */
const ofTheUser = new Set(['authorization', 'cookie'])

/**
 * The fields that a reply's Vary (RFC 9111 section 4.1) selects it by, in lower case; `undefined` for
 * `*` and for what is no list of names: that fits no other request.
 */
export function varyingFields(vary: string | null): string[] | undefined {
  if (vary === null) return []
  const names = vary
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
  const given = names.filter((name) => name !== '')
  return given.every((name) => fieldName.test(name)) ? given : undefined
}

const fieldName = /^(?!\*$)[!#$%&'*+.^_`|~\w-]+$/

/** Does a reply depend on whose request it answers? */
export function variesByUser(fields: readonly string[]): boolean {
  return fields.some((name) => ofTheUser.has(name))
}

/** What selects a reply to this request. No request header is ever stored: `key` makes HMACs of them. */
export function variantOf(fields: readonly string[], request: Fields, key: Uint8Array): Variant {
  const selecting = fields.filter((name) => !ofTheUser.has(name))
  return Object.fromEntries(selecting.map((name) => [name, selected(name, request, key)]))
}

/** Does a stored variant answer this request? */
export function matchesVariant(variant: Variant, request: Fields, key: Uint8Array): boolean {
  for (const name in variant) if (variant[name] !== selected(name, request, key)) return false
  return true
}

function selected(name: string, request: Fields, key: Uint8Array): string {
  const value = request.get(name)
  if (value === null) return ''
  const plain = value.split(',').map((part) => part.trim())
  const text = `${name}\n${plain.join(',')}`
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, 22)
}
