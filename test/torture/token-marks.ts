import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { BehalfEvent } from '../../src/index.ts'
import type { Store } from '../../src/stores/store.ts'

/** Where a process can be stopped or killed in the course of a refresh, in their order. */
export const storeMarks = [
  'before look',
  'after look',
  'before re-read',
  'after re-read',
  'before take',
  'during take',
  'after take',
  'before check',
  'after check',
  'before write',
  'during write',
  'after write',
  'before release',
  'during release',
  'after release',
] as const

/** Those of the request itself; see {@link requestChannels}. */
export type RequestMark = 'started' | 'created' | 'connected' | 'sending' | 'sent' | 'reply'

/** One of all of them. */
export type Mark = (typeof storeMarks)[number] | RequestMark

/** What undici tells; `sending`: the last check is over, nothing is written; `sent`: all of it is. */
const requestChannels: Readonly<Record<string, RequestMark>> = {
  'undici:request:create': 'created',
  'undici:client:connected': 'connected',
  'undici:client:sendHeaders': 'sending',
  'undici:request:bodySent': 'sent',
  'undici:request:headers': 'reply',
}

type Operation = 'look' | 're-read' | 'take' | 'check' | 'write' | 'release'

/**
 * Does something once, at a mark that a refresh of this process comes by. It knows the operations
 * of a refresh by their order, so that only one may be under way.
 */
export class Marks {
  #armed: Mark | undefined
  #act: () => void = () => {}
  #looked = false
  #leased = false
  #socket: Socket | undefined

  constructor() {
    for (const [channel, mark] of Object.entries(requestChannels)) {
      subscribe(channel, (message) => {
        const { socket } = message as { socket?: Socket }
        this.#socket = socket ?? this.#socket
        this.#pass(mark)
      })
    }
  }

  /** `act` is done at the next passage, once; without a mark nothing is. */
  arm(mark: Mark | undefined, act: () => void = () => {}): void {
    this.#armed = mark
    this.#act = act
    this.#looked = false
    this.#leased = false
  }

  /** For the option `onEvent`. */
  event({ type }: BehalfEvent): void {
    if (type === 'refresh_started') this.#pass('started')
  }

  /** Closes the connection that was made or used last, so that the next one makes its own. */
  disconnect(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  /** The store, with marks around what a refresh does to it. */
  around(store: Store): Store {
    const get: Store['get'] = (key) => {
      const operation = this.#reading(key)
      return this.#marked(operation, () => store.get(key))
    }
    const compareAndSwap: Store['compareAndSwap'] = async (key, ...rest) => {
      const swap = () => store.compareAndSwap(key, ...rest)
      if (!isLease(key)) return this.#marked('write', swap)
      const version = await this.#marked('take', swap)
      this.#leased = version !== undefined
      return version
    }
    const compareAndDelete: Store['compareAndDelete'] = (key, version) => {
      const operation = isLease(key) ? 'release' : undefined
      return this.#marked(operation, () => store.compareAndDelete(key, version))
    }
    const marked: Partial<Store> = { get, compareAndSwap, compareAndDelete }
    return new Proxy(store, {
      get: (target, property: keyof Store) => {
        const member = marked[property] ?? target[property]
        return typeof member === 'function' ? (member as () => unknown).bind(target) : member
      },
    })
  }

  #reading(key: string): Operation | undefined {
    if (isLease(key)) {
      this.#looked = true
      return 'look'
    }
    if (this.#leased) return 'check'
    return this.#looked ? 're-read' : undefined
  }

  async #marked<T>(operation: Operation | undefined, run: () => Promise<T>): Promise<T> {
    if (operation === undefined) return run()
    this.#pass(`before ${operation}`)
    const running = run()
    if (this.#armed === `during ${operation}`) {
      await new Promise((resolve) => setImmediate(resolve))
      this.#pass(this.#armed)
    }
    const result = await running
    // Whoever was told so has it: what is done here comes before anybody else does anything.
    if (operation !== 'take' || result !== undefined) this.#pass(`after ${operation}`)
    return result
  }

  #pass(mark: string): void {
    if (this.#armed !== mark) return
    this.#armed = undefined
    this.#act()
  }
}

function isLease(key: string): boolean {
  return key.endsWith(':lease')
}
