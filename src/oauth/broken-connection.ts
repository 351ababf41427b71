import { codeOf } from './exchange-failure.ts'

/** With these Node's `fetch` rejects where a connection ends before the head of a reply. */
const ended: ReadonlySet<string | undefined> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'])

/**
 * Sends a request, and once more where its connection broke before there was the head of a reply:
 * servers close connections that were idle, also at the very moment in which they are used again.
 * For requests that may be sent twice only (RFC 9110 section 9.2.2).
 */
export async function pastBrokenConnection(send: () => Promise<Response>): Promise<Response> {
  try {
    return await send()
  } catch (error) {
    if (!ended.has(codeOf(error))) throw error
    return send()
  }
}
