/** What every reply of an auth route carries: it is one user's, and its URL may hold a code. */
const privately = { 'cache-control': 'private, no-store', 'referrer-policy': 'no-referrer' }

/** 303: the next request is a GET, whatever this one was (RFC 9700 section 4.12: never a 307). */
export function redirect(location: string | URL): Response {
  return new Response(null, { status: 303, headers: { ...privately, location: String(location) } })
}

export function json(body: unknown, status = 200): Response {
  return Response.json(body, { status, headers: privately })
}

export function empty(status: number): Response {
  return new Response(null, { status, headers: privately })
}

/** 405 with a word on what to do: a link to the logout is the first thing that many write. */
export function notAllowed(allow: 'GET' | 'POST'): Response {
  const how = allow === 'POST' ? 'from a form with method="post"' : 'by navigating to it'
  const headers = { ...privately, allow, 'content-type': 'text/plain; charset=utf-8' }
  return new Response(`Use ${allow} here: ${how}.\n`, { status: 405, headers })
}

/** A plain page for an error that reached a person: a code, no text that came from outside. */
export function errorPage(code: string, message: string, status: number): Response {
  const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Login failed</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem}</style>
<h1>The login did not work</h1><p>${escapeHtml(message)}</p><p><a href="/">Start again</a></p><p><small>${escapeHtml(code)}</small></p></html>`
  const headers = {
    ...privately,
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  }
  return new Response(page, { status, headers })
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
