import { hash, randomBytes } from 'node:crypto'
import { Recent } from '../recent.ts'
import { getMany, setMany } from '../stores/many-keys.ts'
import type { Store, StoredValue } from '../stores/store.ts'
import { EqualReads } from './equal-reads.ts'

/** What stored responses hang on; invalidated, it takes all of them along. */
export interface Tag {
  /** `all` has no name: everything of the partition, or of the namespace. */
  kind: 'tag' | 'all'
  name: string
  /** The partition that it is of; `undefined` is everybody's. */
  partition: string | undefined
}

/** What a stored response hangs on, and how that stood before its request was sent. */
export type Marks = ReadonlyArray<readonly [key: string, version: string]>

/** How a stored response stands now: `stale` may be served where stale responses may. */
export type Standing = 'valid' | 'stale' | 'invalid'

/** Marks that were taken for a request that is about to be sent. */
export interface Captured {
  marks: Marks
  /** `false` once the request has taken so long that a fence may have gone meanwhile. */
  mayStore(): boolean
}

/** An entry, and how it stands. */
export interface Reading {
  entry: StoredValue | undefined
  /** Costs a second round trip only for tags that the reader did not know. */
  standing(marks: Marks): Promise<Standing>
  /** As {@link Tags.capture}, from what was read; tags that there are none of yet are begun. */
  capture(): Promise<Captured>
}

/** Seconds. */
const lifetime = {
  /** After it, what hangs on a tag is fetched anew once. */
  tag: 30 * 86_400,
  /** Longer than any request that is still stored. */
  fence: 120,
} as const

/** So many keys are remembered. */
const mostKeys = 4_000

/** A version has two halves: a new first half invalidates, a new second half makes stale. */
const halfBytes = 8

/** Beyond, a tag that others keep changing is invalidated instead of made stale. */
const mostAttempts = 10

/** A tag of one partition, or of all. */
export function tag(name: string, partition?: string): Tag {
  return { kind: 'tag', name, partition }
}

/** What everything of a partition hangs on, or everything of the namespace. */
export function everything(partition?: string): Tag {
  return { kind: 'all', name: '', partition }
}

/**
 * Tags: an entry carries the versions at which its tags stood before its request was sent, and is
 * good for as long as they stand there. So a fill that overlaps an invalidation is dead on arrival,
 * on any store, without a list of what belongs to a tag.
 *
 * A version is random: any write is a new one, so that invalidating takes one blind write, two at
 * the same time are as good as one, and a version that was lost (evicted, expired) never comes
 * back. What hangs on a lost one counts as invalidated.
 *
 * All operations reject as the store does.
 */
export class Tags {
  readonly #store: Store
  readonly #namespace: string
  readonly #keys = new Recent<string>(mostKeys)
  readonly #lists = new WeakMap<readonly Tag[], readonly string[]>()
  readonly #reads = new EqualReads<Array<StoredValue | undefined>>()
  /** By key, while they are. */
  readonly #begun = new Map<string, Promise<string>>()

  constructor(store: Store, namespace: string) {
    this.#store = store
    this.#namespace = namespace
  }

  /**
   * Reads an entry together with the tags that it is known to hang on (those of its rule, its
   * partition's, the namespace's) and its own fence: one round trip. An entry that does not hang on
   * all of them is invalid. `own` are tags of the reader's request: what it fills hangs on them, too.
   */
  async read(entryKey: string, known: readonly Tag[], own: readonly Tag[] = []): Promise<Reading> {
    const readAt = performance.now()
    const fence = this.#fenceKey(entryKey)
    const tags = own.length === 0 ? known : [...known, ...own]
    const keys = this.#keysOf(tags)
    const readAll = () => getMany(this.#store, [entryKey, fence, ...keys])
    const [entry, ...found] = await (own.length === 0
      ? this.#reads.join(entryKey, known, readAll)
      : readAll())
    const all = [fence, ...keys]
    const versions = new Map(all.map((key, index) => [key, versionIn(found[index])]))
    const required = all.slice(0, known.length + 1)
    return {
      entry,
      standing: (marks) => this.#standing(marks, versions, required),
      capture: () => this.#captured(tags, all, versions, readAt),
    }
  }

  /** Takes down how tags stand, and the entry's fence: before its request is sent. */
  async capture(entryKey: string, tags: readonly Tag[]): Promise<Captured> {
    const readAt = performance.now()
    const keys = [this.#fenceKey(entryKey), ...tags.map((one) => this.#keyOf(one))]
    const found = await getMany(this.#store, keys)
    const versions = new Map(keys.map((key, index) => [key, versionIn(found[index])]))
    return this.#captured(tags, keys, versions, readAt)
  }

  /** What hangs on these tags is invalid from now on, also what is being fetched just now. */
  async invalidate(tags: readonly Tag[]): Promise<void> {
    await this.#renew(tags)
  }

  /** What hangs on these tags is stale from now on. */
  async makeStale(tags: readonly Tag[]): Promise<void> {
    await Promise.all(tags.map((one) => this.#age(one)))
  }

  /** To be called before an entry is deleted, so that a request under way does not bring it back. */
  async fence(entryKeys: readonly string[]): Promise<void> {
    const entries = entryKeys.map((key) => [this.#fenceKey(key), newVersion()] as const)
    await setMany(this.#store, entries, { ttl: lifetime.fence })
  }

  async #captured(
    tags: readonly Tag[],
    keys: readonly string[],
    versions: ReadonlyMap<string, string | undefined>,
    readAt: number,
  ): Promise<Captured> {
    const lost = tags.filter((one) => isLost(versions.get(this.#keyOf(one))))
    const begun = new Map(
      await Promise.all(
        lost.map(async (one) => [this.#keyOf(one), await this.#begin(one)] as const),
      ),
    )
    const marks = keys.map((key) => [key, begun.get(key) ?? versions.get(key) ?? ''] as const)
    const mayStore = () => performance.now() - readAt < (lifetime.fence - 1) * 1000
    return { marks, mayStore }
  }

  /** Gives a tag its first version; somebody else's is as good, as nothing has been sent yet. */
  async #begin(one: Tag): Promise<string> {
    const key = this.#keyOf(one)
    if (this.#store.reach === 'process') return this.#beginHere(one, key)
    const version = newVersion()
    const written = await this.#store.compareAndSwap(key, undefined, version, { ttl: ttlOf(one) })
    const found = written === undefined ? versionIn(await this.#store.get(key)) : textOf(version)
    if (found !== undefined && !isLost(found)) return found
    const [renewed] = (await this.#renew([one])).values()
    return renewed!
  }

  /**
   * Memory never drops what came by a comparison, and there are as many tags as users; it may drop
   * what was set. Nobody but this process begins it there.
   */
  #beginHere(one: Tag, key: string): Promise<string> {
    const begin = async () => {
      const found = versionIn(await this.#store.get(key))
      if (found !== undefined && !isLost(found)) return found
      const version = newVersion()
      await this.#store.set(key, version, { ttl: ttlOf(one) })
      return textOf(version)
    }
    let begun = this.#begun.get(key)
    if (!begun) {
      begun = begin().finally(() => this.#begun.delete(key))
      this.#begun.set(key, begun)
    }
    return begun
  }

  async #standing(
    marks: Marks,
    known: ReadonlyMap<string, string | undefined>,
    required: readonly string[],
  ): Promise<Standing> {
    const carried = new Map(marks)
    // A rule may have got another tag since.
    if (required.some((key) => !carried.has(key))) return 'invalid'
    const unknown = [...carried.keys()].filter((key) => !known.has(key))
    const found = unknown.length === 0 ? [] : await getMany(this.#store, unknown)
    const versions = new Map(known)
    for (const [index, key] of unknown.entries()) versions.set(key, versionIn(found[index]))
    return worstOf(marks.map(([key, version]) => standingOf(key, version, versions.get(key))))
  }

  async #renew(tags: readonly Tag[]): Promise<Map<string, string>> {
    const entries = tags.map((one) => ({
      key: this.#keyOf(one),
      value: newVersion(),
      ttl: ttlOf(one),
    }))
    for (const ttl of new Set(entries.map((entry) => entry.ttl))) {
      const some = entries.filter((entry) => entry.ttl === ttl)
      const pairs = some.map(({ key, value }) => [key, value] as const)
      await setMany(this.#store, pairs, { ttl })
    }
    return new Map(entries.map(({ key, value }) => [key, textOf(value)]))
  }

  async #age(one: Tag): Promise<void> {
    const key = this.#keyOf(one)
    for (let attempts = 0; attempts < mostAttempts; attempts += 1) {
      const found = await this.#store.get(key)
      // What hung on it is lost already.
      if (!found || isLost(versionIn(found))) return
      const next = newVersion()
      next.set(found.value.subarray(0, halfBytes))
      const ttl = ttlOf(one)
      if (await this.#store.compareAndSwap(key, found.version, next, { ttl })) return
    }
    await this.invalidate([one])
  }

  #keyOf({ kind, name, partition }: Tag): string {
    return this.#known('tag', JSON.stringify([kind, partition ?? null, name]), partition)
  }

  #fenceKey(entryKey: string): string {
    return this.#known('fence', entryKey)
  }

  /** Who reads often does so with the same list. */
  #keysOf(tags: readonly Tag[]): readonly string[] {
    let keys = this.#lists.get(tags)
    if (!keys) this.#lists.set(tags, (keys = tags.map((one) => this.#keyOf(one))))
    return keys
  }

  /** Making a key takes a hash. */
  #known(kind: 'tag' | 'fence', what: string, partition?: string): string {
    const name = `${kind} ${what}`
    let key = this.#keys.get(name)
    if (key === undefined) {
      // A store sees what belongs together by all that is before the last colon.
      const whose = partition === undefined ? '' : `${digest(partition).slice(0, 12)}:`
      key = `${this.#namespace}:${kind}:${whose}${digest(what)}`
      this.#keys.set(name, key)
    }
    return key
  }
}

function digest(text: string): string {
  return hash('sha256', text, 'hex')
}

const fencePart = ':fence:'

function standingOf(key: string, carried: string, now: string | undefined): Standing {
  // A fence is short-lived; where none stands there was no deletion, or it has long been over.
  if (now === undefined && key.includes(fencePart)) return 'valid'
  if (now === undefined || isLost(now)) return 'invalid'
  if (now === carried) return 'valid'
  const [was, is] = [carried, now].map((version) => Buffer.from(version, 'base64url'))
  return was!.subarray(0, halfBytes).equals(is!.subarray(0, halfBytes)) ? 'stale' : 'invalid'
}

function worstOf(standings: readonly Standing[]): Standing {
  if (standings.includes('invalid')) return 'invalid'
  return standings.includes('stale') ? 'stale' : 'valid'
}

function newVersion(): Buffer {
  return randomBytes(2 * halfBytes)
}

/** What stands in the place of a version, and was not written here. */
const unreadable = '?'

function versionIn(found: StoredValue | undefined): string | undefined {
  if (!found) return undefined
  if (found.value.byteLength !== 2 * halfBytes) return unreadable
  return textOf(found.value)
}

function textOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64url')
}

function isLost(version: string | undefined): boolean {
  return version === undefined || version === unreadable
}

/** Were the namespace's to end, everything would be fetched anew at the same moment, once a month. */
function ttlOf({ kind, partition }: Tag): number | undefined {
  return kind === 'all' && partition === undefined ? undefined : lifetime.tag
}
