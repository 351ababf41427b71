import { UnsupportedOperationError } from '../../errors.ts'
import { isInMemory } from '../../stores/in-memory.ts'
import type { Store, StoredValue } from '../../stores/store.ts'
import { currentAge } from '../http/age.ts'
import type { Fields } from '../http/received.ts'
import { matchesVariant } from '../http/vary.ts'
import { type Partition, responseKey } from './partition.ts'
import { EntryPlaces, type TagNames } from './entry-places.ts'
import { nothing, SealedEntries } from './sealed-entries.ts'
import { decodeEntry, type StoredEntry, withVariant } from './stored-entry.ts'
import type { StoredResponse } from './stored-response.ts'
import type { EntryKeys, Tag } from './tag.ts'
import type { Standing } from './tag-version.ts'
import { type Captured, type Reading, Tags } from './tags.ts'

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
  readonly #places: EntryPlaces
  readonly #entries: SealedEntries

  constructor(store: Store, namespace: string, maxEntryBytes: number) {
    this.#store = store
    this.#namespace = namespace
    this.#maxEntryBytes = maxEntryBytes
    this.#tags = new Tags(store, namespace)
    this.#places = new EntryPlaces(namespace, this.#tags)
    this.#entries = new SealedEntries(isInMemory(store))
  }

  /**
   * Waits for nothing where the store has it at hand; else it is one store read, unless the entry hangs
   * on tags of other calls.
   */
  find(partition: Partition, asked: Asked, names: TagNames): Lookup | Promise<Lookup> {
    const keys = this.#places.of(partition, asked, names)
    return this.#findAtHand(partition, asked, keys) ?? this.#read(partition, asked, keys)
  }

  async #read(partition: Partition, asked: Asked, keys: EntryKeys): Promise<Lookup> {
    const reading = await passBy(this.#tags.read(keys))
    const entry = this.#entryIn(reading, partition, keys)
    const match = matching(entry, asked, partition)
    const standing = match && (await passBy(reading!.standing(match.marks)))
    return this.#lookup({ partition, keys, entry, reading }, match, standing)
  }

  #findAtHand(partition: Partition, asked: Asked, keys: EntryKeys): Lookup | undefined {
    const reading = this.#tags.readAtHand(keys)
    if (!reading) return undefined
    const entry = this.#entryIn(reading, partition, keys)
    const match = matching(entry, asked, partition)
    const standing = match && reading.standingAtHand(match.marks)
    if (match && !standing) return undefined
    return this.#lookup({ partition, keys, entry, reading }, match, standing)
  }

  /** Where something would be, without looking; what is kept there replaces all variants. */
  unread(partition: Partition, asked: Asked, names: TagNames): Lookup {
    const keys = this.#places.of(partition, asked, names)
    const capture = () => passBy(this.#tags.capture(keys))
    return { partition, key: keys.entry, entry: [], match: undefined, capture }
  }

  /** Tells whether it was kept. `ttl` in seconds. */
  async keep(lookup: Lookup, response: StoredResponse, ttl: number): Promise<boolean> {
    const { key, partition, entry, match } = lookup
    const variants = withVariant(entry, response, match, this.#maxEntryBytes)
    const value = this.#entries.encode(partition, key, variants)
    if (value.length > this.#store.maxValueBytes) return false
    const setting = this.#store.set(key, value, { ttl, transfer: true })
    return (await passBy(setting.then(() => true))) ?? false
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
    const entry = found && this.#entries.read(partition, key, found, false)
    if (!found || !entry || entry.length === 0) return
    const { marks } = await this.#tags.capture(this.#tags.keysOf(key, []))
    const [[fence, version] = []] = marks
    const now = Date.now()
    const aged = entry.map((one) => ({
      ...expired(one, now),
      marks: one.marks.map((mark) => (mark[0] === fence ? ([fence, version!] as const) : mark)),
    }))
    const value = this.#entries.encode(partition, key, aged)
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
      const reading = await passBy(this.#tags.read(this.#tags.keysOf(key, [])))
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
    if (partition) return this.#entries.read(partition, key, found, false)
    return decodeEntry(key, found.value) ?? nothing
  }

  #lookup(
    { partition, keys, entry, reading }: Found,
    match: StoredResponse | undefined,
    standing: Standing | undefined,
  ): Lookup {
    const key = keys.entry
    const capture = async () => reading && passBy(reading.capture())
    if (!match || standing === 'valid') return { partition, key, entry, match, capture }
    const others = entry.filter((one) => one !== match)
    const good = standing === 'stale' ? expired(match, Date.now()) : undefined
    return { partition, key, entry: good ? [good, ...others] : others, match: good, capture }
  }

  #entryIn(reading: Reading | undefined, partition: Partition, { entry }: EntryKeys): StoredEntry {
    if (!reading?.entry) return nothing
    return this.#entries.read(partition, entry, reading.entry, reading.isAtHand)
  }
}

/** What was read for a request. */
interface Found {
  readonly partition: Partition
  readonly keys: EntryKeys
  readonly entry: StoredEntry
  readonly reading: Reading | undefined
}

/** The variant that answers the request. */
function matching(
  entry: StoredEntry,
  { headers }: Asked,
  { key }: Partition,
): StoredResponse | undefined {
  return entry.find(({ variant }) => matchesVariant(variant, headers, key))
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
