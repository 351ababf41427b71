import { StoreUnavailableError } from '../errors.ts'
import { Breaker } from './breaker.ts'
import { isAnswer, storeFailure } from './failure.ts'
import { bound } from './optional-operations.ts'
import type { Notices, SetOptions, Store, StoredValue } from './store.ts'

/** What one use of a store may cost; each use has a guard, and so a breaker, of its own. */
export interface GuardedOptions {
  /** What messages call it, such as `token store`. */
  name: string
  /** Seconds after which an operation is given up. */
  deadline: { read: number; write: number }
}

/** Beyond this many, waiting would only add to what a slow backend has to work off (ST-09). */
const maxInFlight = 1_000

/** Seconds for what goes over any number of keys. */
const longDeadline = 60

/**
 * Puts limits around a store: every operation ends within its deadline, whatever the driver does,
 * and a store that keeps failing is left alone for a while.
 *
 * All failures become a `StoreUnavailableError` without the driver's text, which may hold
 * credentials. Errors about the call itself (`RangeError`, `ConfigError`,
 * `UnsupportedOperationError`) pass unchanged. After five failures in a row one call a second finds
 * out whether the store is back, and all others fail at once. Stores of reach `process` get no timer.
 *
 * Listing and clearing go over any number of keys: clearing, and each key of a list, has a minute.
 */
export function guarded(store: Store, options: GuardedOptions): Store {
  return new GuardedStore(store, options)
}

class GuardedStore implements Store {
  declare readonly keys?: Required<Store>['keys']
  declare readonly clear?: Required<Store>['clear']
  declare readonly getMany?: Required<Store>['getMany']
  declare readonly atHand?: Required<Store>['atHand']
  declare readonly setMany?: Required<Store>['setMany']
  declare readonly deleteMany?: Required<Store>['deleteMany']
  declare readonly increment?: Required<Store>['increment']
  declare readonly ttl?: Required<Store>['ttl']
  declare readonly expire?: Required<Store>['expire']
  declare readonly notices?: Required<Store>['notices']
  readonly #store: Store
  readonly #name: string
  readonly #deadline: { read: number; write: number; long: number }
  readonly #breaker = new Breaker()
  #inFlight = 0

  constructor(store: Store, { name, deadline }: GuardedOptions) {
    this.#store = store
    this.#name = name
    this.#deadline = { ...deadline, long: longDeadline }
    const { keys, clear, getMany, setMany, deleteMany, increment, ttl, expire } = bound(store)
    const { atHand, notices } = bound(store)
    if (keys) this.keys = (prefix) => this.#list(keys(prefix))
    if (clear) this.clear = (prefix) => this.#guard('long', () => clear(prefix))
    // It takes no time, and cannot fail.
    if (atHand) this.atHand = atHand
    if (getMany) this.getMany = (names) => this.#guard('read', () => getMany(names))
    if (setMany) this.setMany = (...entries) => this.#guard('write', () => setMany(...entries))
    if (deleteMany) this.deleteMany = (names) => this.#guard('write', () => deleteMany(names))
    if (increment) this.increment = (...by) => this.#guard('write', () => increment(...by))
    if (ttl) this.ttl = (key) => this.#guard('read', () => ttl(key))
    if (expire) this.expire = (...how) => this.#guard('write', () => expire(...how))
    if (notices) this.notices = (channel) => this.#notices(notices(channel))
  }

  get reach(): Store['reach'] {
    return this.#store.reach
  }

  get durable(): boolean {
    return this.#store.durable
  }

  get maxValueBytes(): number {
    return this.#store.maxValueBytes
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return this.#guard('read', () => this.#store.get(key))
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    return this.#guard('write', () => this.#store.set(key, value, options))
  }

  async delete(key: string): Promise<boolean> {
    return this.#guard('write', () => this.#store.delete(key))
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    return this.#guard('write', () => this.#store.compareAndSwap(key, version, value, options))
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    return this.#guard('write', () => this.#store.compareAndDelete(key, version))
  }

  /** Is tried whatever the breaker says. */
  async close(): Promise<void> {
    try {
      await this.#call('write', () => this.#store.close())
    } catch (error) {
      throw storeFailure(this.#name, error)
    }
  }

  /** Listening waits for nobody, and nobody waits for it. */
  #notices(notices: Notices): Notices {
    return {
      send: (notice) => this.#guard('write', () => notices.send(notice)),
      listen: (listener) => notices.listen(listener),
    }
  }

  async *#list(keys: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
    const iterator = keys[Symbol.asyncIterator]()
    try {
      for (;;) {
        const { done, value } = await this.#guard('long', () => iterator.next())
        if (done) return
        yield value
      }
    } finally {
      void Promise.resolve(iterator.return?.()).catch(() => {})
    }
  }

  async #guard<T>(kind: OperationKind, operation: () => Promise<T>): Promise<T> {
    if (this.#inFlight >= maxInFlight) {
      throw new StoreUnavailableError(
        `${maxInFlight} operations are waiting for the ${this.#name} already`,
      )
    }
    const report = this.#breaker.admit()
    if (!report)
      throw new StoreUnavailableError(`the ${this.#name} keeps failing and is left alone`)
    this.#inFlight += 1
    try {
      const result = await this.#call(kind, operation)
      report('success')
      return result
    } catch (error) {
      report(isAnswer(error) ? 'success' : 'failure')
      throw storeFailure(this.#name, error)
    } finally {
      this.#inFlight -= 1
    }
  }

  async #call<T>(kind: OperationKind, operation: () => Promise<T>): Promise<T> {
    if (this.#store.reach === 'process') return operation()
    const seconds = this.#deadline[kind]
    const tooLate = `the ${this.#name} did not finish within ${seconds} s`
    return withinDeadline(operation(), seconds, () => new StoreUnavailableError(tooLate))
  }
}

const partsOfDeadline = 5

type OperationKind = 'read' | 'write' | 'long'

/** Rejects with `late()` after `seconds`; what comes then, result or error, is dropped. */
function withinDeadline<T>(promise: Promise<T>, seconds: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    // After a stall of the event loop timers come before replies that have long arrived, and before
    // commands that were to be sent. So a stall counts as one part of the time only, and there is one
    // more turn at the end: a busy process does not mistake itself for a slow store.
    let left = partsOfDeadline
    const tick = () => {
      left -= 1
      if (left > 0) timer.refresh()
      else setImmediate(() => reject(late()))
    }
    const timer = setTimeout(tick, (seconds * 1000) / partsOfDeadline).unref()
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
