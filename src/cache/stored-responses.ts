import { Recent } from '../recent.ts'
import type { Store, StoredValue } from '../stores/store.ts'
import type { Fields } from './http/received.ts'
import { matchesVariant } from './http/vary.ts'
import { type Partition, responseKey } from './partition.ts'
import {
  decodeHead,
  encodeEntry,
  type EntryHead,
  entryOf,
  isWhole,
  openEntry,
  sealEntry,
  type StoredEntry,
  withVariant,
} from './stored-entry.ts'
import type { StoredResponse } from './stored-response.ts'

/** A request as the cache sees it; every `Request` is one. The URL is as the URL parser writes it. */
export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: Fields
}

/** What was found under a key, before anything goes upstream; what comes is kept in its place. */
export interface Lookup {
  readonly partition: Partition
  readonly key: string
  readonly entry: StoredEntry
  /** The variant that answers the request. */
  readonly match: StoredResponse | undefined
}

/** So many heads of so many bytes are remembered, so that a hit does not read JSON. */
const mostHeads = 1_000
const rememberedBytes = 8_192

/**
 * Finds and keeps stored responses. A store that fails is passed by: it finds nothing and keeps
 * nothing, and the caller never hears of it.
 */
export class StoredResponses {
  readonly #store: Store
  readonly #namespace: string
  readonly #maxEntryBytes: number
  /** By key, for the version that was read; the store never uses one twice for a key. */
  readonly #heads = new Recent<{ version: string; head: EntryHead }>(mostHeads)

  readonly #keys = new Recent<string>(mostHeads)

  constructor(store: Store, namespace: string, maxEntryBytes: number) {
    this.#store = store
    this.#namespace = namespace
    this.#maxEntryBytes = maxEntryBytes
  }

  /** One store read. */
  async find(partition: Partition, asked: Asked): Promise<Lookup> {
    const key = this.#keyOf(partition, asked)
    const found = await passBy(this.#store.get(key))
    const entry = found ? this.#read(partition, key, found) : []
    const match = entry.find(({ variant }) => matchesVariant(variant, asked.headers, partition.key))
    return { partition, key, entry, match }
  }

  /** Where something would be, without looking; what is kept there replaces all variants. */
  unread(partition: Partition, asked: Asked): Lookup {
    const key = this.#keyOf(partition, asked)
    return { partition, key, entry: [], match: undefined }
  }

  /** Tells whether it was kept. `ttl` in seconds. */
  async keep(lookup: Lookup, response: StoredResponse, ttl: number): Promise<boolean> {
    const { key, partition, entry, match } = lookup
    const encoded = encodeEntry(key, withVariant(entry, response, match, this.#maxEntryBytes))
    const value = this.#seals(partition) ? sealEntry(partition.key, key, encoded) : encoded
    if (value.length > this.#store.maxValueBytes) return false
    return (await passBy(this.#store.set(key, value, { ttl }).then(() => true))) ?? false
  }

  /** What was found is no longer good. */
  async drop({ key }: Lookup): Promise<void> {
    await passBy(this.#store.delete(key))
  }

  /** RFC 9111 section 4.4: what was stored for GET of that URL is no longer good. */
  async forget(partition: Partition, url: string): Promise<void> {
    const key = responseKey(this.#namespace, partition, { method: 'GET', url })
    await passBy(this.#store.delete(key))
  }

  #read(partition: Partition, key: string, { value, version }: StoredValue): StoredEntry {
    const sealed = this.#seals(partition)
    const opened = sealed ? openEntry(partition.key, key, value) : value
    if (!opened || !(sealed || this.#isLocal || isWhole(opened))) return []
    const known = this.#heads.get(key)
    if (known?.version === version) return entryOf(known.head, opened)
    const head = decodeHead(key, opened)
    if (!head) return []
    if (head.bytes <= rememberedBytes) this.#heads.set(key, { version, head })
    return entryOf(head, opened)
  }

  /** Making one takes a hash. */
  #keyOf(partition: Partition, asked: Asked): string {
    if (asked.method !== 'GET') return responseKey(this.#namespace, partition, asked)
    const name = `${partition.id} ${asked.url}`
    let key = this.#keys.get(name)
    if (key === undefined) {
      key = responseKey(this.#namespace, partition, asked)
      this.#keys.set(name, key)
    }
    return key
  }

  get #isLocal(): boolean {
    return this.#store.reach === 'process'
  }

  /** Within the process a value is in nobody else's reach; sealing it would only cost time. */
  #seals(partition: Partition): boolean {
    return partition.sealed && !this.#isLocal
  }
}

/** A cache is optional (RFC 9111 section 2). */
async function passBy<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch {
    return undefined
  }
}
