import type { StoredValue } from '../../stores/store.ts'
import { OpenedEntries } from './opened-entries.ts'
import type { Partition } from './partition.ts'
import { decodeEntry, encodeEntry, openEntry, sealEntry, type StoredEntry } from './stored-entry.ts'

/** What is no entry of a key. */
export const nothing: StoredEntry = []

/** Entries as they lie in a store: a partition's are sealed where they leave the process. */
export class SealedEntries {
  readonly #isLocal: boolean
  readonly #opened = new OpenedEntries()

  /** `isLocal`: a value is in nobody else's reach; sealing or checking it would only cost time. */
  constructor(isLocal: boolean) {
    this.#isLocal = isLocal
  }

  encode(partition: Partition, key: string, entry: StoredEntry): Uint8Array {
    const encoded = encodeEntry(key, entry)
    return this.#seals(partition) ? sealEntry(partition.key, key, encoded) : encoded
  }

  /** Empty for what is not the partition's entry of that key. `isAtHand`: its bytes never change. */
  read(partition: Partition, key: string, found: StoredValue, isAtHand: boolean): StoredEntry {
    const place = { key, partition: partition.id }
    const known = this.#opened.get(place, found)
    if (known) return known
    const { version } = found
    // A driver's bytes may be a small part of many, which would all be kept.
    const value = isAtHand ? found.value : new Uint8Array(found.value)
    const open = (bytes: Uint8Array) => this.#open(partition, key, bytes)
    return this.#opened.open(place, { value, version }, open)
  }

  #open(partition: Partition, key: string, value: Uint8Array): StoredEntry {
    const sealed = this.#seals(partition)
    const opened = sealed ? openEntry(partition.key, key, value) : value
    // What is sealed cannot be anything else.
    return (opened && decodeEntry(key, opened, sealed || this.#isLocal)) ?? nothing
  }

  #seals(partition: Partition): boolean {
    return partition.sealed && !this.#isLocal
  }
}
