/** What {@link cachedResponse} has beside its body. */
export interface CachedResponseInit {
  /** Default 200. */
  status?: number | undefined
  headers?: RequestInit['headers'] | undefined
}

/**
 * A response as if `request` had just brought it from the network: for what an app has got in another
 * way, and for tests. Text and bytes are the body as they are, anything else is JSON.
 */
export function cachedResponse(
  request: Request | URL | string,
  payload: unknown,
  { status = 200, headers: given }: CachedResponseInit = {},
): Response {
  const headers = new Headers(given)
  const [body, contentType] = bodyOf(payload)
  if (!headers.has('content-type')) headers.set('content-type', contentType)
  if (!headers.has('date')) headers.set('date', new Date().toUTCString())
  const response = new Response(body, { status, headers })
  const url = new URL(request instanceof Request ? request.url : request)
  url.hash = ''
  Object.defineProperty(response, 'url', { value: url.href })
  return response
}

function bodyOf(payload: unknown): [body: string | Uint8Array, contentType: string] {
  if (typeof payload === 'string') return [payload, 'text/plain;charset=utf-8']
  if (payload instanceof Uint8Array) return [payload, 'application/octet-stream']
  return [JSON.stringify(payload ?? null), 'application/json']
}
