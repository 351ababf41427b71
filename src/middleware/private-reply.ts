/** What caches in between obey (RFC 9213: a CDN obeys `CDN-Cache-Control` before `Cache-Control`). */
const toCaches =
  /^(?:age|expires|pragma|.+-cache-control|surrogate-.+|cache-tags?|x-accel-expires)$/

/** What an upstream's reply says about its own connection or origin, or to a proxy. */
const toItsOwn =
  /^(?:content-encoding|content-length|transfer-encoding|connection|keep-alive|proxy-.+|te|trailer|upgrade|date|set-cookie2?|x-accel-.+|x-sendfile|x-middleware-.+|x-nextjs-.+|clear-site-data|strict-transport-security|alt-svc|refresh|access-control-.+)$/

/**
 * A reply that depends on who is asking: nobody may keep it unless the app says so itself. What an
 * upstream says of its own reply is not the app's word, and with `cookies`, which go out beside the
 * app's own, nothing is.
 */
export function privately(response: Response, cookies: readonly string[] = []): Response {
  const headers = new Headers(response.headers)
  const passedOn = isPassedOn(response)
  const isOnlyTheirs = passedOn || cookies.length > 0
  const isDropped = (name: string) =>
    (isOnlyTheirs && toCaches.test(name)) || (passedOn && toItsOwn.test(name))
  for (const name of [...headers.keys()].filter(isDropped)) headers.delete(name)
  if (isOnlyTheirs || !headers.has('cache-control'))
    headers.set('cache-control', 'private, no-store')
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  const { status, statusText } = response
  return new Response(response.body, { status, statusText, headers })
}

/**
 * Also one that was copied, `new Response(reply.body, reply)`: an origin dates what it sends (RFC 9110
 * section 6.6.1), and an app leaves that to the server.
 */
function isPassedOn({ url, headers }: Response): boolean {
  return url !== '' || headers.has('cache-status') || headers.has('date')
}
