import type { BehalfError, ErrorCode } from '../errors.ts'

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

/** What is told of an error. */
export type ToldError = Pick<BehalfError, 'message' | 'status' | 'headers'> & { code: string }

/**
 * A plain page for a login that failed: what it means for the person, a way to start again, and the
 * code for whoever is asked for help, with a reference by which the event is found. What to mend is
 * told to the developer, not here.
 */
export function errorPage(error: ToldError, startAgain: string, reference = ''): Response {
  const page = document(
    'This did not work',
    `<h1>This did not work</h1><p>${meaningOf(error)}</p>
<p><a href="${escapeHtml(startAgain)}">Start again</a></p><p><small>${error.code} ${reference}</small></p>`,
  )
  return withHeadersOf(error, new Response(page, { status: statusOf(error), headers: pageHeaders }))
}

/** The same for a script: its code, and for what is the caller's matter the message and `loginUrl`. */
export function errorJson(error: ToldError): Response {
  const { code, message } = error
  const status = statusOf(error)
  const { loginUrl } = error as { loginUrl?: unknown }
  const body = {
    code,
    ...(status < 500 ? { message } : {}),
    ...(typeof loginUrl === 'string' ? { loginUrl } : {}),
  }
  return withHeadersOf(error, json(body, status))
}

/** An upstream's status can be any. */
function statusOf({ status }: ToldError): number {
  return status < 400 || status > 599 ? 502 : status
}

/** But for an upstream's: those are of another reply. */
function withHeadersOf({ headers }: ToldError, response: Response): Response {
  if (headers instanceof Headers) return response
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value)
  return response
}

/** Asks whether the visitor wants the login that another site has led to; their click is the app's own. */
export function confirmationPage(provider: string, goOn: string): Response {
  const page = document(
    'Go on?',
    `<h1>Go on to ${escapeHtml(provider)}?</h1>
<p>Another site, or another address of this one, has sent you here to connect your account at ${escapeHtml(provider)}. Go on only if that is what you want.</p>
<p><a href="${escapeHtml(goOn)}">Go on</a></p>`,
  )
  return new Response(page, { headers: pageHeaders })
}

/** Goes on by itself, as a page of the app's own. */
export function continuePage(goOn: string): Response {
  const link = escapeHtml(goOn)
  const page = document(
    'One moment',
    `<meta http-equiv="refresh" content="0;url=${link}"><p><a href="${link}">Go on</a></p>`,
  )
  return new Response(page, { headers: pageHeaders })
}

function document(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>${title}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem}
a{display:inline-block;padding:.5rem 1rem;border-radius:.5rem;background:#111;color:#fff;text-decoration:none}
small{color:#666}</style>
${body}</html>`
}

const pageHeaders = {
  ...privately,
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy':
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
}

function meaningOf({ code, status }: ToldError): string {
  return (
    meanings[code as ErrorCode] ??
    (status < 500 ? 'It could not be finished.' : 'Something went wrong.')
  )
}

const meanings: Readonly<Partial<Record<ErrorCode, string>>> = {
  access_denied: 'It was cancelled, or access was not granted.',
  state_missing: 'This page is only reached from a login.',
  state_unknown:
    'This browser did not begin it, or does not remember that it did. Cookies must be allowed.',
  state_expired: 'It took too long.',
  state_replayed: 'It has already been finished once.',
  state_user_changed: 'Somebody else is signed in by now, or nobody any more.',
  provider_unavailable: 'The other side cannot be reached right now. Try again in a moment.',
  store_unavailable: 'Something here cannot be reached right now. Try again in a moment.',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
