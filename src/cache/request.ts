import { type Directives, parseCacheControl } from './http/cache-control.ts'
import type { Fields } from './http/received.ts'

/** The `cache` modes of fetch, as the Fetch standard has them. */
export type CacheMode =
  | 'default'
  | 'no-store'
  | 'reload'
  | 'no-cache'
  | 'force-cache'
  | 'only-if-cached'

/** Headers that ask for a part, or for a change that depends on what is there. */
const ownBusiness = ['range', 'if-range', 'if-match', 'if-unmodified-since']

/** Why a request passes the cache by: the parameters of Cache-Status (RFC 9211). */
export interface Bypass {
  readonly fwd: 'method' | 'bypass' | 'request'
  readonly detail?: string | undefined
}

/** Does the request rule out the cache? */
export function bypassReason(
  { method, headers }: { readonly method: string; readonly headers: Fields },
  mode: CacheMode,
): Bypass | undefined {
  if (method !== 'GET' && method !== 'HEAD') return { fwd: 'method' }
  if (mode === 'no-store' || requestDirectives(headers).has('no-store')) return { fwd: 'request' }
  if (ownBusiness.some((name) => headers.has(name))) return { fwd: 'request' }
  return undefined
}

/** RFC 9111 section 5.2.1. */
export function requestDirectives(headers: Fields): Directives {
  return parseCacheControl(headers.get('cache-control'))
}

/** Does the request ask only for what is stored (section 5.2.1.7)? */
export function wantsStoredOnly(mode: CacheMode, directives: Directives): boolean {
  return mode === 'only-if-cached' || directives.has('only-if-cached')
}
