import { calculateObjectSize, EJSON, ObjectId } from 'bson'
import { evaluate, field } from './mongo-expressions.ts'
import { equalities, matches, namedIds } from './mongo-queries.ts'
import { updated } from './mongo-updates.ts'
import { compare, MongoError, toNumber, typeOf } from './mongo-values.ts'
import type { Document } from './mongo-values.ts'

const maxDocumentBytes = 16 * 2 ** 20

export interface Index extends Document {
  name: string
  key: Document
  unique?: boolean
  expireAfterSeconds?: unknown
}

export interface FindOptions {
  sort?: Document | undefined
  skip?: number | undefined
  limit?: number | undefined
}

export interface UpdateOptions {
  multi?: boolean | undefined
  upsert?: boolean | undefined
}

/** What an update did; `before` and `after` are those of the last document. */
export interface UpdateResult {
  matched: number
  modified: number
  upserted?: unknown
  before?: Document
  after?: Document
}

/** The documents of one collection. Every call is one turn of the event loop, so it is atomic. */
export class MongoCollection {
  readonly indexes: Index[] = [{ v: 2, key: { _id: 1 }, name: '_id_' }]
  readonly #documents = new Map<string, Document>()
  readonly #namespace: string

  constructor(namespace: string) {
    this.#namespace = namespace
  }

  find(filter: Document = {}, { sort, skip = 0, limit = 0 }: FindOptions = {}): Document[] {
    const now = new Date()
    const found = this.#candidates(filter).filter((document) => matches(document, filter, now))
    if (sort) found.sort(bySort(sort))
    return found.slice(skip, limit ? skip + Math.abs(limit) : undefined)
  }

  insert(given: Document): Document {
    const document = given['_id'] === undefined ? { _id: new ObjectId(), ...given } : given
    checkSize(document)
    this.#checkUnique(document, undefined)
    this.#documents.set(idKey(document['_id']), document)
    return document
  }

  update(
    filter: Document,
    update: Document | Document[],
    { multi = false, upsert = false }: UpdateOptions,
  ): UpdateResult {
    const now = new Date()
    if (upsert && '$expr' in filter) {
      throw new MongoError(
        224,
        'QueryFeatureNotAllowed',
        '$expr is not allowed in the query predicate for an upsert',
      )
    }
    const found = this.find(filter, { limit: multi ? 0 : 1 })
    if (found.length > 0) return this.#updateEach(found, update, now)
    if (!upsert) return { matched: 0, modified: 0 }
    const begun = equalities(filter)
    const after = this.insert(updated(begun, update, { now, inserting: true }))
    return { matched: 0, modified: 0, upserted: after['_id'], after }
  }

  delete(filter: Document, limit: number): Document[] {
    const found = this.find(filter, { limit })
    for (const document of found) this.#documents.delete(idKey(document['_id']))
    return found
  }

  /** Error 85 as mongod gives it: the same key or name, with other options. */
  createIndex(index: Index): void {
    const same = this.indexes.find(
      ({ name, key }) => name === index.name || JSON.stringify(key) === JSON.stringify(index.key),
    )
    if (!same) {
      this.indexes.push({ v: 2, ...index })
      return
    }
    const options = ({ unique = false, expireAfterSeconds }: Index) =>
      JSON.stringify([
        unique,
        expireAfterSeconds === undefined ? null : toNumber(expireAfterSeconds),
      ])
    if (options(same) === options(index)) return
    throw new MongoError(
      85,
      'IndexOptionsConflict',
      `An equivalent index already exists with other options: ${same.name}`,
    )
  }

  dropIndex(name: string): void {
    const at = this.indexes.findIndex((index) => index.name === name)
    if (at > 0) this.indexes.splice(at, 1)
  }

  /** What mongod's TTL monitor does about once a minute. */
  sweep(): void {
    for (const { key, expireAfterSeconds } of this.indexes) {
      if (expireAfterSeconds === undefined) continue
      const [name = ''] = Object.keys(key)
      const expired = Date.now() - toNumber(expireAfterSeconds) * 1000
      for (const [id, document] of this.#documents) {
        const at = field(document, name)
        if (at instanceof Date && at.getTime() <= expired) this.#documents.delete(id)
      }
    }
  }

  #updateEach(found: Document[], update: Document | Document[], now: Date): UpdateResult {
    const result: UpdateResult = { matched: found.length, modified: 0 }
    for (const before of found) {
      const after = updated(before, update, { now, inserting: false })
      if (compare(before['_id'], after['_id']) !== 0) {
        throw new MongoError(66, 'ImmutableField', "the (immutable) field '_id' was altered")
      }
      checkSize(after)
      this.#checkUnique(after, before)
      this.#documents.set(idKey(after['_id']), after)
      if (compare(before, after) !== 0) result.modified += 1
      Object.assign(result, { before, after })
    }
    return result
  }

  #candidates(filter: Document): Document[] {
    const ids = namedIds(filter)
    if (!ids) return [...this.#documents.values()]
    const keys = new Set(ids.map(idKey))
    return [...keys]
      .map((key) => this.#documents.get(key))
      .filter((document) => document !== undefined)
  }

  #checkUnique(document: Document, self: Document | undefined): void {
    const taken = this.#documents.get(idKey(document['_id']))
    if (taken && taken !== self) throw this.#duplicate('_id_', { _id: document['_id'] })
    for (const { name, key, unique } of this.indexes) {
      if (!unique) continue
      const paths = Object.keys(key)
      const same = (other: Document) =>
        paths.every((path) => compare(field(other, path), field(document, path)) === 0)
      const filter = Object.fromEntries(paths.map((path) => [path, field(document, path) ?? null]))
      if ([...this.#documents.values()].some((other) => other !== self && same(other))) {
        throw this.#duplicate(name, filter)
      }
    }
  }

  #duplicate(index: string, keyValue: Document): MongoError {
    const message = `E11000 duplicate key error collection: ${this.#namespace} index: ${index} dup key: ${EJSON.stringify(keyValue)}`
    return new MongoError(11000, 'DuplicateKey', message, { keyValue })
  }
}

/** The fields of a document that a projection asks for; expressions may make new ones. */
export function projected(document: Document, projection: Document | undefined): Document {
  const entries = Object.entries(projection ?? {})
  if (entries.length === 0) return document
  const isFlag = (value: unknown) => ['int', 'double', 'bool'].includes(typeOf(value))
  const isExcluded = (value: unknown) => isFlag(value) && Number(value) === 0
  const named = entries.filter(([name]) => name !== '_id')
  if (named.every(([, value]) => isExcluded(value))) {
    const left = entries.filter(([, value]) => isExcluded(value)).map(([name]) => name)
    return Object.fromEntries(Object.entries(document).filter(([name]) => !left.includes(name)))
  }
  const result: Document = isExcluded(projection?.['_id']) ? {} : { _id: document['_id'] }
  for (const [path, value] of named) {
    const part = isFlag(value)
      ? field(document, path)
      : evaluate(value, { document, now: new Date() })
    if (part !== undefined) setPath(result, path.split('.'), part)
  }
  return result
}

function setPath(target: Document, [name = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) target[name] = value
  else setPath((target[name] ??= {}) as Document, rest, value)
}

function bySort(sort: Document): (a: Document, b: Document) => number {
  return (a, b) => {
    for (const [path, direction] of Object.entries(sort)) {
      const order = compare(field(a, path), field(b, path))
      if (order !== 0) return order * Number(direction)
    }
    return 0
  }
}

/** Numbers of all types that are equal are one `_id`. */
function idKey(id: unknown): string {
  const type = typeOf(id)
  return ['int', 'long', 'double'].includes(type)
    ? `number:${toNumber(id)}`
    : `${type}:${typeof id === 'string' ? id : EJSON.stringify({ id })}`
}

function checkSize(document: Document): void {
  if (calculateObjectSize(document) <= maxDocumentBytes) return
  throw new MongoError(10334, 'BSONObjectTooLarge', 'BSONObj size is invalid')
}
