import { hash } from 'node:crypto'
import { Recent } from '../../recent.ts'

/** What stored responses hang on; invalidated, it takes all of them along. */
export interface Tag {
  /** `all` has no name: everything of the partition, or of the namespace. */
  kind: 'tag' | 'all'
  name: string
  /** The partition that it is of; `undefined` is everybody's. */
  partition: string | undefined
}

/** A tag of one partition, or of all. */
export function tag(name: string, partition?: string): Tag {
  return { kind: 'tag', name, partition }
}

/** What everything of a partition hangs on, or everything of the namespace. */
export function everything(partition?: string): Tag {
  return { kind: 'all', name: '', partition }
}

/** What is read together: an entry, its fence, and tags. */
export interface EntryKeys {
  readonly entry: string
  readonly fence: string
  readonly tags: readonly Tag[]
  /** Those of the tags; marks call them so. */
  readonly ofTags: readonly string[]
  /** So many tags, the first ones, are what every reply there hangs on. */
  readonly required: number
}

/** What marks call the fence of their entry: each has one. */
export const fenceName = ''

/** So many keys are remembered: making one takes a hash. */
const mostKeys = 4_000

/** Hexadecimal, of 128 bits: each stored response has the keys of its tags in it. */
const keyDigits = 32
/** It tells no two partitions apart. */
const partDigits = 12

/** The keys of tags and fences in a store. */
export class TagKeys {
  readonly #namespace: string
  readonly #known = new Recent<string>(mostKeys)
  readonly #lists = new WeakMap<readonly Tag[], readonly string[]>()

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  of({ kind, name, partition }: Tag): string {
    const what = JSON.stringify([kind, partition ?? null, name])
    return this.#known.getOrMake(what, () => {
      // A store sees what belongs together by all that is before the last colon.
      const whose = partition === undefined ? '' : `${digest(partition, partDigits)}:`
      return `${this.#namespace}:tag:${whose}${digest(what, keyDigits)}`
    })
  }

  /** What is renewed when the entry is deleted. The last part of its key stands for all that it is. */
  fence(entryKey: string): string {
    return `${this.#namespace}:fence:${entryKey.slice(entryKey.lastIndexOf(':') + 1)}`
  }

  /** `known`: what every reply there hangs on; `own`: what those of one request hang on beside. */
  around(entryKey: string, known: readonly Tag[], own: readonly Tag[] = []): EntryKeys {
    const [fence, required, ofKnown] = [this.fence(entryKey), known.length, this.#ofAll(known)]
    if (own.length === 0) return { entry: entryKey, fence, tags: known, ofTags: ofKnown, required }
    const ofTags = [...ofKnown, ...own.map((one) => this.of(one))]
    return { entry: entryKey, fence, tags: [...known, ...own], ofTags, required }
  }

  /** Who reads often does so with the same list. */
  #ofAll(tags: readonly Tag[]): readonly string[] {
    let keys = this.#lists.get(tags)
    if (!keys) this.#lists.set(tags, (keys = tags.map((one) => this.of(one))))
    return keys
  }
}

function digest(text: string, digits: number): string {
  return hash('sha256', text, 'hex').slice(0, digits)
}
