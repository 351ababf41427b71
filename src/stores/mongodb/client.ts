/** The part of the driver's cursor that behalf calls. */
export interface MongoCursor extends AsyncIterable<unknown> {
  toArray(): Promise<unknown[]>
}

/** What the driver tells about an update. */
export interface MongoUpdateResult {
  matchedCount: number
  upsertedCount: number
}

/** The part of the driver's `Collection` that behalf calls. */
export interface MongoCollection {
  findOne(filter: object, options: object): Promise<unknown>
  find(filter: object, options: object): MongoCursor
  updateOne(filter: object, update: object[], options: object): Promise<MongoUpdateResult>
  findOneAndUpdate(filter: object, update: object[], options: object): Promise<unknown>
  findOneAndDelete(filter: object, options: object): Promise<unknown>
  deleteOne(filter: object, options: object): Promise<{ deletedCount: number }>
  deleteMany(filter: object, options: object): Promise<{ deletedCount: number }>
  insertMany(documents: readonly object[], options: object): Promise<unknown>
  bulkWrite(operations: readonly object[], options: object): Promise<unknown>
  createIndex(keys: Record<string, 1>, options: object): Promise<unknown>
}

/** The part of the driver's `Db` that behalf calls. */
export interface MongoDatabase {
  collection(name: string): MongoCollection
  command(command: object): Promise<unknown>
}

/** The part of the driver's `MongoClient` that behalf calls. */
export interface MongoClient {
  db(name?: string): MongoDatabase
  close(): Promise<unknown>
}

/** Tells whether `value` is a `MongoClient`, a `Db` or a `Collection`, by what it can do. */
export function isMongodbClient(
  value: unknown,
): value is MongoClient | MongoDatabase | MongoCollection {
  return isClient(value) || isDatabase(value) || isCollection(value)
}

/** Tells whether `value` is a `MongoClient`. */
export function isClient(value: unknown): value is MongoClient {
  return can(value, 'db', 'close')
}

/** Tells whether `value` is a `Db`. */
export function isDatabase(value: unknown): value is MongoDatabase {
  return can(value, 'collection', 'command')
}

/** Tells whether `value` is a `Collection`. */
export function isCollection(value: unknown): value is MongoCollection {
  return can(value, 'findOne', 'findOneAndUpdate', 'bulkWrite')
}

function can(value: unknown, ...methods: string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}

/** Numbers and bytes come the same way, however a client that was handed in decodes them. */
const decoding = {
  promoteValues: true,
  promoteLongs: true,
  promoteBuffers: true,
  useBigInt64: true,
  fieldsAsRaw: {},
  raw: false,
} as const

/** Whatever the collection's own collation is: keys are told apart, and compared, by their bytes. */
export const byBytes: object = { collation: { locale: 'simple' } }

/** For every read: what {@link writing} wrote is found, and nothing that a fail-over may take back. */
export const reading: object = {
  ...decoding,
  ...byBytes,
  readPreference: 'primary',
  readConcern: { level: 'majority' },
}

/** For every write: it is acknowledged when a fail-over can no longer take it back. */
export const writing: object = { writeConcern: { w: 'majority' } }

/** For a write to what has a certain key, or one of several. */
export const changing: object = { ...writing, ...byBytes }

/** For such a write that gives a document back. */
export const modifying: object = { ...decoding, ...changing }
