import { setTimeout as sleep } from 'node:timers/promises'
import { bound } from '../../stores/optional-operations.ts'
import type { OptionalOperation } from '../../stores/optional-operations.ts'
import type { SetOptions, Store, StoredValue } from '../../stores/store.ts'
import { SeededRandom } from '../api/seeded-random.ts'

/** The operations in which {@link chaosStore} can make something go wrong. */
export type ChaosOperation =
  | 'get'
  | 'set'
  | 'delete'
  | 'compareAndSwap'
  | 'compareAndDelete'
  | Exclude<OptionalOperation, 'notices'>

/** One thing that goes wrong, and when. */
export interface Chaos {
  /**
   * - `throw`: the operation fails, and nothing was done.
   * - `delay`: it is done `seconds` later.
   * - `corrupt`: what is read has one bit flipped.
   * - `drop`: what is written is not, what is read is absent, and all seems well.
   * - `swap`: what is read is the value of the key that was read before it.
   */
  fault: 'throw' | 'delay' | 'corrupt' | 'drop' | 'swap'
  /** The part of the calls that it happens to, from 0 to 1. Defaults to 1, or 0 beside `calls`. */
  rate?: number | undefined
  /** The calls that it happens to, counted from 1 over the operations it can happen to. */
  calls?: readonly number[] | undefined
  /** The operations that it can happen to. Defaults to all that know such a fault. */
  operations?: readonly ChaosOperation[] | undefined
  /** Seconds of a `delay`. Defaults to 1. */
  seconds?: number | undefined
}

const reads: readonly ChaosOperation[] = ['get', 'getMany']
const writes: readonly ChaosOperation[] = [
  'set',
  'setMany',
  'delete',
  'deleteMany',
  'compareAndSwap',
  'compareAndDelete',
]

/**
 * A store in which things go wrong, to see what an app, or behalf, makes of it:
 *
 *     const store = chaosStore(memoryStore(), [{ fault: 'throw', rate: 0.1 }])
 *
 * The same seed gives the same course of events, for the same calls. All else is as in `store`.
 */
export function chaosStore(store: Store, chaos: readonly Chaos[], seed = 'chaos'): Store {
  return new ChaosStore(store, chaos, seed)
}

class ChaosStore implements Store {
  readonly #store: Store
  readonly #chaos: ReadonlyArray<Chaos & { seen: number }>
  readonly #random: SeededRandom
  #former: { key: string; found: StoredValue } | undefined

  constructor(store: Store, chaos: readonly Chaos[], seed: string) {
    this.#store = store
    this.#chaos = chaos.map((one) => ({ ...one, seen: 0 }))
    this.#random = new SeededRandom(seed)
    Object.assign(this, this.#optional())
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
    const faults = await this.#begin('get')
    return this.#spoil(key, await this.#store.get(key), faults)
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const copy = new Uint8Array(value)
    return this.#write('set', undefined, () => this.#store.set(key, copy, options))
  }

  async delete(key: string): Promise<boolean> {
    return this.#write('delete', true, () => this.#store.delete(key))
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const copy = new Uint8Array(value)
    return this.#write('compareAndSwap', 'dropped', () =>
      this.#store.compareAndSwap(key, version, copy, options),
    )
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    return this.#write('compareAndDelete', true, () => this.#store.compareAndDelete(key, version))
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  #optional(): Partial<Pick<Store, OptionalOperation>> {
    const inner = bound(this.#store)
    const { keys, getMany, setMany, deleteMany } = inner
    const others = (['clear', 'increment', 'ttl', 'expire'] as const).map((name) => {
      const operation = inner[name] as ((...args: unknown[]) => Promise<unknown>) | undefined
      return [
        name,
        operation &&
          (async (...args: unknown[]) => {
            await this.#begin(name)
            return operation(...args)
          }),
      ]
    })
    return {
      ...Object.fromEntries(others),
      ...(keys && { keys: (prefix: string) => this.#list(keys(prefix)) }),
      ...(getMany && { getMany: (names: readonly string[]) => this.#readMany(names, getMany) }),
      ...(setMany && {
        setMany: (...all: Parameters<typeof setMany>) =>
          this.#write('setMany', undefined, () => setMany(...all)),
      }),
      ...(deleteMany && {
        deleteMany: (names: readonly string[]) =>
          this.#write('deleteMany', names.length, () => deleteMany(names)),
      }),
    }
  }

  async *#list(keys: AsyncIterable<string>): AsyncGenerator<string, void> {
    await this.#begin('keys')
    yield* keys
  }

  async #readMany(
    keys: readonly string[],
    getMany: Required<Store>['getMany'],
  ): Promise<Array<StoredValue | undefined>> {
    const faults = await this.#begin('getMany')
    const found = await getMany(keys)
    return keys.map((key, index) => this.#spoil(key, found[index], faults))
  }

  async #write<T>(operation: ChaosOperation, pretended: T, write: () => Promise<T>): Promise<T> {
    const faults = await this.#begin(operation)
    return faults.has('drop') ? pretended : write()
  }

  /** What goes wrong in this call; waits and throws where that is it. */
  async #begin(operation: ChaosOperation): Promise<Set<Chaos['fault']>> {
    const happening = this.#chaos.filter((one) => this.#happens(one, operation))
    for (const { fault, seconds = 1 } of happening) {
      if (fault === 'delay') await sleep(seconds * 1000)
      if (fault === 'throw') throw failure()
    }
    return new Set(happening.map(({ fault }) => fault))
  }

  #happens(one: Chaos & { seen: number }, operation: ChaosOperation): boolean {
    if (!(one.operations ?? operationsOf(one.fault) ?? [operation]).includes(operation)) {
      return false
    }
    one.seen += 1
    const { calls, rate = calls ? 0 : 1, seen } = one
    return calls?.includes(seen) === true || this.#random.next() < rate
  }

  #spoil(
    key: string,
    found: StoredValue | undefined,
    faults: ReadonlySet<Chaos['fault']>,
  ): StoredValue | undefined {
    const former = this.#former
    if (found) this.#former = { key, found }
    if (faults.has('drop')) return undefined
    if (faults.has('swap') && former && former.key !== key) return former.found
    return faults.has('corrupt') && found ? this.#flipped(found) : found
  }

  #flipped({ value, version }: StoredValue): StoredValue {
    const flipped = new Uint8Array(value)
    const at = this.#random.between(0, Math.max(0, flipped.length - 1))
    if (flipped.length > 0) flipped[at] = flipped[at]! ^ (1 << this.#random.between(0, 7))
    return { value: flipped, version }
  }
}

function operationsOf(fault: Chaos['fault']): readonly ChaosOperation[] | undefined {
  if (fault === 'drop') return [...reads, ...writes]
  return fault === 'corrupt' || fault === 'swap' ? reads : undefined
}

/** As a driver would throw it, with an address in the text. */
function failure(): Error {
  return Object.assign(new Error('read ECONNRESET 127.0.0.1:6379'), { code: 'ECONNRESET' })
}
