/** A body read up to a limit: whole, or the part that was read followed by the rest, as a stream. */
export type BoundedBody =
  | { complete: true; bytes: Uint8Array }
  | { complete: false; stream: ReadableStream<Uint8Array> }

/**
 * Reads a body as far as `limit` bytes. One that is longer loses nothing: what was read comes
 * first in the stream that is given back. Rejects as the body does.
 */
export async function readBounded(
  body: ReadableStream<Uint8Array>,
  limit: number,
): Promise<BoundedBody> {
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let size = 0
  while (size <= limit) {
    const { done, value } = await reader.read()
    if (done) return { complete: true, bytes: joined(chunks) }
    chunks.push(value)
    size += value.length
  }
  return { complete: false, stream: resume(chunks, reader) }
}

/** Most bodies come in one piece. */
function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
}

function resume(
  chunks: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async pull(controller) {
      const held = chunks.shift()
      if (held) return controller.enqueue(held)
      const { done, value } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}
