import { readBounded } from '../bounded-body.ts'
import { rebuild } from './rebuild.ts'
import type { Outcome } from './collapsing.ts'

/** Bytes; a longer body is copied for its reader piece by piece. */
const pieceBytes = 65_536

/**
 * A reply that others may have too, as long as its body has `maxBytes` (decoded) or fewer. A longer
 * one is its caller's alone, as a stream that has lost nothing. Rejects as the body does.
 */
export async function sharedReply(
  response: Response,
  maxBytes: number,
): Promise<Outcome<Response>> {
  if (response.body === null) return { shared: true, reply: () => rebuild(response, null) }
  const body = await readBounded(response.body, maxBytes)
  if (!body.complete) {
    const reply = rebuild(response, body.stream)
    return { shared: false, reply, response: reply }
  }
  return { shared: true, reply: () => rebuild(response, eachItsOwn(body.bytes)) }
}

/**
 * The same bytes as one reader's body: copied, because who reads may change them. Long ones are
 * copied as they are read: a thousand replies that wait for their readers hold the bytes once.
 */
function eachItsOwn(bytes: Uint8Array): Uint8Array | ReadableStream<Uint8Array> {
  if (bytes.byteLength <= pieceBytes) return bytes
  let at = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        controller.enqueue(bytes.slice(at, at + pieceBytes))
        at += pieceBytes
        if (at >= bytes.byteLength) controller.close()
      },
    },
    { highWaterMark: 0 },
  )
}
