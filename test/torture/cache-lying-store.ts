import { bound } from '../../src/stores/optional-operations.ts'
import type { Store, StoredValue } from '../../src/stores/store.ts'
import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'

type Found = StoredValue | undefined

/** What a lie may be about: it has seen these before. */
const remembered = 500

/**
 * A store whose reads lie: they give another key's value, with its own version or with the other's, an
 * older value of the same key, one with bytes changed, cut off or added, the same one twice, or
 * nothing. Whatever it is wrapped around, it is not of this process: others could have written there.
 */
export function lyingStore(store: Store, rate: number, random: SeededRandom): Store {
  const lies = new Lies(rate, random)
  const { getMany } = bound(store)
  const lying: Partial<Store> = {
    reach: store.reach === 'process' ? 'host' : store.reach,
    get: async (key) => lies.about(key, await store.get(key)),
    ...(getMany && {
      getMany: async (keys) => {
        const found = await getMany(keys)
        return keys.map((key, index) => lies.about(key, found[index]))
      },
    }),
  }
  return new Proxy(store, {
    get(target, property: keyof Store) {
      if (property in lying) return lying[property]
      const member = target[property]
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member
    },
  })
}

class Lies {
  readonly #rate: number
  readonly #random: SeededRandom
  readonly #seen: Array<{ key: string; found: StoredValue }> = []

  constructor(rate: number, random: SeededRandom) {
    this.#rate = rate
    this.#random = random
  }

  about(key: string, found: Found): Found {
    const isLie = this.#random.next() < this.#rate
    const lie = isLie ? this.#lie(key, found) : found
    if (found) this.#remember(key, found)
    return lie
  }

  #lie(key: string, found: Found): Found {
    const random = this.#random
    const other = this.#seen.length > 0 ? random.pick(this.#seen).found : undefined
    const older = this.#seen.find((one) => one.key === key)?.found
    const version = found?.version ?? 'none'
    return random.pick([
      () => other,
      () => other && { value: other.value, version },
      () => found && other && { value: found.value, version: other.version },
      () => older,
      () => older && { value: older.value, version },
      () => found && { version, value: this.#changed(found.value) },
      () =>
        found && { version, value: found.value.subarray(0, random.between(0, found.value.length)) },
      () => found && { version, value: Buffer.concat([found.value, found.value]) },
      () => ({ version, value: Buffer.from([random.between(0, 255), 0, 1, 2]) }),
      () => undefined,
    ])()
  }

  #changed(value: Uint8Array): Uint8Array {
    const changed = new Uint8Array(value)
    const at = this.#random.between(0, Math.max(0, changed.length - 1))
    if (changed.length > 0) changed[at] = changed[at]! ^ (1 << this.#random.between(0, 7))
    return changed
  }

  #remember(key: string, found: StoredValue): void {
    const one = { key, found: { ...found, value: new Uint8Array(found.value) } }
    if (this.#seen.length < remembered) this.#seen.push(one)
    else if (this.#random.next() < 0.05) this.#seen[this.#random.between(0, remembered - 1)] = one
  }
}
