import { ConfigError, StoreUnavailableError } from '../errors.ts'
import { processState } from '../process-state.ts'
import { KeyvCalls } from './keyv/calls.ts'
import { canList, checkKeyv } from './keyv/client.ts'
import type { KeyvClient } from './keyv/client.ts'
import { KeyQueue } from './keyv/key-queue.ts'
import { readRecord, writeRecord } from './keyv/record.ts'
import { checkCount, checkedWrite, checkKey, checkPrefix, checkSeconds } from './limits.ts'
import { each } from './many-keys.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'
import { newVersion } from './version.ts'

export { isKeyvClient } from './keyv/client.ts'
export type { KeyvClient }

/** How {@link keyvStore} uses its Keyv. */
export interface KeyvStoreOptions {
  /**
   * That the backend behind Keyv drops nothing before its time, which Keyv itself cannot tell: a
   * database does not, a cache does. Defaults to `false`.
   */
  durable?: boolean | undefined
  /** The largest value, in bytes; the backend gets a text a third longer. Defaults to 1 MiB. */
  maxValueBytes?: number | undefined
  /**
   * Seconds for one operation, with its wait for others on its key; of a list, for each step.
   * What Keyv does too late may still be done. Defaults to 2.
   */
  commandTimeout?: number | undefined
}

/**
 * A bridge to any `Keyv`, for backends that have no store here. It stays its owner's to disconnect.
 *
 * Keyv has no comparison, so that comparisons are atomic within this process only (`reach` is
 * `process`): use it with one process, or for what needs none, such as a response cache. `keys` and
 * `clear` are there where the adapter lists its keys, and look at all of them; give each Keyv an
 * adapter of its own, since Keyv lists those of the last one only.
 *
 * Keyv cannot be stopped: after a call that took too long its key is unavailable until Keyv has ended
 * that call, so that a late write never comes over a later one.
 *
 * Keyv reports many failures as an 'error' event and "nothing found"; here they are a
 * `StoreUnavailableError`. Throws a `ConfigError` for what is no Keyv, or one with `emitErrors: false`.
 */
export function keyvStore(keyv: KeyvClient, options: KeyvStoreOptions = {}): Store {
  return new KeyvStore(checkKeyv(keyv), options)
}

class KeyvStore implements Store {
  readonly reach = 'process'
  readonly durable: boolean
  readonly maxValueBytes: number
  declare readonly keys?: NonNullable<Store['keys']>
  declare readonly clear?: NonNullable<Store['clear']>
  readonly #queue: KeyQueue
  readonly #calls: KeyvCalls

  constructor(keyv: KeyvClient, options: KeyvStoreOptions) {
    const { durable = false, maxValueBytes = 2 ** 20, commandTimeout = 2 } = options
    if (typeof durable !== 'boolean') {
      throw new ConfigError('keyvStore: durable must be true or false.')
    }
    this.durable = durable
    this.maxValueBytes = checkCount('keyvStore: maxValueBytes', maxValueBytes)
    this.#calls = new KeyvCalls(
      keyv,
      checkSeconds('keyvStore: commandTimeout', commandTimeout) * 1000,
    )
    this.#queue = queueOf(keyv)
    if (canList(keyv)) {
      this.keys = (prefix) => this.#keys(prefix)
      this.clear = (prefix) => this.#clear(prefix)
    }
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkKey(key)
    return this.#calls.inTime(() => this.#read(key))
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const { copy, lives } = checkedWrite(key, value, options, this.maxValueBytes)
    await this.#inTurn(key, () => this.#write(key, copy, lives))
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key)
    return this.#inTurn(key, async (aborted) => {
      if (!(await this.#read(key))) return false
      aborted.throwIfAborted()
      await this.#remove(key)
      return true
    })
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const { copy, lives } = checkedWrite(key, value, options, this.maxValueBytes)
    return this.#inTurn(key, async (aborted) => {
      const found = await this.#read(key)
      aborted.throwIfAborted()
      return found?.version === version ? this.#write(key, copy, lives) : undefined
    })
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    checkKey(key)
    return this.#inTurn(key, async (aborted) => {
      if ((await this.#read(key))?.version !== version) return false
      aborted.throwIfAborted()
      await this.#remove(key)
      return true
    })
  }

  async close(): Promise<void> {
    this.#calls.end()
  }

  /** Keyv's own names for keys lose parts of them, and those of other namespaces may be among them. */
  async *#keys(prefix: string): AsyncIterable<string> {
    checkPrefix(prefix)
    const listed = new Set<string>()
    for await (const text of this.#calls.records()) {
      const key = readRecord(text)?.key
      if (!key?.startsWith(prefix) || listed.has(key) || !(await this.get(key))) continue
      listed.add(key)
      yield key
    }
  }

  /** Not Keyv's own `clear`, which some adapters do for all namespaces. */
  async #clear(prefix: string): Promise<void> {
    const keys: string[] = []
    for await (const key of this.#keys(prefix)) keys.push(key)
    await each(keys, (key) => this.delete(key))
  }

  /** Once the caller has got a failure, nothing more is begun; what is under way keeps the turn. */
  async #inTurn<T>(key: string, operation: (aborted: AbortSignal) => Promise<T>): Promise<T> {
    const abort = new AbortController()
    const { signal } = abort
    try {
      return await this.#calls.inTime(() => this.#queue.run(key, signal, () => operation(signal)))
    } catch (error) {
      abort.abort(error)
      throw error
    }
  }

  async #read(key: string): Promise<StoredValue | undefined> {
    const record = readRecord(await this.#calls.read(key))
    if (record?.key !== key || record.value.byteLength > this.maxValueBytes) return undefined
    return { value: record.value, version: record.version }
  }

  /** Gives the new version; with nothing to store, what is there is removed. */
  async #write(key: string, value: Uint8Array, lives: number): Promise<string> {
    const version = newVersion()
    if (lives === 0) await this.#remove(key)
    else await this.#calls.write(key, writeRecord({ key, version, value }, lives), lives)
    return version
  }

  async #remove(key: string): Promise<void> {
    await this.#calls.remove(key)
    if (await this.#read(key)) throw new StoreUnavailableError('Keyv did not delete a value')
  }
}

/** All stores over one Keyv must wait for each other, also those of other copies of this module. */
function queueOf(keyv: KeyvClient): KeyQueue {
  const queues = processState('keyv queues', () => new WeakMap<object, KeyQueue>())
  let queue = queues.get(keyv)
  if (!queue) {
    queue = new KeyQueue()
    queues.set(keyv, queue)
  }
  return queue
}
