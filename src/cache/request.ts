/** The `cache` modes of fetch. `force-cache` is read as `default`, `no-cache` as `reload`. */
export type CacheMode =
  | 'default'
  | 'no-store'
  | 'reload'
  | 'no-cache'
  | 'force-cache'
  | 'only-if-cached'

/** Headers that ask for a part, or for an answer that depends on what the caller holds. */
const ownBusiness = [
  'range',
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
]

/** Does the request rule out the cache? The parameters of Cache-Status say why (RFC 9211). */
export function bypassReason(
  request: Request,
  mode: CacheMode,
  ttl: number,
): { fwd: 'method' | 'bypass' | 'request'; detail?: string } | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') return { fwd: 'method' }
  if (ttl === 0) return { fwd: 'bypass', detail: 'no-rule' }
  const forbids = /\bno-(store|cache)\b/i.test(request.headers.get('cache-control') ?? '')
  if (mode === 'no-store' || forbids) return { fwd: 'request' }
  if (ownBusiness.some((name) => request.headers.has(name))) return { fwd: 'request' }
  return undefined
}
