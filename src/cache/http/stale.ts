import { deltaSeconds } from './cache-control.ts'
import type { CacheKind, Received } from './received.ts'

/** Seconds beyond freshness for which a stored response may be used (RFC 5861). */
export interface StaleAllowance {
  /** While it is refreshed in the background. */
  readonly staleWhileRevalidate?: number | undefined
  /** When the API cannot be reached, or answers 429, 500, 502, 503 or 504. */
  readonly staleIfError?: number | undefined
}

/** When a stored response has to be validated: before each use, once it is stale, or nobody minds. */
export type Revalidation = 'always' | 'when-stale' | 'optional'

/** RFC 9111 sections 5.2.2.2, 5.2.2.4, 5.2.2.8 and 5.2.2.10. */
export function revalidationOf({ directives }: Received, kind: CacheKind): Revalidation {
  if (directives.has('must-revalidate')) return 'when-stale'
  const isForShared = directives.has('proxy-revalidate') || directives.has('s-maxage')
  return kind === 'shared' && isForShared ? 'when-stale' : 'optional'
}

/** What the reply allows itself, else what the app allows. */
export function staleAllowanceOf(
  { directives }: Received,
  fallback: StaleAllowance,
): Required<{ [Key in keyof StaleAllowance]: number }> {
  const { staleWhileRevalidate = 0, staleIfError = 0 } = fallback
  return {
    staleWhileRevalidate:
      deltaSeconds(directives, 'stale-while-revalidate') ?? staleWhileRevalidate,
    staleIfError: deltaSeconds(directives, 'stale-if-error') ?? staleIfError,
  }
}
