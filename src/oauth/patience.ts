import { setTimeout as sleep } from 'node:timers/promises'
import { isSafe, type Retry } from './retry.ts'
import { waitAfter } from './retry-after.ts'

/** Seconds. */
const shortestWait = 0.1

/** With these an API asks for patience, whatever is done about it. */
const asking = [429, 503]

/** A reply that asks for patience or for another try, and what became of it. */
export interface Throttling {
  status: number
  /** Seconds. */
  wait: number
  /** Whether the request is sent again after that; else the caller gets the reply. */
  retried: boolean
}

/** How often a request is sent again, how long it waits, and who is told. */
export interface Patience {
  /** Seconds that one request waits at most, all its waits together. */
  maxWait: number
  retry: Retry
  onThrottled: (throttling: Throttling) => void
}

/**
 * Sends a request. GET and HEAD are sent again after the replies that `retry` names, where the wait
 * that they ask for (RFC 9110 section 10.2.3) is short enough; any other reply is the caller's.
 * `signal` ends a wait, with its reason.
 */
export async function patiently(
  { method }: Request,
  signal: AbortSignal,
  send: (isResend: boolean) => Promise<Response>,
  { maxWait, retry, onThrottled }: Patience,
): Promise<Response> {
  let left = maxWait
  for (let resent = 0; ; resent += 1) {
    const response = await send(resent > 0)
    const { status } = response
    const isNamed = retry.statusCodes.has(status)
    if (!isNamed && !asking.includes(status)) return response
    const wait = waitAfter(response)
    const pause = Math.max(wait, shortestWait)
    const retried = isNamed && isSafe(method) && resent < retry.limit && pause <= left
    onThrottled({ status, wait, retried })
    if (!retried) return response
    // What becomes of it is nobody's concern any more.
    response.body?.cancel().catch(() => {})
    left -= pause
    await pauseOf(pause, signal)
  }
}

/** Rejects with the caller's own reason, as `fetch` does. */
async function pauseOf(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => signal.throwIfAborted())
}
