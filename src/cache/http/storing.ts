import { limitedTo } from './cache-control.ts'
import { initialAge } from './age.ts'
import { explicitLifetime, freshnessLifetime } from './freshness.ts'
import { isHeuristicallyCacheable } from './heuristic.ts'
import type { CacheKind, Received } from './received.ts'
import {
  type Revalidation,
  revalidationOf,
  type StaleAllowance,
  staleAllowanceOf,
} from './stale.ts'
import { hasValidator } from './validation.ts'

/** How long a reply may be reused, as it is stored with it. Seconds. */
export interface Keeping {
  readonly initialAge: number
  /** Counted like the age. */
  readonly lifetime: number
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
  readonly revalidation: Revalidation
}

/** May a reply be stored? `reason` is a word for Cache-Status. */
export type StoringDecision =
  | { readonly store: true; readonly keeping: Keeping }
  | { readonly store: false; readonly reason: string }

/** What decides beside the reply itself. */
export interface StoringContext extends StaleAllowance {
  readonly kind: CacheKind
  /** The request carried credentials of a user. */
  readonly authorized: boolean
}

/** Statuses whose caching this cache understands (RFC 9111 section 5.2.2.3); 206 and 304 are not replies by themselves. */
const understood = new Set([
  200, 201, 202, 203, 204, 205, 300, 301, 302, 303, 307, 308, 400, 402, 404, 405, 406, 409, 410,
  411, 412, 413, 414, 415, 417, 422, 451,
])

/** Never content: what is wrong now, for this token, or just too often. */
export function isPassing(status: number): boolean {
  return status >= 500 || [206, 304, 401, 403, 407, 408, 429].includes(status) || status < 200
}

/** Decides by RFC 9111 section 3, for a reply to GET. */
export function decideByHeaders(reply: Received, context: StoringContext): StoringDecision {
  const refusal = forbidden(reply, context)
  if (refusal !== undefined) return { store: false, reason: refusal }
  const { kind } = context
  const isExplicit = explicitLifetime(reply, kind) !== undefined
  if (!isExplicit && !isHeuristicallyCacheable(reply))
    return { store: false, reason: 'no-lifetime' }
  const { staleWhileRevalidate, staleIfError } = staleAllowanceOf(reply, context)
  const keeping: Keeping = {
    initialAge: initialAge(reply),
    lifetime: freshnessLifetime(reply, kind),
    staleWhileRevalidate,
    staleIfError,
    revalidation: isNoCache(reply) ? 'always' : revalidationOf(reply, kind),
  }
  return isUseful(reply, keeping) ? { store: true, keeping } : { store: false, reason: 'stale' }
}

function forbidden(reply: Received, { kind, authorized }: StoringContext): string | undefined {
  const { status, directives } = reply
  if (isPassing(status)) return `status-${status}`
  const mustUnderstand = directives.has('must-understand')
  if (mustUnderstand && !understood.has(status)) return 'must-understand'
  if (directives.has('no-store') && !mustUnderstand) return 'no-store'
  if (kind === 'private') return undefined
  if (isPrivate(reply)) return 'private'
  return authorized && !permitsSharing(reply) ? 'authorization' : undefined
}

/** Section 5.2.2.7; limited to fields, it is about those alone. */
function isPrivate({ directives }: Received): boolean {
  return directives.has('private') && limitedTo(directives, 'private') === undefined
}

function isNoCache({ directives }: Received): boolean {
  return directives.has('no-cache') && limitedTo(directives, 'no-cache') === undefined
}

/** Section 3.5: may a reply to somebody's credentials be used for others? */
export function permitsSharing(reply: Received): boolean {
  const { directives } = reply
  // With fields or without: who says both is not believed.
  if (directives.has('private')) return false
  return ['public', 's-maxage', 'must-revalidate'].some((name) => directives.has(name))
}

/** What is stale at once, and can neither be validated nor used stale, would only take room. */
function isUseful(reply: Received, keeping: Keeping): boolean {
  const { lifetime, staleWhileRevalidate, staleIfError, revalidation } = keeping
  if (hasValidator(reply.headers)) return true
  if (revalidation === 'always') return false
  const beyond = revalidation === 'optional' ? Math.max(staleWhileRevalidate, staleIfError) : 0
  return lifetime + beyond > keeping.initialAge
}
