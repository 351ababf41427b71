import { fieldsOf, type KeyInput, keyFrom, type RepositoryKey } from './repository-key.ts'
import type { RepositoryRule } from './repository-rule.ts'
import type { Shelf, Shelved } from './shelf.ts'

/** A stored response, without its body until that is asked for. */
export interface RepositoryEntry<P> {
  /** By field; takes part in every operation as it is. */
  key: Readonly<Record<string, string>>
  name: string | undefined
  /** Epoch ms. */
  storedAt: number
  /** Until when it may be reused, epoch ms. */
  freshUntil: number
  /** `undefined` where the body is not what the repository's payload handler reads. */
  payload(): Promise<P | undefined>
}

/** So many are deleted at a time. */
const atATime = 100

/**
 * The stored responses of one rule, in one partition. A key is an object by field or, where the rule
 * has one field, its value; another one throws a `RangeError`. What is called for many answers in
 * their order. A store that fails finds and keeps nothing, and what deletes rejects as it does; one that cannot list (memcached) throws
 * an `UnsupportedOperationError` in `count`, `clear` and the iteration.
 */
export class Repository<P = unknown> implements AsyncIterable<RepositoryEntry<P>> {
  readonly name: string
  readonly #rule: RepositoryRule<P>
  readonly #shelf: Shelf

  constructor(rule: RepositoryRule<P>, shelf: Shelf) {
    this.name = rule.name
    this.#rule = rule
    this.#shelf = shelf
  }

  /** What is stored and fresh. */
  async get(key: KeyInput): Promise<P | undefined> {
    return (await this.getMany([key]))[0]
  }

  async getMany(keys: readonly KeyInput[]): Promise<Array<P | undefined>> {
    const found = await this.#find(keys)
    return Promise.all(
      found.map(async (one) => (one && isFresh(one) ? this.#payloadOf(one) : undefined)),
    )
  }

  /** Stores a payload by hand, as if it had come from the network; tells whether it was kept. */
  async save(key: KeyInput, payload: P): Promise<boolean> {
    return (await this.saveMany([[key, payload]]))[0] ?? false
  }

  async saveMany(
    entries: ReadonlyArray<readonly [key: KeyInput, payload: P]>,
  ): Promise<readonly boolean[]> {
    const { name, ttl, payload: handler } = this.#rule
    const items = entries.map(([key, payload]) => ({
      key: this.#keyFrom(key),
      name: this.#rule.nameOf(payload),
      ttl,
      response: new Response(handler.serialize(payload), {
        headers: { 'content-type': handler.contentType, date: new Date().toUTCString() },
      }),
    }))
    return this.#shelf.keep(name, items)
  }

  /** Tells whether there was something to delete. */
  async delete(key: KeyInput): Promise<boolean> {
    return (await this.deleteMany([key]))[0] ?? false
  }

  async deleteMany(keys: readonly KeyInput[]): Promise<readonly boolean[]> {
    const wanted = keys.map((key) => this.#keyFrom(key))
    return this.#shelf.forget(this.name, wanted)
  }

  /** Whether something is stored and fresh. */
  async contains(key: KeyInput): Promise<boolean> {
    const [found] = await this.#find([key])
    return found !== undefined && isFresh(found)
  }

  /** How many are stored: all, or only those that have expired, or have not. */
  async count({ expired }: { expired?: boolean | undefined } = {}): Promise<number> {
    let count = 0
    for await (const one of this.#shelf.list(this.name)) {
      if (expired === undefined || expired !== isFresh(one)) count += 1
    }
    return count
  }

  /** Deletes all, or what has expired, and tells how many there were. */
  async clear({
    expiredOnly = false,
  }: { expiredOnly?: boolean | undefined } = {}): Promise<number> {
    const doomed: RepositoryKey[] = []
    for await (const one of this.#shelf.list(this.name)) {
      if (!expiredOnly || !isFresh(one)) doomed.push(one.key)
    }
    let deleted = 0
    for (let at = 0; at < doomed.length; at += atATime) {
      const some = await this.#shelf.forget(this.name, doomed.slice(at, at + atATime))
      deleted += some.filter(Boolean).length
    }
    return deleted
  }

  /** All that is stored, fresh or expired, in no order. */
  async *[Symbol.asyncIterator](): AsyncGenerator<RepositoryEntry<P>, void> {
    for await (const shelved of this.#shelf.list(this.name)) {
      const { name, storedAt, freshUntil } = shelved
      const key = fieldsOf(this.#rule.fields, shelved.key)
      yield { key, name, storedAt, freshUntil, payload: () => this.#payloadOf(shelved) }
    }
  }

  async #find(keys: readonly KeyInput[]): Promise<ReadonlyArray<Shelved | undefined>> {
    const wanted = keys.map((key) => this.#keyFrom(key))
    return this.#shelf.find(this.name, wanted)
  }

  async #payloadOf(shelved: Shelved): Promise<P | undefined> {
    try {
      return this.#rule.payload.parse(new Uint8Array(await shelved.response().arrayBuffer()))
    } catch {
      return undefined
    }
  }

  #keyFrom(key: KeyInput): RepositoryKey {
    return keyFrom(this.#rule.fields, key)
  }
}

function isFresh({ freshUntil }: Shelved): boolean {
  return freshUntil > Date.now()
}
