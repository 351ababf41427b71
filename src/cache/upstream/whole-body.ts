import { bodyText } from '../../body-text.ts'
import { readBounded } from '../../bounded-body.ts'
import type { Fields } from '../http/received.ts'
import { isDecoded } from '../http/stored-fields.ts'

/** A body as it was read: whole, or too long to be kept, or less than was announced. */
export type BodyRead =
  | { readonly bytes: Uint8Array; readonly complete: true }
  | { readonly bytes: Uint8Array; readonly complete: false }
  | { readonly stream: ReadableStream<Uint8Array> }

/** Beyond it, reading JSON only to see whether it ends would cost more than it tells. */
const checkedBytes = 262_144

/** Reads a reply's body up to `limit` decoded bytes; a longer one loses nothing. Rejects as it does. */
export async function readWhole(
  body: Response['body'],
  headers: Fields,
  limit: number,
): Promise<BodyRead> {
  if (body === null) return { bytes: new Uint8Array(), complete: true }
  const read = await readBounded(body, limit)
  if (!read.complete) return { stream: read.stream }
  const { bytes } = read
  return { bytes, complete: hasAll(headers, bytes) }
}

function hasAll(headers: Fields, bytes: Uint8Array): boolean {
  // What was decoded has another length than was sent.
  if (isDecoded(headers)) return !breaksOff(headers, bytes)
  const length = headers.get('content-length')
  if (length !== null) return Number(length) === bytes.byteLength
  // RFC 9112 section 7.1: of chunks the last one says so, and `fetch` rejects without it.
  return headers.get('transfer-encoding') === 'chunked' || !breaksOff(headers, bytes)
}

/** JSON that is none is most likely half of one. */
function breaksOff(headers: Fields, bytes: Uint8Array): boolean {
  const type = headers.get('content-type') ?? ''
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(type) || bytes.byteLength > checkedBytes)
    return false
  try {
    JSON.parse(bodyText({ body: bytes }))
    return false
  } catch {
    return bytes.byteLength > 0
  }
}
