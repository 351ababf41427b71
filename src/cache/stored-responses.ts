import { UnsupportedOperationError } from '../errors.ts'
import { Recent } from '../recent.ts'
import type { Store, StoredValue } from '../stores/store.ts'
import { currentAge } from './http/age.ts'
import type { Fields } from './http/received.ts'
import { matchesVariant } from './http/vary.ts'
import { type Partition, responseKey } from './partition.ts'
import {
  decodeEntry,
  decodeHead,
  encodeEntry,
  type EntryHead,
  entryOf,
  isWhole,
  openEntry,
  prefixOf,
  sealEntry,
  type StoredEntry,
  withVariant,
} from './stored-entry.ts'
import type { StoredResponse } from './stored-response.ts'
import { type Captured, everything, tag, type Tag, Tags } from './tags.ts'

/** A request as the cache sees it; every `Request` is one. The URL is as the URL parser writes it. */
export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: Fields
}

/** Where responses are stored: by a URL and GET, or by the key of a repository. */
export type Where = Pick<Asked, 'method' | 'url'>

/** What was found under a key, before anything goes upstream; what comes is kept in its place. */
export interface Lookup {
  readonly partition: Partition
  readonly key: string
  readonly entry: StoredEntry
  /** The variant that answers the request. */
  readonly match: StoredResponse | undefined
  /**
   * How what the reply will hang on stands: to be called before the request is sent. `undefined` where
   * the store cannot say; then the reply must not be kept.
   */
  capture(): Promise<Captured | undefined>
}

/** A stored response, and its key in the store. */
export interface Listed {
  readonly key: string
  readonly response: StoredResponse
}

/** Names of tags: those of the rule, and those of the call. */
export interface TagNames {
  readonly ofRule: readonly string[]
  readonly ofCall: readonly string[]
}

/** So many heads of so many bytes are remembered, so that a hit does not read JSON. */
const mostHeads = 1_000
const rememberedBytes = 8_192

/** Seconds for which what was made stale may still be asked about. */
const staleKept = 3_600

/**
 * Finds and keeps stored responses. A store that fails is passed by: it finds nothing and keeps
 * nothing. Only what takes something away rejects as the store does.
 */
export class StoredResponses {
  readonly #store: Store
  readonly #namespace: string
  readonly #maxEntryBytes: number
  readonly #tags: Tags
  /** By key, for the version that was read; the store never uses one twice for a key. */
  readonly #heads = new Recent<{ version: string; prefix: string; head: EntryHead }>(mostHeads)

  readonly #keys = new Recent<string>(mostHeads)
  /** By the rule's list of names, and partition. */
  readonly #known = new WeakMap<readonly string[], Recent<readonly Tag[]>>()

  constructor(store: Store, namespace: string, maxEntryBytes: number) {
    this.#store = store
    this.#namespace = namespace
    this.#maxEntryBytes = maxEntryBytes
    this.#tags = new Tags(store, namespace)
  }

  /** One store read, unless the entry hangs on tags of other calls. */
  async find(partition: Partition, asked: Asked, names: TagNames): Promise<Lookup> {
    const key = this.#keyOf(partition, asked)
    const known = this.#knownTags(partition, names.ofRule)
    const reading = await passBy(this.#tags.read(key, known, tagsOf(partition, names.ofCall)))
    const capture = async () => reading && passBy(reading.capture())
    const found = reading?.entry
    const entry = found ? this.#read(partition, key, found) : []
    const match = entry.find(({ variant }) => matchesVariant(variant, asked.headers, partition.key))
    const standing = match && (await passBy(reading!.standing(match.marks)))
    if (!match || standing === 'valid') return { partition, key, entry, match, capture }
    const others = entry.filter((one) => one !== match)
    const good = standing === 'stale' ? expired(match, Date.now()) : undefined
    return { partition, key, entry: good ? [good, ...others] : others, match: good, capture }
  }

  /** Where something would be, without looking; what is kept there replaces all variants. */
  unread(partition: Partition, asked: Asked, { ofRule, ofCall }: TagNames): Lookup {
    const key = this.#keyOf(partition, asked)
    const tags = [...this.#knownTags(partition, ofRule), ...tagsOf(partition, ofCall)]
    const capture = () => passBy(this.#tags.capture(key, tags))
    return { partition, key, entry: [], match: undefined, capture }
  }

  /** Tells whether it was kept. `ttl` in seconds. */
  async keep(lookup: Lookup, response: StoredResponse, ttl: number): Promise<boolean> {
    const { key, partition, entry, match } = lookup
    const variants = withVariant(entry, response, match, this.#maxEntryBytes)
    const value = this.#encoded(partition, key, variants)
    if (value.length > this.#store.maxValueBytes) return false
    return (await passBy(this.#store.set(key, value, { ttl }).then(() => true))) ?? false
  }

  /** What was found is no longer good. */
  async drop({ key }: Lookup): Promise<void> {
    await passBy(this.#store.delete(key))
  }

  /** RFC 9111 section 4.4: what was stored there is no longer good. */
  async forget(partition: Partition, where: Where): Promise<void> {
    const key = responseKey(this.#namespace, partition, where)
    await this.remove(key)
  }

  /** What is stored there is to be asked about before its next use. */
  async makeStale(partition: Partition, where: Where): Promise<void> {
    const key = responseKey(this.#namespace, partition, where)
    await this.#tags.fence([key])
    const found = await this.#store.get(key)
    const entry = found && this.#read(partition, key, found)
    if (!found || !entry || entry.length === 0) return
    const { marks } = await this.#tags.capture(key, [])
    const [[fence, version] = []] = marks
    const now = Date.now()
    const aged = entry.map((one) => ({
      ...expired(one, now),
      marks: one.marks.map((mark) => (mark[0] === fence ? ([fence, version!] as const) : mark)),
    }))
    const value = this.#encoded(partition, key, aged)
    await this.#store.compareAndSwap(key, found.version, value, { ttl: staleKept })
  }

  /** What hangs on these is no longer good: of one partition, or of all. */
  async invalidate(tags: readonly Tag[]): Promise<void> {
    await this.#tags.invalidate(tags)
  }

  /** What hangs on these is to be asked about before its next use. */
  async ageTags(tags: readonly Tag[]): Promise<void> {
    await this.#tags.makeStale(tags)
  }

  /**
   * What is stored and may be served, of one partition or of all: what is sealed can be read with its
   * partition only. Throws an `UnsupportedOperationError` where the store cannot list.
   */
  async *list(partition: Partition | undefined): AsyncGenerator<Listed, void> {
    if (!this.#store.keys) throw new UnsupportedOperationError('list', 'it cannot list its keys')
    const prefix = partition ? `${this.#prefix}${partition.name}:` : this.#prefix
    for await (const key of this.#store.keys(prefix)) {
      const reading = await passBy(this.#tags.read(key, []))
      const found = reading?.entry
      const entry = found ? this.#listed(partition, key, found) : []
      for (const response of entry) {
        const standing = await passBy(reading!.standing(response.marks))
        if (standing === 'valid') yield { key, response }
        else if (standing === 'stale') yield { key, response: expired(response, Date.now()) }
      }
    }
  }

  /** All variants that are under a key, and what is being fetched for it. */
  async remove(key: string): Promise<void> {
    await this.#tags.fence([key])
    await this.#store.delete(key)
  }

  /** Really deletes what has been invalidated, where the store can. */
  async sweep(partition: Partition | undefined): Promise<void> {
    const prefix = partition ? `${this.#prefix}${partition.name}:` : this.#prefix
    await passBy(this.#store.clear?.(prefix) ?? Promise.resolve())
  }

  get #prefix(): string {
    return `${this.#namespace}:response:`
  }

  #listed(partition: Partition | undefined, key: string, found: StoredValue): StoredEntry {
    if (partition) return this.#read(partition, key, found)
    return decodeEntry(key, found.value) ?? []
  }

  #encoded(partition: Partition, key: string, entry: StoredEntry): Uint8Array {
    const encoded = encodeEntry(key, entry)
    return this.#seals(partition) ? sealEntry(partition.key, key, encoded) : encoded
  }

  #read(partition: Partition, key: string, { value, version }: StoredValue): StoredEntry {
    const sealed = this.#seals(partition)
    const opened = sealed ? openEntry(partition.key, key, value) : value
    if (!opened || !(sealed || this.#isLocal || isWhole(opened))) return []
    const known = this.#heads.get(key)
    const prefix = prefixOf(opened)
    // A store that gives an older value with a newer version must not have it cut up by that one's head.
    if (known?.version === version && known.prefix === prefix) return entryOf(known.head, opened)
    const head = decodeHead(key, opened)
    if (!head) return []
    if (head.bytes <= rememberedBytes) this.#heads.set(key, { version, prefix, head })
    return entryOf(head, opened)
  }

  /** What each reply of a partition hangs on, and what the tags of its rule add. */
  #knownTags(partition: Partition, names: readonly string[]): readonly Tag[] {
    let known = this.#known.get(names)
    if (!known) this.#known.set(names, (known = new Recent(mostHeads)))
    let tags = known.get(partition.id)
    if (!tags) {
      tags = [everything(), everything(partition.id), ...tagsOf(partition, names)]
      known.set(partition.id, tags)
    }
    return tags
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

/** The user's own, and everybody's. */
function tagsOf({ id }: Partition, names: readonly string[]): Tag[] {
  return names.flatMap((name) => [tag(name), tag(name, id)])
}

function expired(response: StoredResponse, now: number): StoredResponse {
  return { ...response, lifetime: Math.min(response.lifetime, currentAge(response, now)) }
}

/** A cache is optional (RFC 9111 section 2). */
async function passBy<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch {
    return undefined
  }
}
