/** Why a request went forward, and what came of it: the parameters of RFC 9211 section 2. */
export interface Forwarded {
  readonly hit?: undefined
  readonly fwd: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale'
  /** `undefined` when no reply came. */
  readonly fwdStatus?: number | undefined
  readonly stored: boolean
  /** Another call at the same time has brought the reply. */
  readonly collapsed?: boolean | undefined
  /** Why nothing was stored, or not looked for; or why something stale was served. */
  readonly detail?: string | undefined
}

/** What the cache did with a request. `ttl`: seconds for which the reply stays fresh; below 0 it is stale. */
export type CacheStatus =
  | { readonly hit: true; readonly ttl?: number | undefined; readonly detail?: string | undefined }
  | { readonly hit: false; readonly detail: string }
  | Forwarded

/** The value of the Cache-Status field (RFC 9211). */
export function cacheStatus(status: CacheStatus): string {
  if (status.hit) {
    const ttl = status.ttl === undefined ? '' : `; ttl=${status.ttl}`
    return `behalf; hit${ttl}${status.detail ? `; detail=${status.detail}` : ''}`
  }
  if (status.hit === false) return `behalf; detail=${status.detail}`
  const { fwd, fwdStatus, stored, collapsed, detail } = status
  const parameters = [
    `fwd=${fwd}`,
    ...(fwdStatus === undefined ? [] : [`fwd-status=${fwdStatus}`]),
    ...(stored ? ['stored'] : []),
    ...(collapsed ? ['collapsed'] : []),
    ...(detail ? [`detail=${detail}`] : []),
  ]
  return `behalf; ${parameters.join('; ')}`
}
