/** The same reply over another body or with other headers; `url` and `redirected`, which SDKs read, come along. */
export function rebuild(
  response: Response,
  body: Uint8Array | ReadableStream<Uint8Array> | null,
  headers: Headers | Array<[string, string]> = response.headers,
): Response {
  const { status, statusText, url, redirected } = response
  const rebuilt = new Response(body, { status, statusText, headers })
  if (url) Object.defineProperty(rebuilt, 'url', { value: url })
  if (redirected) Object.defineProperty(rebuilt, 'redirected', { value: redirected })
  return rebuilt
}
