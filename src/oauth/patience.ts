import { setTimeout as sleep } from 'node:timers/promises'
import { waitAfter } from './retry-after.ts'

/** Seconds. */
const shortestWait = 0.1
const mostAttempts = 3

/** A reply that asks for patience, and what became of it. */
export interface Throttling {
  status: number
  /** Seconds. */
  wait: number
  /** Whether the request is sent again after that; else the caller gets the reply. */
  retried: boolean
}

/** How long a request waits, and who is told. */
export interface Patience {
  /** Seconds that one request waits at most, all its waits together. */
  maxWait: number
  onThrottled: (throttling: Throttling) => void
}

/**
 * Sends a request. GET and HEAD are sent again after a 429 or a 503, twice at most, where the wait
 * that the reply asks for (RFC 9110 section 10.2.3) is short enough; any other reply is the caller's.
 * `signal` ends a wait, with its reason.
 */
export async function patiently(
  { method }: Request,
  signal: AbortSignal,
  send: (isResend: boolean) => Promise<Response>,
  { maxWait, onThrottled }: Patience,
): Promise<Response> {
  let left = maxWait
  for (let attempts = 1; ; attempts += 1) {
    const response = await send(attempts > 1)
    if (response.status !== 429 && response.status !== 503) return response
    const wait = waitAfter(response)
    const retried = isSafe(method) && attempts < mostAttempts && wait <= left
    onThrottled({ status: response.status, wait, retried })
    if (!retried) return response
    // What becomes of it is nobody's concern any more.
    response.body?.cancel().catch(() => {})
    const pause = Math.max(wait, shortestWait)
    left -= pause
    await pauseOf(pause, signal)
  }
}

/** RFC 9110 section 9.2.1: what can be sent twice and changes nothing. */
function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Rejects with the caller's own reason, as `fetch` does. */
async function pauseOf(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => signal.throwIfAborted())
}
