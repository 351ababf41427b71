/** Of an upstream's reply that is passed on: about its own connection, or not for this browser. */
const notPassedOn = ['content-encoding', 'content-length', 'transfer-encoding', 'set-cookie']

/**
 * A reply that depends on who is asking: nobody may keep it unless the app says so itself. What an
 * upstream says of its own reply is not the app's word. `cookies`: what it sets beside the app's own.
 */
export function privately(response: Response, cookies: readonly string[] = []): Response {
  const headers = new Headers(response.headers)
  const isPassedOn = response.url !== '' || headers.has('cache-status')
  if (isPassedOn) for (const name of notPassedOn) headers.delete(name)
  if (isPassedOn || !headers.has('cache-control')) headers.set('cache-control', 'private, no-store')
  for (const cookie of cookies) headers.append('set-cookie', cookie)
  const { status, statusText } = response
  return new Response(response.body, { status, statusText, headers })
}
