import { notCountable } from '../counter.ts'
import { each } from '../many-keys.ts'
import type { StoredValue } from '../store.ts'
import { newVersion } from '../version.ts'
import { unlessDuplicate, untilDone } from './attempts.ts'
import type { Bodies } from './bodies.ts'
import { byBytes, changing, modifying, reading, writing } from './client.ts'
import type { MongoCollection } from './client.ts'
import { DocumentValues, fileFields } from './document-values.ts'
import { sumExpression } from './counter.ts'
import {
  documentExpression,
  expiryExpression,
  inlineTypes,
  liveExpression,
  prefixFilter,
  readFound,
} from './document.ts'
import type { Found } from './document.ts'

/** A counter's value is wanted back, no other: it may be large. */
const isInteger = { $eq: [{ $type: '$value' }, 'long'] }

const upserting = { ...changing, upsert: true }

/** What must be so for a write, and whether it makes a document where there is none. */
interface Condition {
  filter: object
  upsert: boolean
}

/**
 * The operations of a store on one collection. Each decides in a single command on one document, so
 * that it is atomic; `lives` is in milliseconds and more than 0, `Infinity` for ever.
 */
export class MongoDocuments {
  readonly #collection: MongoCollection
  readonly #values: DocumentValues
  readonly #live: object

  /** Without `bodies` every value is in its document. */
  constructor(collection: MongoCollection, bodies: Bodies | undefined) {
    this.#collection = collection
    this.#values = new DocumentValues(bodies)
    this.#live = liveExpression(bodies ? [...inlineTypes, 'object'] : inlineTypes)
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return this.#complete(key, await this.#find(key))
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    const filter = { _id: { $in: keys }, $expr: this.#live }
    const documents = await this.#collection.find(filter, reading).toArray()
    const byKey = new Map(
      documents.map((document) => [(document as { _id: unknown })._id, document]),
    )
    const values: Array<StoredValue | undefined> = []
    for (const key of keys) {
      const found = await this.#complete(key, readFound(byKey.get(key), key))
      // The driver's bytes are a part of the whole batch, which a small value would keep alive.
      values.push(found && { ...found, value: new Uint8Array(found.value) })
    }
    return values
  }

  async *keys(prefix: string): AsyncIterable<string> {
    const filter = { ...prefixFilter(prefix), $expr: this.#live }
    const found = this.#collection.find(filter, { ...reading, projection: { _id: 1 } })
    for await (const document of found) yield (document as { _id: string })._id
  }

  async set(key: string, value: Uint8Array, lives: number): Promise<void> {
    const condition = { filter: { _id: { $eq: key } }, upsert: true }
    await untilDone(() => this.#write(key, value, lives, condition))
  }

  /** The server decides in the update itself: an upsert's filter may hold no `$expr`. */
  async create(key: string, value: Uint8Array, lives: number): Promise<string | undefined> {
    const version = newVersion()
    const kept = await this.#values.place(key, version, value)
    const next = documentExpression(version, kept, lives)
    const after = await this.#upsert(key, { $cond: [this.#live, '$$ROOT', next] })
    if (after.version === version) return version
    await this.#values.removeFilesOf([{ version, value: kept }])
    const damaged = this.#values.hasFiles ? await this.#find(key) : undefined
    if (!damaged || (await this.#complete(key, damaged))) return undefined
    return this.replace(key, damaged.version, value, lives)
  }

  async replace(
    key: string,
    version: string,
    value: Uint8Array,
    lives: number,
  ): Promise<string | undefined> {
    const filter = this.#liveFilter(key, version)
    return this.#write(key, value, lives, { filter, upsert: false })
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    lives: number,
  ): Promise<void> {
    if (this.#values.hasFiles) {
      return void (await each(entries, ([key, value]) => this.set(key, value, lives)))
    }
    const operations = entries.map(([key, value]) => ({
      updateOne: {
        filter: { _id: { $eq: key } },
        update: [{ $replaceWith: documentExpression(newVersion(), value, lives) }],
        upsert: true,
        ...byBytes,
      },
    }))
    const options = { ...writing, ordered: false }
    await untilDone(() => unlessDuplicate(this.#collection.bulkWrite(operations, options)))
  }

  /** Tells whether there was a live one, of that version if one is given. */
  async delete(key: string, version?: string): Promise<boolean> {
    const filter = this.#liveFilter(key, version)
    if (!this.#values.hasFiles) {
      return (await this.#collection.deleteOne(filter, changing)).deletedCount > 0
    }
    const projection = fileFields
    const removed = await this.#collection.findOneAndDelete(filter, { ...modifying, projection })
    await this.#values.removeFilesOf([removed])
    return removed !== null
  }

  /** Tells how many live ones there were. */
  async deleteMany(keys: readonly string[]): Promise<number> {
    return this.#deleteAll({ _id: { $in: keys }, $expr: this.#live })
  }

  async clear(prefix: string): Promise<void> {
    await this.#deleteAll(prefixFilter(prefix))
  }

  async increment(key: string, by: number, lives: number): Promise<number> {
    const version = newVersion()
    const after = await this.#upsert(key, sumExpression(this.#live, version, { by, lives }))
    if (after.version !== version) throw notCountable()
    return Number(after.value)
  }

  /** In milliseconds, by the server's clock. */
  async remaining(key: string): Promise<number | undefined> {
    const projection = { version: 1, value: 1, left: { $subtract: ['$expiresAt', '$$NOW'] } }
    const options = { ...reading, projection }
    const found = await this.#collection.findOne(this.#liveFilter(key), options)
    if (!readFound(found, key)) return undefined
    const { left } = found as { left: bigint | null }
    return left === null ? Infinity : Number(left)
  }

  async expire(key: string, lives: number): Promise<boolean> {
    const update = [{ $set: { expiresAt: expiryExpression(lives) } }]
    const result = await this.#collection.updateOne(this.#liveFilter(key), update, changing)
    return result.matchedCount > 0
  }

  /** Gives the document as it is afterwards, made where there was none. */
  async #upsert(key: string, document: object): Promise<{ version: unknown; value: unknown }> {
    const after = await untilDone(() =>
      unlessDuplicate(
        this.#collection.findOneAndUpdate({ _id: { $eq: key } }, [{ $replaceWith: document }], {
          ...modifying,
          upsert: true,
          returnDocument: 'after',
          projection: { version: 1, value: { $cond: [isInteger, '$value', null] } },
        }),
      ),
    )
    return after as { version: unknown; value: unknown }
  }

  async #find(key: string): Promise<Found | undefined> {
    return readFound(await this.#collection.findOne(this.#liveFilter(key), reading), key)
  }

  /** With the body. Where that is not all there, a writer may have replaced it since it was found. */
  async #complete(key: string, found: Found | undefined): Promise<StoredValue | undefined> {
    for (let current = found; current;) {
      const { version } = current
      const value = await this.#values.read(current)
      if (value) return { version, value }
      current = await this.#find(key)
      if (current?.version === version) return undefined
    }
    return undefined
  }

  async #write(
    key: string,
    value: Uint8Array,
    lives: number,
    condition: Condition,
  ): Promise<string | undefined> {
    const version = newVersion()
    const kept = await this.#values.place(key, version, value)
    const document = documentExpression(version, kept, lives)
    if (await this.#change(condition, { $replaceWith: document })) return version
    await this.#values.removeFilesOf([{ version, value: kept }])
    return undefined
  }

  /** Tells whether it was written; not where another writer made the document first. */
  async #change({ filter, upsert }: Condition, stage: object): Promise<boolean> {
    if (!this.#values.hasFiles) {
      const options = upsert ? upserting : changing
      const result = await unlessDuplicate(this.#collection.updateOne(filter, [stage], options))
      return result !== undefined && result.matchedCount + result.upsertedCount > 0
    }
    const change = this.#collection.findOneAndUpdate(filter, [stage], {
      ...modifying,
      upsert,
      returnDocument: 'before',
      includeResultMetadata: true,
      projection: fileFields,
    })
    const result = (await unlessDuplicate(change)) as ChangeResult | undefined
    await this.#values.removeFilesOf([result?.value])
    return (result?.lastErrorObject.n ?? 0) > 0
  }

  async #deleteAll(filter: object): Promise<number> {
    const files: unknown[] = []
    if (this.#values.hasFiles) {
      const withFile = { ...filter, 'value.length': { $exists: true } }
      const options = { ...reading, projection: fileFields }
      files.push(...(await this.#collection.find(withFile, options).toArray()))
    }
    const { deletedCount } = await this.#collection.deleteMany(filter, changing)
    await this.#values.removeFilesOf(files)
    return deletedCount
  }

  #liveFilter(key: string, version?: string): object {
    const filter = { _id: { $eq: key }, $expr: this.#live }
    return version === undefined ? filter : { ...filter, version: { $eq: version } }
  }
}

/** What the driver tells about findOneAndUpdate. */
interface ChangeResult {
  value: unknown
  lastErrorObject: { n: number }
}
