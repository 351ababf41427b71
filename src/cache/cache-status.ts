/** Why a request went forward, and what came of it: the parameters of RFC 9211 section 2. */
export interface Forwarded {
  hit?: undefined
  fwd: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale'
  fwdStatus: number
  stored: boolean
  /** Why nothing was stored, or not looked for. */
  detail?: string | undefined
}

/** What the cache did with a request. `ttl`: seconds for which the reply stays fresh. */
export type CacheStatus = { hit: true; ttl: number } | { hit: false; detail: string } | Forwarded

/** Adds the Cache-Status field (RFC 9211) to a reply. */
export function withCacheStatus(response: Response, status: CacheStatus): Response {
  // LinkedIn's 999, for one, is a status that no Response can be made with.
  if (response.status > 599) return response
  const headers = new Headers(response.headers)
  headers.append('cache-status', `behalf; ${parameters(status).join('; ')}`)
  return rebuild(response, response.body, headers)
}

function parameters(status: CacheStatus): string[] {
  if (status.hit) return ['hit', `ttl=${status.ttl}`]
  if (status.hit === false) return [`detail=${status.detail}`]
  const { fwd, fwdStatus, stored, detail } = status
  return [
    `fwd=${fwd}`,
    `fwd-status=${fwdStatus}`,
    ...(stored ? ['stored'] : []),
    ...(detail ? [`detail=${detail}`] : []),
  ]
}

/** The same reply over another body or with other headers; `url`, which SDKs read, comes along. */
export function rebuild(
  response: Response,
  body: Uint8Array | ReadableStream<Uint8Array> | null,
  headers: Headers = response.headers,
): Response {
  const { status, statusText, url } = response
  const rebuilt = new Response(body, { status, statusText, headers })
  if (url) Object.defineProperty(rebuilt, 'url', { value: url })
  return rebuilt
}
