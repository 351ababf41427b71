import { Recent } from '../../recent.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { type Partition, responseKey } from './partition.ts'
import type { Asked } from './stored-responses.ts'
import { type EntryKeys, everything, tag, type Tag } from './tag.ts'
import type { Tags } from './tags.ts'

/** Names of tags: those of the rule, and those of the call. */
export interface TagNames {
  readonly ofRule: readonly string[]
  readonly ofCall: readonly string[]
}

/** What is read at a place, for the rule that had this list of names. */
interface Place {
  readonly ofRule: TagNames['ofRule']
  readonly keys: EntryKeys
}

/** So many places are remembered, and lists of tags: making their keys takes hashes. */
const mostPlaces = 4_000
const mostLists = 1_000

/** Where the entries for requests are, and what they hang on. */
export class EntryPlaces {
  readonly #namespace: string
  readonly #tags: Tags
  /** By partition, method and URL. */
  readonly #places = new Recent<Place>(mostPlaces)
  readonly #doorkeeper = new Doorkeeper(mostPlaces)
  /** By partition and names. */
  readonly #lists = new Recent<readonly Tag[]>(mostLists)

  constructor(namespace: string, tags: Tags) {
    this.#namespace = namespace
    this.#tags = tags
  }

  /** What is read for a request in a partition. */
  of(partition: Partition, asked: Asked, { ofRule, ofCall }: TagNames): EntryKeys {
    const name = `${partition.id} ${asked.method} ${asked.url}`
    let place = this.#places.get(name)
    if (place?.ofRule !== ofRule) {
      const key = responseKey(this.#namespace, partition, asked)
      place = { ofRule, keys: this.#tags.keysOf(key, this.#tagsOfAll(partition, ofRule)) }
      if (this.#doorkeeper.knows(key)) this.#places.set(name, place)
    }
    const { keys } = place
    if (ofCall.length === 0) return keys
    return this.#tags.keysOf(keys.entry, keys.tags, tagsOf(partition, ofCall))
  }

  /** What each reply of a partition hangs on, and what the tags of its rule add. */
  #tagsOfAll(partition: Partition, names: readonly string[]): readonly Tag[] {
    return this.#lists.getOrMake(JSON.stringify([partition.id, names]), () => [
      everything(),
      everything(partition.id),
      ...tagsOf(partition, names),
    ])
  }
}

/** The user's own, and everybody's. */
function tagsOf({ id }: Partition, names: readonly string[]): Tag[] {
  return names.flatMap((name) => [tag(name), tag(name, id)])
}
