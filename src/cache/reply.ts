import { withCacheStatus } from './cache-status.ts'
import type { Partition } from './partition.ts'
import { storableHeaders, type StoredResponse } from './stored-response.ts'
import { variantOf } from './vary.ts'

/** A reply as it will be stored. `ttl` in seconds. */
export function toStored(
  request: Request,
  response: Response,
  body: Uint8Array,
  partition: Partition,
  ttl: number,
): Omit<StoredResponse, 'key'> {
  const storedAt = Date.now()
  return {
    status: response.status,
    headers: storableHeaders(response.headers),
    variant: variantOf(response.headers.get('vary'), request, partition.key),
    storedAt,
    freshUntil: storedAt + ttl * 1000,
    body,
  }
}

/** The stored response as a reply to this request, with its Age (RFC 9111 section 5.1). */
export function fromStored(stored: StoredResponse, request: Request): Response {
  const now = Date.now()
  const headers = new Headers(
    stored.headers.map(([name, value]): [string, string] => [name, value]),
  )
  headers.set('age', String(Math.max(0, Math.floor((now - stored.storedAt) / 1000))))
  const body = request.method === 'HEAD' ? null : new Uint8Array(stored.body)
  const response = new Response(body, { status: stored.status, headers })
  Object.defineProperty(response, 'url', { value: request.url })
  return withCacheStatus(response, {
    hit: true,
    ttl: Math.max(0, Math.ceil((stored.freshUntil - now) / 1000)),
  })
}
