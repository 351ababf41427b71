/**
 * Of an upstream's reply that is passed on: about its own connection, its own origin, or to caches and
 * proxies in between (RFC 9213: a CDN obeys `CDN-Cache-Control` before `Cache-Control`).
 */
const notPassedOn =
  /^(?:content-encoding|content-length|transfer-encoding|connection|keep-alive|proxy-.+|te|trailer|upgrade|set-cookie2?|age|expires|pragma|.+-cache-control|surrogate-.+|cache-tags?|x-accel-.+|x-sendfile|x-middleware-.+|x-nextjs-.+|clear-site-data|strict-transport-security|alt-svc|refresh|access-control-.+)$/

/**
 * A reply that depends on who is asking: nobody may keep it unless the app says so itself. What an
 * upstream says of its own reply is not the app's word. `cookies`: what it sets beside the app's own.
 */
export function privately(response: Response, cookies: readonly string[] = []): Response {
  const headers = new Headers(response.headers)
  const isPassedOn = response.url !== '' || headers.has('cache-status')
  const dropped = isPassedOn ? [...headers.keys()].filter((name) => notPassedOn.test(name)) : []
  for (const name of dropped) headers.delete(name)
  if (isPassedOn || !headers.has('cache-control')) headers.set('cache-control', 'private, no-store')
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  const { status, statusText } = response
  return new Response(response.body, { status, statusText, headers })
}
