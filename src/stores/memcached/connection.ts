import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { StoreUnavailableError } from '../../errors.ts'
import { storeFailure } from '../failure.ts'
import { ReplyReader, flagOf } from './reply.ts'
import type { MemcachedReply } from './reply.ts'
import type { MemcachedAddress } from './settings.ts'

/** Is told what came of a command. */
export type OnAnswer = (answer: MemcachedReply | Error) => void

/** What is sent together, and when: on the clock of `performance.now()`. */
interface Turn {
  sentAt: number
}

interface Waiting {
  opaque: string
  turn: Turn
  onAnswer: OnAnswer
}

/**
 * One connection to one server, which answers in the order of the commands. All commands of one
 * turn of the event loop are sent together.
 *
 * It ends at the first sign of trouble, and with it all commands under way; a late answer can never
 * be taken for another's, because nothing is sent after it.
 */
export class MemcachedConnection {
  readonly #socket: Socket
  readonly #commandMs: number
  readonly #replies: ReplyReader
  readonly #waiting: Waiting[] = []
  #chunks: Array<string | Uint8Array> = []
  #text = ''
  #atEnd: Array<() => void> = []
  #turn: Turn | undefined
  #timer: NodeJS.Timeout | undefined
  #commands = 0
  #failure: Error | undefined
  #atRest: (() => void) | undefined

  /** Rejects with a `StoreUnavailableError` where the server cannot be reached in time. */
  static async open(address: MemcachedAddress, largestReply: number): Promise<MemcachedConnection> {
    const { host, port, connectMs } = address
    const socket = connect({ host, port, noDelay: true, keepAlive: true })
    const connection = new MemcachedConnection(socket, address, largestReply)
    const tooLate = () => connection.end(unavailable('cannot be reached in time'))
    const timer = setTimeout(tooLate, connectMs)
    try {
      await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', resolve))
    } finally {
      clearTimeout(timer)
    }
    if (connection.#failure) throw connection.#failure
    return connection
  }

  private constructor(socket: Socket, { commandMs }: MemcachedAddress, largestReply: number) {
    this.#socket = socket
    this.#commandMs = commandMs
    this.#replies = new ReplyReader(largestReply)
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.end(storeFailure('memcached store', error) as Error))
    socket.on('close', () => this.end(unavailable('closed the connection')))
  }

  get isOpen(): boolean {
    return this.#failure === undefined
  }

  /** Sends a command, and `data` after its line; that must end with CR LF and not change any more. */
  send(command: string, data: Uint8Array | undefined, onAnswer: OnAnswer): void {
    if (this.#failure) return onAnswer(this.#failure)
    this.#commands += 1
    const opaque = String(this.#commands)
    this.#text += `${command} O${opaque}\r\n`
    if (data) {
      this.#chunks.push(this.#text, data)
      this.#text = ''
    }
    this.#waiting.push({ opaque, turn: this.#queue(), onAnswer })
  }

  /** As {@link send}, for what nothing else is sent with. */
  request(command: string, data?: Uint8Array): Promise<MemcachedReply> {
    return new Promise((resolve, reject) => {
      this.send(command, data, (answer) =>
        answer instanceof Error ? reject(answer) : resolve(answer),
      )
    })
  }

  /** Calls `last` when all other commands of this turn are written, to send what comes after them. */
  atEndOfTurn(last: () => void): void {
    this.#atEnd.push(last)
    this.#queue()
  }

  /** All commands under way, and all later ones, fail with `reason`. */
  end(reason: Error): void {
    if (this.#failure) return
    this.#failure = reason
    clearTimeout(this.#timer)
    this.#socket.destroy()
    for (const { onAnswer } of this.#waiting.splice(0)) onAnswer(reason)
    this.#atRest?.()
  }

  /** {@link end}s once nothing is under way; what is answered may bring about another command. */
  async close(reason: Error): Promise<void> {
    for (;;) {
      await new Promise(setImmediate)
      if (this.#failure || this.#waiting.length === 0) return this.end(reason)
      await new Promise<void>((resolve) => (this.#atRest = resolve))
    }
  }

  #queue(): Turn {
    if (this.#turn) return this.#turn
    this.#turn = { sentAt: Infinity }
    // After the promises that are settled by now have been followed.
    process.nextTick(() => this.#flush())
    return this.#turn
  }

  #flush(): void {
    for (const last of this.#atEnd.splice(0)) last()
    this.#queue().sentAt = performance.now()
    this.#turn = undefined
    const chunks = this.#chunks
    const text = this.#text
    this.#chunks = []
    this.#text = ''
    if (this.#failure) return
    this.#socket.cork()
    for (const chunk of chunks) this.#socket.write(chunk, 'latin1')
    if (text) this.#socket.write(text, 'latin1')
    this.#socket.uncork()
    this.#timer ??= setTimeout(() => this.#checkTime(), this.#commandMs).unref()
  }

  #checkTime(): void {
    // After a stall of this process timers come before replies that have long arrived.
    setImmediate(() => {
      this.#timer = undefined
      const [first] = this.#waiting
      if (!first || this.#failure) return
      const left = first.turn.sentAt + this.#commandMs - performance.now()
      if (left <= 0) this.end(unavailable('did not answer in time'))
      else this.#timer = setTimeout(() => this.#checkTime(), left).unref()
    })
  }

  #receive(chunk: Buffer): void {
    try {
      for (const reply of this.#replies.read(chunk)) this.#settle(reply)
    } catch {
      this.end(unavailable('sent what is no reply'))
    }
  }

  #settle(reply: MemcachedReply): void {
    const [first] = this.#waiting
    const isError = reply.code.endsWith('ERROR')
    if (!first || !(isError || isAnswerTo(first, reply))) throw new Error('out of order')
    this.#waiting.shift()
    if (this.#waiting.length === 0) this.#atRest?.()
    if (!isError) return first.onAnswer(reply)
    first.onAnswer(refused(reply))
    // It may have taken the data for further commands.
    if (reply.code !== 'SERVER_ERROR') this.end(refused(reply))
  }
}

/** Every answer repeats the command's mark; of a miss the protocol does not promise it. */
function isAnswerTo({ opaque }: Waiting, reply: MemcachedReply): boolean {
  return flagOf(reply, 'O') === opaque || (reply.code === 'EN' && reply.words.length === 0)
}

function refused({ code, words }: MemcachedReply): StoreUnavailableError {
  if (code === 'ERROR')
    return unavailable('does not know meta commands; it must be 1.6.10 or later')
  if (words.includes('large')) {
    return unavailable('takes no item as large as that; see its option -I and maxValueBytes')
  }
  return unavailable(`refused a command (${code})`)
}

function unavailable(what: string): StoreUnavailableError {
  return new StoreUnavailableError(`the memcached server ${what}`)
}
