import { ageValue } from '../http/age.ts'
import { deltaSeconds, isPlainZero } from '../http/cache-control.ts'
import type { Received } from '../http/received.ts'
import { staleAllowanceOf } from '../http/stale.ts'
import { isPassing, type StoringContext, type StoringDecision } from '../http/storing.ts'

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
  const allowed = negative[status] ?? (status === 200 ? ttl : 0)
  const reason = allowed === 0 ? `status-${status}` : forbidden(reply, context)
  if (reason !== undefined) return { store: false, reason }
  const said = deltaSeconds(directives, 'max-age')
  const initialAge = ageValue(headers)
  const byRule = initialAge + allowed
  const lifetime = said ? Math.min(said, byRule) : byRule
  if (lifetime <= initialAge) return { store: false, reason: 'stale' }
  // An error is no answer to fall back on.
  const allowance = isPassing(status) ? none : staleAllowanceOf(reply, context)
  const revalidation = directives.has('must-revalidate') ? 'when-stale' : 'optional'
  return { store: true, keeping: { initialAge, lifetime, ...allowance, revalidation } }
}

const none = { staleWhileRevalidate: 0, staleIfError: 0 }

function forbidden({ directives }: Received, { kind }: StoringContext): string | undefined {
  for (const name of ['no-store', 'no-cache']) if (directives.has(name)) return name
  if (directives.has('private') && kind === 'shared') return 'private'
  const said = deltaSeconds(directives, 'max-age')
  return said === 0 && !isPlainZero(directives.get('max-age')) ? 'malformed' : undefined
}
