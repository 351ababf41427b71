import type { CacheIntake } from './upstream/cache-intake.ts'
import { freshFor } from './http/reuse.ts'
import type { Partition } from './stored/partition.ts'
import { askedAt, type ItemPlace, type RepositoryPlaces } from './rules/repository-places.ts'
import type { RepositoryKey } from './repositories/repository-key.ts'
import type { Shelf, Shelved, ToShelve } from './repositories/shelf.ts'
import type { StoredResponse } from './stored/stored-response.ts'
import type { Asked, Lookup, StoredResponses } from './stored/stored-responses.ts'
import type { Captured } from './stored/tags.ts'
import { noHeaders } from './http/received.ts'

/** What a shelf works with. */
export interface ShelfParts {
  readonly responses: StoredResponses
  readonly intake: CacheIntake
  readonly places: RepositoryPlaces
}

/** A place that was looked at, and how it stood. */
interface Seen {
  readonly lookup: Lookup
  readonly captured: Captured | undefined
}

/** The responses of repositories in one partition, among all that are stored. */
export class ResponseShelf implements Shelf {
  readonly #parts: ShelfParts
  readonly #partition: Partition
  readonly #headers: Asked['headers']
  readonly #seen: Map<string, Seen> | undefined
  #kept = 0

  /** `headers`: of the call that it is for; what is kept is then judged by how it stood when it was missed. */
  constructor(parts: ShelfParts, partition: Partition, headers?: Asked['headers']) {
    this.#parts = parts
    this.#partition = partition
    this.#headers = headers ?? noHeaders
    this.#seen = headers && new Map()
  }

  /** How many have been kept. */
  get kept(): number {
    return this.#kept
  }

  async find(
    repository: string,
    keys: readonly RepositoryKey[],
  ): Promise<ReadonlyArray<Shelved | undefined>> {
    return Promise.all(
      keys.map(async (key) => {
        const place = this.#at(repository, key)
        const lookup = await this.#find(place)
        const shelved = lookup.match && shelvedOf(lookup.match)
        const isFresh = shelved && shelved.freshUntil > Date.now()
        if (this.#seen && !isFresh) {
          this.#seen.set(place.url, { lookup, captured: await lookup.capture() })
        }
        return shelved
      }),
    )
  }

  async keep(repository: string, items: readonly ToShelve[]): Promise<readonly boolean[]> {
    const kept = await Promise.all(items.map((item) => this.#keep(repository, item)))
    this.#kept += kept.filter(Boolean).length
    return kept
  }

  async forget(repository: string, keys: readonly RepositoryKey[]): Promise<readonly boolean[]> {
    return Promise.all(
      keys.map(async (key) => {
        const { key: stored, entry } = await this.#find(this.#at(repository, key))
        await this.#parts.responses.remove(stored)
        return entry.length > 0
      }),
    )
  }

  async *list(repository: string): AsyncGenerator<Shelved, void> {
    for await (const { response } of this.#parts.responses.list(this.#partition)) {
      if (response.item?.repository === repository) yield shelvedOf(response)
    }
  }

  async #keep(repository: string, { key, response }: ToShelve): Promise<boolean> {
    const place = this.#at(repository, key)
    const { lookup, captured } = this.#seen?.get(place.url) ?? (await this.#look(place))
    if (!captured) return false
    const asked = askedAt(place, this.#headers)
    return this.#parts.intake.item({ asked, place }, lookup, captured, response)
  }

  async #look(place: ItemPlace): Promise<Seen> {
    const asked = askedAt(place, this.#headers)
    const lookup = this.#parts.responses.unread(this.#partition, asked, namesOf(place))
    return { lookup, captured: await lookup.capture() }
  }

  async #find(place: ItemPlace): Promise<Lookup> {
    const asked = askedAt(place, this.#headers)
    return this.#parts.responses.find(this.#partition, asked, namesOf(place))
  }

  #at(repository: string, key: RepositoryKey): ItemPlace {
    const { places } = this.#parts
    return places.at(places.named(repository), key)
  }
}

const none: readonly string[] = []

function namesOf({ rule }: ItemPlace): { ofRule: readonly string[]; ofCall: readonly string[] } {
  return { ofRule: rule.tags ?? none, ofCall: none }
}

function shelvedOf(stored: StoredResponse): Shelved {
  const { item, status, receivedAt, body } = stored
  const now = Date.now()
  const headers = stored.headers as unknown as Array<[string, string]>
  return {
    key: item?.key.map((part) => part ?? undefined) ?? [],
    name: item?.name,
    storedAt: receivedAt,
    freshUntil: now + freshFor(stored, now) * 1000,
    response: () => new Response(body, { status, headers }),
  }
}
