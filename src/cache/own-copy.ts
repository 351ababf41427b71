/** Bytes; a longer body is copied for its reader piece by piece. */
const pieceBytes = 65_536

/**
 * The same bytes as one reader's body: copied, because who reads may change them. Long ones are
 * copied as they are read: a thousand replies that wait for their readers hold the bytes once.
 */
export function ownCopy(bytes: Uint8Array): Uint8Array | ReadableStream<Uint8Array> {
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
