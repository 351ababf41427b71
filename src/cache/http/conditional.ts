import { parseHttpDate } from './http-date.ts'
import type { Fields } from './received.ts'

/** The fields of a 304 (RFC 9110 section 15.4.5), and those that a cache adds. */
const of304 = new Set([
  'cache-control',
  'content-location',
  'date',
  'etag',
  'expires',
  'last-modified',
  'vary',
  'age',
  'cache-status',
])

/** Does the request hold what is stored already (RFC 9111 section 4.3.2)? Then a 304 is the answer. */
export function isNotModified(request: Fields, stored: Fields): boolean {
  const known = request.get('if-none-match')
  // RFC 9110 section 13.2.2: the date counts only without it.
  if (known !== null) return matchesAny(known, stored.get('etag'))
  const since = parseHttpDate(request.get('if-modified-since'))
  if (since === undefined) return false
  const modified = parseHttpDate(stored.get('last-modified') ?? stored.get('date'))
  return modified !== undefined && modified <= since
}

/** The fields of the stored response that its 304 has. */
export function fieldsOf304<T extends readonly [string, string]>(fields: readonly T[]): T[] {
  return fields.filter(([name]) => of304.has(name))
}

/** The weak comparison of RFC 9110 section 8.8.3.2. */
function matchesAny(list: string, etag: string | null): boolean {
  if (list.trim() === '*') return true
  if (etag === null) return false
  const opaque = withoutWeakness(etag.trim())
  return list === etag || [...list.matchAll(entityTag)].some(([, tag]) => tag === opaque)
}

const entityTag = /(?:W\/)?("[^"]*")/g

function withoutWeakness(etag: string): string {
  return etag.startsWith('W/') ? etag.slice(2) : etag
}
