import { randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Where the parts of a value are, and how its whole is known to be whole. */
export interface Chunks {
  /** 24 hexadecimal digits, new for every write. */
  id: string
  count: number
  bytes: number
  checksum: number
}

/** What stands under the key itself: the value, or where its chunks are. */
export type Head = { value: Uint8Array } | { chunks: Chunks }

const inline = 0
const split = 1
const splitBytes = 25
/** Bytes of the smallest chunk but the last: below it, a value's chunks would be too many. */
export const leastChunkBytes = 1024

/** The head of a value that is stored as it is. */
export function inlineHead(value: Uint8Array): Uint8Array {
  const head = new Uint8Array(value.byteLength + 1)
  head[0] = inline
  head.set(value, 1)
  return head
}

/** Describes the chunks of a value, under a new id. */
export function describeChunks(value: Uint8Array, chunkBytes: number): Chunks {
  return {
    id: randomBytes(12).toString('hex'),
    count: Math.ceil(value.byteLength / chunkBytes),
    bytes: value.byteLength,
    checksum: crc32(value),
  }
}

/** The head that names chunks; to be written after them. */
export function splitHead({ id, count, bytes, checksum }: Chunks): Uint8Array {
  const head = Buffer.alloc(splitBytes)
  head[0] = split
  head.write(id, 1, 'hex')
  head.writeUInt32BE(count, 13)
  head.writeUInt32BE(bytes, 17)
  head.writeUInt32BE(checksum, 21)
  return head
}

/** Gives `undefined` for what none of the above has written, or for more than `maxBytes`. */
export function readHead(bytes: Uint8Array, maxBytes: number): Head | undefined {
  if (bytes[0] === inline) return { value: bytes.subarray(1) }
  if (bytes[0] !== split || bytes.byteLength !== splitBytes) return undefined
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const chunks = {
    id: head.toString('hex', 1, 13),
    count: head.readUInt32BE(13),
    bytes: head.readUInt32BE(17),
    checksum: head.readUInt32BE(21),
  }
  // Whoever wrote the head: it must not make us read without end.
  const mostChunks = Math.ceil(chunks.bytes / leastChunkBytes)
  return chunks.bytes <= maxBytes && chunks.count <= mostChunks ? { chunks } : undefined
}

/** The whole of `parts`, or `undefined` where they are not what the head describes. */
export function joinChunks(
  { bytes, checksum }: Chunks,
  parts: readonly Uint8Array[],
): Uint8Array | undefined {
  const value = Buffer.concat(parts)
  return value.byteLength === bytes && crc32(value) === checksum ? value : undefined
}
