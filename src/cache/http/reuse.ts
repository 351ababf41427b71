import type { CacheMode } from '../request.ts'
import { currentAge } from './age.ts'
import { deltaSeconds, type Directives } from './cache-control.ts'
import type { Keeping } from './storing.ts'

/** What decides about a stored response. */
export interface Standing extends Keeping {
  readonly receivedAt: number
}

/** How a request wants to be answered. */
export interface Wish {
  readonly mode: CacheMode
  readonly directives: Directives
  /** Seconds; the caller takes nothing older. */
  readonly ttl?: number | undefined
}

/**
 * What becomes of a request for which something is stored (RFC 9111 section 4): it is used, used while
 * it is refreshed in the background, or validated first.
 */
export type Reuse = 'use' | 'use-and-refresh' | 'validate'

/** Seconds of freshness that are left; below 0 the response has been stale for so long. */
export function freshFor(stored: Standing, now: number, ttl = Infinity): number {
  return Math.min(stored.lifetime, stored.initialAge + ttl) - currentAge(stored, now)
}

/** Decides about a stored response that matches the request. */
export function decideReuse(stored: Standing, wish: Wish, now: number): Reuse {
  const { mode, directives, ttl } = wish
  // Fetch's own meaning of these two: stale or not.
  if (mode === 'force-cache' || mode === 'only-if-cached') return 'use'
  if (mustAsk(stored, wish, now)) return 'validate'
  const left = freshFor(stored, now, ttl)
  const wanted = deltaSeconds(directives, 'min-fresh') ?? 0
  if (left > wanted) return 'use'
  if (stored.revalidation === 'when-stale' || wanted > 0) return 'validate'
  if (-left < staleness(directives)) return 'use'
  // Who says how old it may be does not mean a background refresh to come too late.
  return -left < stored.staleWhileRevalidate && ttl === undefined ? 'use-and-refresh' : 'validate'
}

/** Whether it is fresh does not matter: the caller wants an answer of now, or the reply wants it. */
function mustAsk(stored: Standing, { mode, directives }: Wish, now: number): boolean {
  if (mode === 'no-cache' || directives.has('no-cache')) return true
  if (stored.revalidation === 'always') return true
  const oldest = deltaSeconds(directives, 'max-age')
  return oldest !== undefined && currentAge(stored, now) > oldest
}

/** May it be used because there is no better answer (RFC 5861 section 4)? */
export function isGoodOnError(stored: Standing, wish: Wish, now: number): boolean {
  const { mode, directives } = wish
  if (mode === 'no-cache' || mode === 'reload' || stored.revalidation !== 'optional') return false
  if (directives.has('no-cache') || directives.has('max-age')) return false
  return -freshFor(stored, now) < stored.staleIfError
}

/** May it be used because a better answer is slow to come? */
export function isGoodWhileWaiting(stored: Standing, wish: Wish, now: number): boolean {
  const allowed = Math.max(stored.staleIfError, stored.staleWhileRevalidate)
  return isGoodOnError({ ...stored, staleIfError: allowed }, wish, now)
}

/** Section 5.2.1.2: without a value, any. */
function staleness(directives: Directives): number {
  return directives.get('max-stale') === true
    ? Infinity
    : (deltaSeconds(directives, 'max-stale') ?? 0)
}
