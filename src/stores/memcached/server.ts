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
  readonly #closing = new AbortController()
  #session: MemcachedSession | undefined
  #opening: Promise<MemcachedSession> | undefined

  constructor(address: MemcachedAddress, names: MemcachedNames, largestReply: number) {
    this.#address = address
    this.#names = names
    this.#largestReply = largestReply
  }

  /** The one that is open, so that usually there is nothing to wait for. */
  get session(): MemcachedSession | undefined {
    return this.#session?.isOpen ? this.#session : undefined
  }

  /** Opens one, once for all that ask meanwhile. */
  open(): Promise<MemcachedSession> {
    this.#opening ??= this.#openOnce().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  close(): void {
    this.#closing.abort()
    this.#session?.end(new StoreUnavailableError('it has been closed'))
  }

  async #openOnce(): Promise<MemcachedSession> {
    const { signal } = this.#closing
    if (signal.aborted) throw new StoreUnavailableError('it has been closed')
    const connection = await MemcachedConnection.open(this.#address, this.#largestReply, signal)
    this.#session = new MemcachedSession(connection, this.#names)
    if (signal.aborted) this.close()
    return this.#session
  }
}
