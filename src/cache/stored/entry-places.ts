import { Recent } from '../../recent.ts'
import { type Partition, responseKey } from './partition.ts'
import type { Asked } from './stored-responses.ts'
import { type EntryKeys, everything, tag, type Tag } from './tag.ts'
import type { Tags } from './tags.ts'

/** Names of tags: those of the rule, and those of the call. */
export interface TagNames {
  readonly ofRule: readonly string[]
  readonly ofCall: readonly string[]
}

/** So many places are remembered, and lists of tags: making their keys takes hashes. */
const mostPlaces = 4_000
const mostLists = 1_000

/** Where the entries for requests are, and what they hang on. */
export class EntryPlaces {
  readonly #namespace: string
  readonly #tags: Tags
  /** By the rule's list of names; partition, method and URL. */
  readonly #places = new WeakMap<readonly string[], Recent<EntryKeys>>()
  /** By the rule's list of names, and partition. */
  readonly #lists = new WeakMap<readonly string[], Recent<readonly Tag[]>>()

  constructor(namespace: string, tags: Tags) {
    this.#namespace = namespace
    this.#tags = tags
  }

  /** What is read for a request in a partition. */
  of(partition: Partition, asked: Asked, { ofRule, ofCall }: TagNames): EntryKeys {
    const places = recentOf(this.#places, ofRule, mostPlaces)
    const name = `${partition.id} ${asked.method} ${asked.url}`
    let keys = places.get(name)
    if (!keys) {
      const key = responseKey(this.#namespace, partition, asked)
      keys = this.#tags.keysOf(key, this.#tagsOfAll(partition, ofRule))
      places.set(name, keys)
    }
    if (ofCall.length === 0) return keys
    return this.#tags.keysOf(keys.entry, keys.tags, tagsOf(partition, ofCall))
  }

  /** What each reply of a partition hangs on, and what the tags of its rule add. */
  #tagsOfAll(partition: Partition, names: readonly string[]): readonly Tag[] {
    const lists = recentOf(this.#lists, names, mostLists)
    let tags = lists.get(partition.id)
    if (!tags) {
      tags = [everything(), everything(partition.id), ...tagsOf(partition, names)]
      lists.set(partition.id, tags)
    }
    return tags
  }
}

function recentOf<T>(
  all: WeakMap<readonly string[], Recent<T>>,
  names: readonly string[],
  most: number,
): Recent<T> {
  let recent = all.get(names)
  if (!recent) all.set(names, (recent = new Recent(most)))
  return recent
}

/** The user's own, and everybody's. */
function tagsOf({ id }: Partition, names: readonly string[]): Tag[] {
  return names.flatMap((name) => [tag(name), tag(name, id)])
}
