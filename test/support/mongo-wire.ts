import { deserialize, serialize } from 'bson'
import { MongoError } from './mongo-values.ts'
import type { Document } from './mongo-values.ts'

const opReply = 1
const opQuery = 2004
const opMsg = 2013

/** One command as it came in; `legacy` is the OP_QUERY in which old handshakes come. */
export interface Request {
  id: number
  command: Document
  legacy: boolean
  /** The client wants no answer. */
  silent: boolean
}

/** Cuts what a socket brings into messages. */
export class MessageSplitter {
  #parts: Buffer[] = []
  #bytes = 0

  /** Gives the messages that are complete with `data`. */
  split(data: Buffer): Buffer[] {
    this.#parts.push(data)
    this.#bytes += data.byteLength
    const messages: Buffer[] = []
    while (this.#bytes >= 4 && this.#bytes >= this.#size()) messages.push(this.#take(this.#size()))
    return messages
  }

  #size(): number {
    if ((this.#parts[0]?.byteLength ?? 0) < 4) this.#parts = [Buffer.concat(this.#parts)]
    return this.#parts[0]?.readInt32LE(0) ?? 0
  }

  #take(size: number): Buffer {
    const all = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts)
    this.#parts = [all.subarray(size)]
    this.#bytes -= size
    return all.subarray(0, size)
  }
}

/** Reads OP_MSG, and OP_QUERY as far as the handshake needs it. */
export function readRequest(message: Buffer): Request {
  const id = message.readInt32LE(4)
  const code = message.readInt32LE(12)
  if (code === opQuery) {
    const start = message.indexOf(0, 20) + 9
    return { id, command: read(message.subarray(start)), legacy: true, silent: false }
  }
  if (code !== opMsg) throw new MongoError(8000, 'AtlasError', `unknown opcode ${code}`)
  const flags = message.readUInt32LE(16)
  const end = message.byteLength - (flags & 1 ? 4 : 0)
  return { id, command: readSections(message, end), legacy: false, silent: (flags & 2) !== 0 }
}

function readSections(message: Buffer, end: number): Document {
  let command: Document = {}
  const sequences: Document = {}
  for (let at = 20; at < end;) {
    const kind = message[at]
    const size = message.readInt32LE(at + 1)
    const section = message.subarray(at + 1, at + 1 + size)
    if (kind === 0) command = read(section)
    else Object.assign(sequences, readSequence(section))
    at += 1 + size
  }
  return { ...command, ...sequences }
}

function readSequence(section: Buffer): Document {
  const nameEnd = section.indexOf(0, 4)
  const documents: Document[] = []
  for (let at = nameEnd + 1; at < section.byteLength;) {
    const size = section.readInt32LE(at)
    documents.push(read(section.subarray(at, at + size)))
    at += size
  }
  return { [section.toString('utf8', 4, nameEnd)]: documents }
}

function read(bytes: Buffer): Document {
  const size = bytes.readInt32LE(0)
  // A copy: what is kept must not hold on to the whole message.
  const copy = Buffer.from(bytes.subarray(0, size))
  return deserialize(copy, { promoteValues: false, promoteLongs: false, promoteBuffers: false })
}

export function writeReply({ id, legacy }: Request, reply: Document): Buffer {
  const body = serialize(reply, { ignoreUndefined: true })
  const header = Buffer.alloc(legacy ? 36 : 21)
  header.writeInt32LE(header.byteLength + body.byteLength, 0)
  header.writeInt32LE(id, 8)
  header.writeInt32LE(legacy ? opReply : opMsg, 12)
  if (legacy) header.writeInt32LE(1, 32)
  return Buffer.concat([header, body])
}
