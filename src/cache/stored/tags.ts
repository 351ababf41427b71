import { getMany, setMany } from '../../stores/many-keys.ts'
import type { Store, StoredValue } from '../../stores/store.ts'
import { EqualReads } from './equal-reads.ts'
import { type EntryKeys, fenceName, type Tag, TagKeys } from './tag.ts'
import { isLost, newVersion, type Standing, standingAt, versionIn, worstOf } from './tag-version.ts'
import { TagWriter } from './tag-writer.ts'

/** What a stored response hangs on, and how that stood before its request was sent. */
export type Marks = ReadonlyArray<readonly [key: string, version: string]>

/** Marks that were taken for a request that is about to be sent. */
export interface Captured {
  marks: Marks
  /** `false` once the request has taken so long that a fence may have gone meanwhile. */
  mayStore(): boolean
}

/** An entry, and how it stands. */
export interface Reading {
  entry: StoredValue | undefined
  /** The entry is the store's own, and never changes. */
  isAtHand: boolean
  /** `undefined` for an entry that hangs on tags the reader did not know: they have to be read. */
  standingAtHand(marks: Marks): Standing | undefined
  /** Costs a second round trip only for tags that the reader did not know. */
  standing(marks: Marks): Promise<Standing>
  /** As {@link Tags.capture}, from what was read; tags that there are none of yet are begun. */
  capture(): Promise<Captured>
}

/** Seconds: longer than any request that is still stored. */
const fenceLifetime = 120

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
  readonly #keys: TagKeys
  readonly #writer: TagWriter
  readonly #reads = new EqualReads<string, Array<StoredValue | undefined>>()
  /** What was valid is so for as long as nothing that it hangs on has been written. */
  readonly #valid = new WeakMap<Marks, { keys: EntryKeys; at: readonly StoredVersion[] }>()

  constructor(store: Store, namespace: string) {
    this.#store = store
    this.#keys = new TagKeys(namespace)
    this.#writer = new TagWriter(store, this.#keys)
  }

  /** The keys of what {@link Tags.read} reads; `own` are tags of the reader's request. */
  keysOf(entryKey: string, known: readonly Tag[], own: readonly Tag[] = []): EntryKeys {
    return this.#keys.around(entryKey, known, own)
  }

  /**
   * Reads an entry together with the tags that it is known to hang on (those of its rule, its
   * partition's, the namespace's) and its own fence: one round trip. An entry that does not hang on
   * all of them is invalid. What the reader's request fills hangs on its own tags, too.
   */
  async read(keys: EntryKeys): Promise<Reading> {
    const readAt = performance.now()
    const all = allOf(keys)
    const found = await this.#reads.join(all.join('\0'), () => getMany(this.#store, all))
    return this.#reading(keys, found, { readAt, isAtHand: false })
  }

  /** As {@link Tags.read}, without waiting, where the store has it in this process. */
  readAtHand(keys: EntryKeys): Reading | undefined {
    const found = this.#store.atHand?.(allOf(keys))
    const readAt = performance.now()
    return found && this.#reading(keys, found, { readAt, isAtHand: true })
  }

  /** Takes down how tags stand, and the entry's fence: before its request is sent. */
  async capture(keys: EntryKeys): Promise<Captured> {
    const readAt = performance.now()
    const found = await getMany(this.#store, [keys.fence, ...keys.ofTags])
    return this.#captured(keys, [undefined, ...found], readAt)
  }

  /** What hangs on these tags is invalid from now on, also what is being fetched just now. */
  async invalidate(tags: readonly Tag[]): Promise<void> {
    await this.#writer.renew(tags)
  }

  /** What hangs on these tags is stale from now on. */
  async makeStale(tags: readonly Tag[]): Promise<void> {
    await Promise.all(tags.map((one) => this.#writer.age(one)))
  }

  /** To be called before an entry is deleted, so that a request under way does not bring it back. */
  async fence(entryKeys: readonly string[]): Promise<void> {
    const entries = entryKeys.map((key) => [this.#keys.fence(key), newVersion()] as const)
    await setMany(this.#store, entries, { ttl: fenceLifetime })
  }

  #reading(
    keys: EntryKeys,
    found: ReadonlyArray<StoredValue | undefined>,
    { readAt, isAtHand }: { readAt: number; isAtHand: boolean },
  ): Reading {
    return {
      entry: found[0],
      isAtHand,
      standingAtHand: (marks) => this.#standingAtHand(marks, keys, found),
      standing: async (marks) =>
        this.#standingAtHand(marks, keys, found) ?? this.#standing(marks, keys, found),
      capture: () => this.#captured(keys, found, readAt),
    }
  }

  #standingAtHand(
    marks: Marks,
    keys: EntryKeys,
    found: ReadonlyArray<StoredValue | undefined>,
  ): Standing | undefined {
    const valid = this.#valid.get(marks)
    if (valid?.keys === keys && valid.at.every((at, index) => at === found[index + 1]?.version)) {
      return 'valid'
    }
    const carried = new Set(marks.map(([key]) => key))
    // A rule may have got another tag since.
    const required = [fenceName, ...keys.ofTags.slice(0, keys.required)]
    if (required.some((name) => !carried.has(name))) return 'invalid'
    const versions = versionsIn(keys, found)
    if (marks.some(([key]) => !versions.has(key))) return undefined
    const standing = worstOf(marks.map((mark) => standingOf(mark, versions)))
    const at = found.slice(1).map((one) => one?.version)
    if (standing === 'valid') this.#valid.set(marks, { keys, at })
    return standing
  }

  async #standing(
    marks: Marks,
    keys: EntryKeys,
    found: ReadonlyArray<StoredValue | undefined>,
  ): Promise<Standing> {
    const versions = versionsIn(keys, found)
    const unknown = marks.map(([key]) => key).filter((key) => !versions.has(key))
    const others = await getMany(this.#store, unknown)
    const all = new Map([...versions, ...named(unknown, others)])
    return worstOf(marks.map((mark) => standingOf(mark, all)))
  }

  async #captured(
    { tags, ofTags }: EntryKeys,
    found: ReadonlyArray<StoredValue | undefined>,
    readAt: number,
  ): Promise<Captured> {
    const [fence, ...stood] = found.slice(1).map(versionIn)
    const begun = stood.some(isLost) ? await this.#beginLost(tags, stood) : stood
    const ofEach = ofTags.map((key, index) => [key, begun[index] ?? ''] as const)
    const marks = [[fenceName, fence ?? ''] as const, ...ofEach]
    const mayStore = () => performance.now() - readAt < (fenceLifetime - 1) * 1000
    return { marks, mayStore }
  }

  #beginLost(
    tags: readonly Tag[],
    stood: ReadonlyArray<string | undefined>,
  ): Promise<Array<string | undefined>> {
    return Promise.all(
      tags.map(async (one, index) =>
        isLost(stood[index]) ? this.#writer.begin(one) : stood[index],
      ),
    )
  }
}

type StoredVersion = StoredValue['version'] | undefined

/** What is read together, in the order in which it is found. */
function allOf({ entry, fence, ofTags }: EntryKeys): readonly string[] {
  return [entry, fence, ...ofTags]
}

/** The versions that were found with an entry, by the names that marks have for them. */
function versionsIn(
  { ofTags }: EntryKeys,
  [_entry, ...found]: ReadonlyArray<StoredValue | undefined>,
): Map<string, string | undefined> {
  return named([fenceName, ...ofTags], found)
}

function named(
  names: readonly string[],
  found: ReadonlyArray<StoredValue | undefined>,
): Map<string, string | undefined> {
  return new Map(names.map((name, index) => [name, versionIn(found[index])]))
}

function standingOf(
  [name, carried]: Marks[number],
  versions: ReadonlyMap<string, string | undefined>,
): Standing {
  const now = versions.get(name)
  // A fence is short-lived; where none stands there was no deletion, or it has long been over.
  return now === undefined && name === fenceName ? 'valid' : standingAt(carried, now)
}
