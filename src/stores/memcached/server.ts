import { StoreUnavailableError } from '../../errors.ts'
import { MemcachedConnection } from './connection.ts'
import type { MemcachedNames } from './names.ts'
import { MemcachedSession } from './session.ts'
import type { MemcachedAddress } from './settings.ts'

/**
 * One of the servers. It is connected to at the first use, and again at the next one after a
 * connection has ended; nothing is tried in between, and nothing queued.
 */
export class MemcachedServer {
  readonly #address: MemcachedAddress
  readonly #names: MemcachedNames
  readonly #largestReply: number
  #session: MemcachedSession | undefined
  #opening: Promise<MemcachedSession> | undefined
  #closing: Promise<void> | undefined

  constructor(address: MemcachedAddress, names: MemcachedNames, largestReply: number) {
    this.#address = address
    this.#names = names
    this.#largestReply = largestReply
  }

  /** The one that is open, so that usually there is nothing to wait for. */
  get session(): MemcachedSession | undefined {
    return this.#session?.isOpen && !this.#closing ? this.#session : undefined
  }

  /** Opens one, once for all that ask meanwhile. */
  async open(): Promise<MemcachedSession> {
    if (this.#closing) throw closed()
    this.#opening ??= this.#openOnce().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  /** Lets what was begun come to its end first, for as long as the time-outs let it. */
  close(): Promise<void> {
    this.#closing ??= this.#closeOnce()
    return this.#closing
  }

  async #closeOnce(): Promise<void> {
    await this.#opening?.catch(() => {})
    await this.#session?.close(closed())
  }

  async #openOnce(): Promise<MemcachedSession> {
    const connection = await MemcachedConnection.open(this.#address, this.#largestReply)
    this.#session = new MemcachedSession(connection, this.#names)
    return this.#session
  }
}

function closed(): StoreUnavailableError {
  return new StoreUnavailableError('it has been closed')
}
