import { createHmac } from 'node:crypto'

/**
 * What a reply's Vary header (RFC 9111 section 4.1) selected it by: for each header named, an HMAC
 * of the request's value, so that no request header is ever stored. `Authorization` and `Cookie`
 * are left out: the partition answers for whose reply it is.
 */
export function variantOf(
  vary: string | null,
  request: Request,
  key: Uint8Array,
): Readonly<Record<string, string>> {
  const names = (vary ?? '')
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(Boolean)
  const selecting = names.filter((name) => name !== 'authorization' && name !== 'cookie')
  return Object.fromEntries(
    selecting.map((name) => [name, hmac(key, `${name}\n${request.headers.get(name) ?? ''}`)]),
  )
}

/** Does a stored variant answer this request? */
export function matchesVariant(
  variant: Readonly<Record<string, string>>,
  request: Request,
  key: Uint8Array,
): boolean {
  const names = Object.keys(variant)
  const own = variantOf(names.join(','), request, key)
  return names.every((name) => own[name] === variant[name])
}

function hmac(key: Uint8Array, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url').slice(0, 22)
}
