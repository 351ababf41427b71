/**
 * One reply of memcached's meta protocol
 * (https://github.com/memcached/memcached/blob/master/doc/protocol.txt).
 */
export interface MemcachedReply {
  /** `HD`, `VA`, `EN`, `NS`, `EX` or `NF`, or one of `ERROR`, `CLIENT_ERROR` and `SERVER_ERROR`. */
  code: string
  /** What follows it on its line: flags with their first letter, or an error's text. */
  words: readonly string[]
  /** With `VA`; bytes of its own. Not there where it is larger than was asked to be taken. */
  value: Buffer | undefined
}

const lineFeed = 10
const longestLine = 2048
const codes = new Set(['HD', 'VA', 'EN', 'NS', 'EX', 'NF', 'ERROR', 'CLIENT_ERROR', 'SERVER_ERROR'])

/** The token of a flag in a reply, such as the `12` of `c12` for `c`. */
export function flagOf(reply: MemcachedReply, flag: string): string | undefined {
  return reply.words.find((word) => word.startsWith(flag))?.slice(1)
}

/** Cuts what a connection receives into replies. */
export class ReplyReader {
  readonly #largest: number
  #chunks: Buffer[] = []
  #length = 0
  /** How much must be there before it is worth looking again. */
  #needed = 1
  /** How much of a value that is too large is still to come. */
  #skip = 0

  /** Values of more than `largest` bytes are passed over. */
  constructor(largest: number) {
    this.#largest = largest
  }

  /** Takes what has arrived and gives the replies it completes. Throws for what is no reply. */
  read(chunk: Buffer): MemcachedReply[] {
    this.#add(chunk)
    if (this.#length < this.#needed) return []
    const data = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks)
    const replies: MemcachedReply[] = []
    let at = 0
    while (at < data.length) {
      const end = this.#readOne(data, at, replies)
      if (end === undefined) break
      at = end
    }
    this.#skip = Math.max(0, at - data.length)
    this.#keep(data.subarray(at))
    return replies
  }

  #add(chunk: Buffer): void {
    const rest = chunk.subarray(Math.min(this.#skip, chunk.length))
    this.#skip -= chunk.length - rest.length
    if (rest.length > 0) this.#chunks.push(rest)
    this.#length += rest.length
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length > 0 ? [rest] : []
    this.#length = rest.length
    if (rest.length === 0) this.#needed = 1
  }

  /** Gives where the reply that begins at `at` ends, unless it is not complete. */
  #readOne(data: Buffer, at: number, replies: MemcachedReply[]): number | undefined {
    const end = data.indexOf(lineFeed, at) + 1
    if (end === 0) {
      if (data.length - at > longestLine) throw new Error('a line is too long')
      return this.#wait(data.length - at + 1)
    }
    const [code = '', ...words] = lineOf(data, at, end).split(' ')
    if (!codes.has(code)) throw new Error('no reply begins like this')
    // A value ends with CR LF of its own.
    const body = code === 'VA' ? sizeOf(words[0]) + 2 : 0
    const isTaken = body > 0 && body - 2 <= this.#largest
    if (isTaken && end + body > data.length) return this.#wait(end + body - at)
    replies.push({ code, words, value: isTaken ? valueOf(data, end, body - 2) : undefined })
    return end + body
  }

  #wait(needed: number): undefined {
    this.#needed = needed
  }
}

function lineOf(data: Buffer, at: number, end: number): string {
  const line = data.toString('latin1', at, end)
  if (!line.endsWith('\r\n')) throw new Error('a line does not end')
  return line.slice(0, -2)
}

function sizeOf(word = ''): number {
  if (!/^\d{1,10}$/.test(word)) throw new Error('a value has no size')
  return Number(word)
}

/** Copied: a part of what was received would keep all of it in memory. */
function valueOf(data: Buffer, at: number, size: number): Buffer {
  if (data.toString('latin1', at + size, at + size + 2) !== '\r\n') {
    throw new Error('a value does not end')
  }
  const value = Buffer.allocUnsafe(size)
  data.copy(value, 0, at, at + size)
  return value
}
