import { readBounded } from '../bounded-body.ts'
import { pastBrokenConnection } from './broken-connection.ts'
import { codeOf, reasonOf } from './exchange-failure.ts'
import type { Provider } from './provider.ts'
import type { ProviderAccess } from './provider-access.ts'
import { isSafe } from './retry.ts'
import { waitAfter } from './retry-after.ts'
import { isTimedFetch } from './timed-fetch.ts'
import { sendWithToken } from './token-scheme.ts'
import type { TokenHandler } from './token-handler.ts'
import { parsedUrl } from '../parsed-url.ts'

const maxReplayBytes = 1_048_576
const maxRedirects = 5
/** Seconds: timers fire early, and calls beside it were told to wait a little later. */
const resendSkew = 0.5

/** What never travels on: the token is ours, a cookie would be the caller's. */
const droppedHeaders = ['authorization', 'cookie', 'dpop', 'proxy-authorization']

/** How a request is sent. */
export interface Sending {
  /** Ends the whole exchange, its body included. */
  signal: AbortSignal
  /** It has waited as long as the API asked. */
  isResend: boolean
}

/**
 * Sends a request to the provider's API with the user's access token. After a 401 `invalid_token`
 * (RFC 6750 section 3.1) the token is refreshed once and the request sent again, if its body can
 * be: bodies up to 1 MB are kept for it. While the API wants no calls, it gets none. GET and HEAD are
 * sent once more where the connection broke before a reply began.
 */
export async function authorizedFetch(
  { provider, cooldowns, proofs }: ProviderAccess,
  tokens: TokenHandler,
  request: Request,
  { signal, isResend }: Sending,
): Promise<Response> {
  const { record } = await untilAborted(tokens.live(), signal)
  const cooling = await untilAborted(cooldowns.left(record.grantId), signal)
  if (cooling > (isResend ? resendSkew : 0)) return notSent(provider, cooling)
  const body = await replayable(request)
  // What a fetch of the app's own has done by the time it fails, nobody knows.
  const maySendAgain = isSafe(request.method) && isTimedFetch(provider.fetch)
  const send = (accessToken: string) => {
    const headers = new Headers(request.headers)
    for (const name of droppedHeaders) headers.delete(name)
    const { method, redirect } = request
    const init = { method, headers, redirect, signal, ...body.init }
    const shown = { accessToken, dpopKey: record.dpopKey }
    return follow(provider, request.url, init, (...hop) => {
      // With a new proof of its key, which is good for one request.
      const sendHop = () =>
        sendWithToken(shown, proofs, hop, (to, how) => attempt(provider, to, how))
      return maySendAgain ? pastBrokenConnection(sendHop) : sendHop()
    })
  }
  const { accessToken } = record.tokens
  let response = await send(accessToken)
  if (isInvalidToken(response) && body.again) {
    await response.body?.cancel()
    const replaced = await untilAborted(tokens.replaced(accessToken), signal)
    response = await send(replaced.record.tokens.accessToken)
  }
  if (response.status === 429) {
    await untilAborted(cooldowns.begin(record.grantId, waitAfter(response)), signal)
  }
  return response
}

/** A refresh goes on without a caller who no longer waits for it. */
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** What the API would answer again, and count: callers see a 429 like any other. */
function notSent({ name }: Provider, seconds: number): Response {
  const retryAfterSeconds = Math.ceil(seconds)
  const message = `Not sent: ${name} has asked for no more calls for ${retryAfterSeconds} s.`
  const headers = { 'retry-after': String(retryAfterSeconds) }
  return Response.json({ code: 'rate_limited', message }, { status: 429, headers })
}

interface Replay {
  init: { body?: Uint8Array | ReadableStream<Uint8Array>; duplex?: 'half' }
  again: boolean
}

async function replayable({ body }: Request): Promise<Replay> {
  if (body === null) return { init: {}, again: true }
  const read = await readBounded(body, maxReplayBytes)
  return read.complete
    ? { init: { body: read.bytes }, again: true }
    : { init: { body: read.stream, duplex: 'half' }, again: false }
}

/** Some APIs answer 401 without a challenge; one that names another error wants no new token. */
function isInvalidToken(response: Response): boolean {
  if (response.status !== 401) return false
  const error = /\berror="?([\w-]+)/.exec(response.headers.get('www-authenticate') ?? '')?.[1]
  return error === undefined || error === 'invalid_token'
}

/**
 * The token goes to the provider's origins only: a redirect within them is followed as `fetch`
 * would, one that leads elsewhere is handed to the caller as it is.
 */
async function follow(
  provider: Provider,
  url: string,
  init: RequestInit,
  send: (url: string, init: RequestInit) => Promise<Response>,
): Promise<Response> {
  let target = url
  for (let redirects = 0; ; redirects += 1) {
    const response = await send(target, { ...init, redirect: 'manual' })
    const next =
      init.redirect === 'follow' ? redirectOf(provider, target, init, response) : undefined
    if (next === undefined) return response
    if (redirects === maxRedirects) throw new TypeError('fetch failed: too many redirects')
    await response.body?.cancel()
    target = next
  }
}

/** An error of the app's own `fetch` may hold the request, and with it the token: it is rebuilt. */
async function attempt(provider: Provider, url: string, init: RequestInit): Promise<Response> {
  try {
    return await provider.fetch(url, init)
  } catch (error) {
    if (init.signal?.aborted) throw init.signal.reason
    // oxlint-disable-next-line preserve-caught-error -- it is what must not come along
    throw new TypeError(`fetch failed: ${reasonOf(error)}`, { cause: { code: codeOf(error) } })
  }
}

function redirectOf(
  provider: Provider,
  from: string,
  init: RequestInit,
  response: Response,
): string | undefined {
  const location = response.headers.get('location')
  const isRedirect = [301, 302, 303, 307, 308].includes(response.status)
  if (!isRedirect || !isSafe(init.method ?? 'GET') || !location) return undefined
  const target = parsedUrl(location, from)
  return target && provider.apiOrigins.includes(target.origin) ? target.href : undefined
}
