import { readBounded } from '../bounded-body.ts'
import { BehalfError, ProviderUnavailableError, UnexpectedResponseError } from '../errors.ts'
import { reasonOf } from './exchange-failure.ts'
import { presentationOf } from './presentation.ts'
import { isSecure, type Provider } from './provider.ts'
import { retryAfter } from './retry-after.ts'
import { checkTokenReply } from './token-set.ts'

const maxReplyBytes = 262_144
const noBody = { complete: true, bytes: new Uint8Array() } as const
/** Seconds. */
const longestWait = 3600

/**
 * The `fetch` that reaches an authorization server: it goes to https only, or to this very machine,
 * whatever metadata says; it follows no redirect, reads a bounded body
 * within its deadline, and tells a server that is ill (408, 429, 5xx, whatever the body says) from
 * one that refuses. Anything it throws is an error of ours, without the request's secrets.
 */
export async function providerFetch(
  provider: Provider,
  timeout: number,
  url: string,
  init: RequestInit,
): Promise<Response> {
  // Metadata of a server on this machine may name any other one, by plain http.
  if (!isSecure(new URL(url)))
    throw new UnexpectedResponseError(provider.name, 'an endpoint without https')
  const response = await attempt(provider, timeout, url, init)
  const body = new Uint8Array(response.body)
  if (response.status >= 300 && response.status < 400) {
    throw new UnexpectedResponseError(provider.name, `${response.status}, a redirect`)
  }
  if ([408, 429].includes(response.status) || response.status >= 500) {
    throw new ProviderUnavailableError(
      provider.name,
      `it answered ${response.status}`,
      waitOf(response.headers),
    )
  }
  // RFC 9110: these statuses have no body, and Response refuses one.
  const empty = [204, 205].includes(response.status)
  return new Response(empty ? null : body, { status: response.status, headers: response.headers })
}

function waitOf(headers: Headers): number | undefined {
  const seconds = retryAfter(headers)
  return seconds === undefined ? undefined : Math.min(Math.max(seconds, 1), longestWait)
}

/** As {@link providerFetch}, for the token endpoint: a success is checked before it is believed. */
export async function tokenFetch(
  provider: Provider,
  timeout: number,
  url: string,
  init: RequestInit,
): Promise<Response> {
  const response = await providerFetch(provider, timeout, url, init)
  if (response.status !== 200) {
    if (await wantsNonce(response)) presentationOf(init)?.declined()
    return response
  }
  const body: unknown = await response.json().catch(() => undefined)
  const refusal = errorIn(provider, body)
  if (refusal !== undefined) return Response.json({ error: refusal }, { status: 400 })
  const isBound = new Headers(init.headers).has('dpop')
  const checked = checkTokenReply(body, isBound ? 'dpop' : 'bearer')
  if (!checked.ok) throw new UnexpectedResponseError(provider.name, checked.reason)
  // Plain OAuth 2 has no use for an ID token, and without metadata no keys to check it with.
  if (!provider.definition.discovery) delete checked.reply['id_token']
  return new Response(JSON.stringify(checked.reply), { headers: response.headers })
}

/** RFC 9449 section 8: the request was not looked at, and may come again with the server's nonce. */
async function wantsNonce(response: Response): Promise<boolean> {
  if (response.status !== 400 || !response.headers.has('dpop-nonce')) return false
  const body = (await response
    .clone()
    .json()
    .catch(() => undefined)) as { error?: unknown } | null
  return body?.error === 'use_dpop_nonce'
}

/** An error that the provider is known to send with a status of success, by its proper name. */
function errorIn({ definition }: Provider, body: unknown): string | undefined {
  const { error } = (body ?? {}) as { error?: unknown }
  const known = definition.errorsWithSuccess ?? {}
  return typeof error === 'string' && Object.hasOwn(known, error) ? known[error] : undefined
}

async function attempt(
  provider: Provider,
  timeout: number,
  url: string,
  init: RequestInit,
): Promise<{ status: number; headers: Headers; body: Uint8Array }> {
  const controller = new AbortController()
  const { signal } = controller
  // After a stall of the process timers come before replies that are there: those get one more turn.
  const giveUp = () => setImmediate(() => controller.abort())
  const timer = setTimeout(giveUp, timeout * 1000)
  try {
    const { status, headers, body } = await provider.fetch(url, {
      ...init,
      redirect: 'manual',
      signal,
    })
    const read = body === null ? noBody : await readBounded(body, maxReplyBytes)
    if (read.complete) {
      presentationOf(init)?.answered(status)
      return { status, headers, body: read.bytes }
    }
    await read.stream.cancel()
  } catch (error) {
    throw unreachable(provider, signal.aborted ? `no answer within ${timeout} s` : reasonOf(error))
  } finally {
    clearTimeout(timer)
  }
  throw new UnexpectedResponseError(provider.name, `it is longer than ${maxReplyBytes} bytes`)
}

function unreachable(provider: Provider, what: string): BehalfError {
  return new ProviderUnavailableError(provider.name, what)
}
