import { ageValue } from './http/age.ts'
import { deltaSeconds, isPlainZero } from './http/cache-control.ts'
import type { Received } from './http/received.ts'
import { staleAllowanceOf } from './http/stale.ts'
import { isPassing, type StoringContext, type StoringDecision } from './http/storing.ts'

/**
 * Decides by a rule's `ttl`, for APIs whose cache headers are useless. What the headers say still
 * counts where it is a real answer: `no-store` and `no-cache` forbid, and a freshness lifetime of more
 * than nothing shortens the rule's. A lifetime of 0 is what such APIs send with everything; the rule
 * was written against it. Errors are stored where `negative` has their status, and 200 only else.
 */
export function decideByRule(
  reply: Received,
  { ttl, negative = {} }: { ttl: number; negative?: Readonly<Record<number, number>> | undefined },
  context: StoringContext,
): StoringDecision {
  const { status, directives, headers } = reply
  const refuse = (reason: string): StoringDecision => ({ store: false, reason })
  const allowed = negative[status] ?? (status === 200 ? ttl : 0)
  if (allowed === 0) return refuse(`status-${status}`)
  if (directives.has('no-store')) return refuse('no-store')
  if (directives.has('no-cache')) return refuse('no-cache')
  if (directives.has('private') && context.kind === 'shared') return refuse('private')
  const said = deltaSeconds(directives, 'max-age')
  if (said === 0 && !isPlainZero(directives.get('max-age'))) return refuse('malformed')
  const initialAge = ageValue(headers)
  const byRule = initialAge + allowed
  const lifetime = said ? Math.min(said, byRule) : byRule
  if (lifetime <= initialAge) return refuse('stale')
  // An error is no answer to fall back on.
  const allowance = isPassing(status) ? none : staleAllowanceOf(reply, context)
  const revalidation = directives.has('must-revalidate') ? 'when-stale' : 'optional'
  return { store: true, keeping: { initialAge, lifetime, ...allowance, revalidation } }
}

const none = { staleWhileRevalidate: 0, staleIfError: 0 }
