import { deltaSeconds, parseCacheControl } from './cache-control.ts'

/** May a reply be stored, and for how long (seconds) may it be reused? */
export type StoringDecision =
  | { store: true; ttl: number; body: ReadableStream<Uint8Array> }
  | { store: false; reason: string }

/**
 * Decides by a rule's `ttl`, for APIs whose cache headers are useless. What the headers say still
 * counts where it is a real answer: `no-store` and `no-cache` forbid, `Vary: *` fits no other
 * request, and a freshness lifetime of more than nothing shortens the rule's. A lifetime of 0 is
 * what such APIs send with everything; the rule was written against it.
 */
export function decideStoring(
  request: Request,
  response: Response,
  ruleTtl: number,
): StoringDecision {
  const { status, headers, body } = response
  const directives = parseCacheControl(headers.get('cache-control'))
  const refuse = (reason: string): StoringDecision => ({ store: false, reason })
  if (request.method !== 'GET' || body === null) return refuse('no-body')
  if (status !== 200) return refuse(`status-${status}`)
  if (directives.has('no-store')) return refuse('no-store')
  if (directives.has('no-cache')) return refuse('no-cache')
  if (!fieldNames.test(headers.get('vary') ?? '')) return refuse('vary')
  const lifetime = deltaSeconds(directives, 'max-age')
  if (lifetime === 0 && !isPlainZero(directives.get('max-age'))) return refuse('malformed')
  if (!lifetime) return { store: true, body, ttl: ruleTtl }
  const left = lifetime - ageOf(headers)
  return left > 0 ? { store: true, body, ttl: Math.min(left, ruleTtl) } : refuse('stale')
}

/** A list of field names; `*`, and what is no name, fits no other request. */
const fieldNames = /^[\s,!#$%&'+.^_`|~\w-]*$/

/** Seconds that the reply has spent in caches before this one (RFC 9111 section 5.1). */
function ageOf(headers: Headers): number {
  const age = headers.get('age') ?? ''
  return /^\d{1,10}$/.test(age) ? Number(age) : 0
}

/** RFC 9111 section 4.2.1: what is no number, or two, is read the strict way. */
function isPlainZero(value: string | true | undefined): boolean {
  return typeof value === 'string' && /^0+$/.test(value)
}
