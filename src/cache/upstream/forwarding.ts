/** How a request goes upstream. */
export interface Forwarding {
  /** Fields that take the place of the request's own: what asks whether what is stored is good. */
  readonly fields?: Readonly<Record<string, string>> | undefined
  /** Nobody waits for it any more: the caller's signal must not end it. */
  readonly detached?: boolean | undefined
  /** Takes the place of the caller's signal, for a call that others may have joined. */
  readonly signal?: AbortSignal | undefined
  /** Takes the place of the request's own: the same endpoint, asked for less. */
  readonly url?: string | undefined
}

/** RFC 9110 section 13.1: conditions of the request's own, which ours replace. */
const conditions = ['if-none-match', 'if-modified-since']

/** The headers to send. */
export function forwardedHeaders(own: Headers, fields: Readonly<Record<string, string>>): Headers {
  const headers = new Headers(own)
  if (conditions.some((name) => name in fields)) {
    for (const name of conditions) headers.delete(name)
  }
  for (const name in fields) headers.set(name, fields[name]!)
  return headers
}

/** The request to send; the one that was given where nothing changes. */
export function forwardedRequest(request: Request, how: Forwarding): Request {
  const { fields, detached, signal, url = request.url } = how
  const isElsewhere = url !== request.url
  if (!fields && !detached && !signal && !isElsewhere) return request
  const headers = fields ? forwardedHeaders(request.headers, fields) : request.headers
  if (!detached && !signal && !isElsewhere) return new Request(request, { headers })
  const { method, redirect } = request
  const ends = signal ?? (detached ? undefined : request.signal)
  return new Request(url, { method, redirect, headers, ...(ends && { signal: ends }) })
}
