import { RetiredSecretError } from '../errors.ts'
import type { KeyRing } from '../key-ring.ts'
import { checkValue } from './limits.ts'
import { bound } from './optional-operations.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'

const purpose = 'store'

/** By name: what gives out values or takes them must not go by unsealed. */
const asTheyAre = ['keys', 'clear', 'deleteMany', 'ttl', 'expire', 'notices'] as const

/**
 * Seals every value for its own key before it reaches `store` (AES-256-GCM).
 *
 * What cannot be opened (damaged, tampered with, moved from another key) counts as absent. A value
 * sealed with a secret that this process does not have throws a `StoreUnavailableError` instead: in
 * a rolling change of secrets that is another process's good value, and absent would be a logout.
 * Each write seals with the newest secret, whichever one the value had before. There is no
 * `increment`: a backend cannot count what it cannot read.
 */
export function sealed(store: Store, keyRing: KeyRing): Store {
  return new SealedStore(store, keyRing)
}

class SealedStore implements Store {
  declare readonly keys?: Required<Store>['keys']
  declare readonly clear?: Required<Store>['clear']
  declare readonly getMany?: Required<Store>['getMany']
  declare readonly setMany?: Required<Store>['setMany']
  declare readonly deleteMany?: Required<Store>['deleteMany']
  declare readonly ttl?: Required<Store>['ttl']
  declare readonly expire?: Required<Store>['expire']
  declare readonly notices?: Required<Store>['notices']
  readonly #store: Store
  readonly #keyRing: KeyRing
  readonly #overhead: number

  constructor(store: Store, keyRing: KeyRing) {
    this.#store = store
    this.#keyRing = keyRing
    this.#overhead = keyRing.seal(purpose, '', new Uint8Array()).byteLength
    const { getMany, setMany, ...others } = bound(store)
    for (const name of asTheyAre) if (others[name]) Object.assign(this, { [name]: others[name] })
    if (getMany) this.getMany = async (keys) => this.#openAll(keys, await getMany(keys))
    if (setMany) {
      this.setMany = async (entries, options) =>
        setMany(
          entries.map(([key, value]) => [key, this.#seal(key, value)]),
          options,
        )
    }
  }

  get reach(): Store['reach'] {
    return this.#store.reach
  }

  get durable(): boolean {
    return this.#store.durable
  }

  get maxValueBytes(): number {
    return this.#store.maxValueBytes - this.#overhead
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return this.#open(key, await this.#store.get(key))
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    await this.#store.set(key, this.#seal(key, value), options)
  }

  async delete(key: string): Promise<boolean> {
    return this.#store.delete(key)
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const sealedValue = this.#seal(key, value)
    const swapped = await this.#store.compareAndSwap(key, version, sealedValue, options)
    if (swapped !== undefined || version !== undefined) return swapped
    const corrupt = await this.#corruptVersion(key)
    return corrupt && this.#store.compareAndSwap(key, corrupt, sealedValue, options)
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    return this.#store.compareAndDelete(key, version)
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  #open(key: string, found: StoredValue | undefined): StoredValue | undefined {
    if (!found) return undefined
    const opened = this.#keyRing.open(purpose, key, found.value)
    if (opened.ok) return { value: opened.value, version: found.version }
    if (opened.reason === 'corrupt') return undefined
    throw new RetiredSecretError()
  }

  #openAll(
    keys: readonly string[],
    found: ReadonlyArray<StoredValue | undefined>,
  ): Array<StoredValue | undefined> {
    return keys.map((key, index) => this.#open(key, found[index]))
  }

  #seal(key: string, value: Uint8Array): Uint8Array {
    checkValue(value, this.maxValueBytes)
    return this.#keyRing.seal(purpose, key, value)
  }

  /** Without this, a damaged entry that `get` calls absent could never be created anew. */
  async #corruptVersion(key: string): Promise<string | undefined> {
    const found = await this.#store.get(key)
    if (!found) return undefined
    const opened = this.#keyRing.open(purpose, key, found.value)
    return !opened.ok && opened.reason === 'corrupt' ? found.version : undefined
  }
}
