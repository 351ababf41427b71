import { StoreUnavailableError } from '../../errors.ts'
import { isAnswer } from '../failure.ts'
import { refusal } from './connection.ts'
import type { RedisLayout } from './layout.ts'

/** What connecting gives. */
interface Session {
  layout: RedisLayout
  /** `false` for a client that was handed in, which is its owner's to reconnect and to close. */
  owned: boolean
}

/** Attempts to replace a connection that has failed are at least this far apart. */
const attemptsEveryMs = 250

/**
 * The connection of a store, made at the first use. One that has ended is made anew by the next
 * call, so that nothing runs and nothing waits while the server is away. One that goes on but has
 * failed a call (no reply in time, a server that was demoted) is used until another one is there.
 */
export class RedisSessions {
  readonly #open: () => Promise<Session>
  readonly #replies: number
  readonly #replaced = new Set<Session>()
  #current: Session | undefined
  #opening: Promise<Session> | undefined
  #attemptAt = -Infinity
  #closed = false

  /** `repliesMs`: how long those who use a connection may still wait for replies. */
  constructor(open: () => Promise<Session>, repliesMs: number) {
    this.#open = open
    this.#replies = repliesMs
  }

  /** The layout, if there is one that can be used at once. */
  get layout(): RedisLayout | undefined {
    const { layout, owned } = this.#current ?? {}
    return owned && !layout?.connection.usable ? undefined : layout
  }

  async connect(): Promise<RedisLayout> {
    if (this.#closed) throw closedError()
    return this.layout ?? (await this.#replace()).layout
  }

  /** To be told what a call failed with; gives what its caller is to be told. */
  failed(error: unknown): unknown {
    if (!isAboutConnection(error)) return error
    if (this.#closed) return closedError()
    if (this.#current?.owned) this.#replaceSoon()
    return error
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    for (const session of this.#replaced) this.#end(session)
    if (this.#current) this.#end(this.#current)
    this.#current = undefined
  }

  #replaceSoon(): void {
    if (!this.layout || this.#opening) return
    const now = performance.now()
    if (now < this.#attemptAt + attemptsEveryMs) return
    this.#attemptAt = now
    this.#replace().catch(() => {})
  }

  #replace(): Promise<Session> {
    this.#opening ??= this.#openOnce().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  async #openOnce(): Promise<Session> {
    const session = await this.#open()
    if (this.#closed) {
      this.#end(session)
      throw closedError()
    }
    if (this.#current) this.#retire(this.#current)
    this.#current = session
    return session
  }

  #retire(session: Session): void {
    this.#replaced.add(session)
    setTimeout(() => this.#end(session), this.#replies).unref()
  }

  #end(session: Session): void {
    this.#replaced.delete(session)
    if (session.owned) session.layout.connection.close()
  }
}

function closedError(): StoreUnavailableError {
  return new StoreUnavailableError('it has been closed')
}

/** A server that refuses a command is there; but one that is read-only now is the wrong one. */
function isAboutConnection(error: unknown): boolean {
  if (isAnswer(error)) return false
  const word = refusal(error)
  return word === undefined || word === 'READONLY' || word === 'CLUSTERDOWN'
}
