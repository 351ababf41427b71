import { StoreUnavailableError } from '../errors.ts'
import { Breaker } from './breaker.ts'
import { isAnswer, storeFailure } from './failure.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'

/** What one use of a store may cost; each use has a guard, and so a breaker, of its own. */
export interface GuardedOptions {
  /** What messages call it, such as `token store`. */
  name: string
  /** Seconds after which an operation is given up. */
  deadline: { read: number; write: number }
}

/** Beyond this many, waiting would only add to what a slow backend has to work off (ST-09). */
const maxInFlight = 1_000

/**
 * Puts limits around a store: every operation ends within its deadline, whatever the driver does,
 * and a store that keeps failing is left alone for a while.
 *
 * All failures become a `StoreUnavailableError` without the driver's text, which may hold
 * credentials. A `ConfigError`, and a `RangeError` for a bad argument, pass unchanged. After five
 * failures in a row there is no call for 1 s, then for twice as long each time up to 30 s; one call
 * at a time finds out whether the store is back. Stores of reach `process` get no timer.
 */
export function guarded(store: Store, options: GuardedOptions): Store {
  return new GuardedStore(store, options)
}

type OperationKind = 'read' | 'write'

class GuardedStore implements Store {
  readonly #store: Store
  readonly #name: string
  readonly #deadline: { read: number; write: number }
  readonly #breaker = new Breaker()
  #inFlight = 0

  constructor(store: Store, { name, deadline }: GuardedOptions) {
    this.#store = store
    this.#name = name
    this.#deadline = deadline
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
    const tooLate = `the ${this.#name} did not finish a ${kind} within ${seconds} s`
    return withinDeadline(operation(), seconds, () => new StoreUnavailableError(tooLate))
  }
}

/** Rejects with `late()` after `seconds`; what comes then, result or error, is dropped. */
function withinDeadline<T>(promise: Promise<T>, seconds: number, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    // After a stall of the event loop timers come before replies that have long arrived: one more
    // turn lets those in, so that a busy process does not mistake itself for a slow store.
    const timer = setTimeout(() => setImmediate(() => reject(late())), seconds * 1000)
    timer.unref()
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
