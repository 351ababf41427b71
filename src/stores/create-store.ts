import { ConfigError } from '../errors.ts'
import { processState } from '../process-state.ts'
import { dynamodbStore, isDynamodbClient } from './dynamodb.ts'
import type { DynamodbClient } from './dynamodb.ts'
import { fileOptions, fileStore } from './file.ts'
import { gridfsStore } from './gridfs.ts'
import { isKeyvClient, keyvStore } from './keyv.ts'
import type { KeyvClient } from './keyv.ts'
import { memcachedStore } from './memcached.ts'
import { memoryStore } from './memory.ts'
import { isMongodbClient, mongodbStore } from './mongodb.ts'
import type { MongodbSource, MongodbStoreOptions } from './mongodb.ts'
import { isPostgresClient, postgresStore } from './postgres.ts'
import type { PostgresClient } from './postgres.ts'
import { isRedisClient, redisStore } from './redis.ts'
import type { RedisClient } from './redis.ts'
import { isSqliteClient, sqliteOptions, sqliteStore } from './sqlite.ts'
import type { SqliteClient } from './sqlite.ts'
import { noteSource } from './store-source.ts'
import { decoded, parseStoreUrl, queryOptions } from './store-url.ts'
import type { Store } from './store.ts'

/** The makers that {@link backends} has. */
export interface Backends {
  readonly memory: typeof memoryStore
  readonly file: typeof fileStore
  readonly sqlite: typeof sqliteStore
  readonly redis: typeof redisStore
  readonly postgres: typeof postgresStore
  readonly memcached: typeof memcachedStore
  readonly mongodb: typeof mongodbStore
  readonly gridfs: typeof gridfsStore
  readonly dynamodb: typeof dynamodbStore
  readonly keyv: typeof keyvStore
}

/** What makes a store, by the backend's name; each is an entry point of its own as well. */
export const backends: Backends = {
  memory: memoryStore,
  file: fileStore,
  sqlite: sqliteStore,
  redis: redisStore,
  postgres: postgresStore,
  memcached: memcachedStore,
  mongodb: mongodbStore,
  gridfs: gridfsStore,
  dynamodb: dynamodbStore,
  keyv: keyvStore,
}

/** A backend's name. */
export type BackendName = keyof Backends

type MongodbClient = Exclude<MongodbSource, string | URL | MongodbStoreOptions>

type Client =
  | SqliteClient
  | RedisClient
  | PostgresClient
  | MongodbClient
  | DynamodbClient
  | KeyvClient
type OptionsOf<Name extends BackendName> = NonNullable<
  Name extends 'memory' ? Parameters<typeof memoryStore>[0] : Parameters<Backends[Name]>[1]
>

/** A backend by its name, with its options. */
export type StoreOptions = {
  [Name in Exclude<BackendName, 'keyv'>]: { backend: Name } & OptionsOf<Name>
}[Exclude<BackendName, 'keyv'>]

/** What {@link createStore} makes a store of. */
export type StoreSource = string | URL | StoreOptions | Client | Store | (new () => Store)

/**
 * Makes the store that `source` names; it connects at its first use.
 *
 * - A URL, in which every option of the backend can be: `memory:` and `memory:name` (the one store of
 *   that name in this process), `file:path`, `sqlite:path`, `redis:`, `rediss:`, `postgres:`,
 *   `memcached:`, `mongodb:`, `gridfs:`, `dynamodb:`.
 * - Options: `{ backend: 'redis', host, port }`.
 * - A client of a driver, which stays its owner's to close.
 * - A store of your own, an object or a class, which is given back.
 *
 * Throws a `ConfigError` for anything else.
 */
export function createStore(source: StoreSource): Store {
  if (isStore(source)) return source
  if (isStoreClass(source)) return new source()
  if (typeof source === 'string' || source instanceof URL) return fromUrl(source)
  return fromOptions(source) ?? fromClient(source) ?? refuse('')
}

const operations = ['get', 'set', 'delete', 'compareAndSwap', 'compareAndDelete', 'close'] as const

function isStore(source: unknown): source is Store {
  if ((typeof source !== 'object' && typeof source !== 'function') || source === null) return false
  return operations.every((name) => typeof (source as Partial<Store>)[name] === 'function')
}

function isStoreClass(source: unknown): source is new () => Store {
  return typeof source === 'function' && isStore(source.prototype)
}

type FromUrl = (url: string | URL) => Store

const byScheme: Readonly<Record<string, FromUrl>> = {
  memory: (url) => namedMemory(String(url)),
  file: (url) => fileStore(fileOptions(url)),
  sqlite: (url) => sqliteStore(sqliteOptions(url)),
  redis: redisStore,
  rediss: redisStore,
  'redis+unix': redisStore,
  valkey: redisStore,
  valkeys: redisStore,
  postgres: postgresStore,
  postgresql: postgresStore,
  memcached: memcachedStore,
  mongodb: mongodbStore,
  'mongodb+srv': mongodbStore,
  gridfs: gridfsStore,
  'gridfs+srv': gridfsStore,
  dynamodb: dynamodbStore,
}

function fromUrl(url: string | URL): Store {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(String(url))?.[1]?.toLowerCase() ?? ''
  if (!Object.hasOwn(byScheme, scheme)) refuse(scheme)
  return noteSource(byScheme[scheme]!(url), url)
}

/** One for each name and process, because frameworks load a module several times. */
function namedMemory(url: string): Store {
  const { path, hosts, query } = parseStoreUrl(url)
  if (hosts.length > 0) throw new ConfigError('memory: takes a name and no host, as in memory:app.')
  const options = queryOptions(query, {
    maxBytes: 'number',
    maxEntries: 'number',
    partitionShare: 'number',
  })
  return processState(`memory store ${decoded(path)}`, () => memoryStore(options))
}

function fromOptions(source: unknown): Store | undefined {
  const { backend, ...options } = (source ?? {}) as { backend?: unknown }
  if (typeof backend !== 'string') return undefined
  if (!Object.hasOwn(backends, backend)) refuse(backend)
  const make = backends[backend as BackendName] as (options: object) => Store
  return make(options)
}

function fromClient(source: unknown): Store | undefined {
  if (isSqliteClient(source)) return sqliteStore(source)
  if (isRedisClient(source)) return redisStore(source)
  if (isMongodbClient(source)) return mongodbStore(source)
  if (isDynamodbClient(source)) return dynamodbStore(source)
  if (isKeyvClient(source)) return keyvStore(source)
  return isPostgresClient(source) ? postgresStore(source) : undefined
}

/** Of what was given only the scheme is repeated: the rest may hold a password. */
function refuse(name: string): never {
  const what = /^[a-z][a-z0-9+.-]{0,20}$/.test(name) ? `'${name}' is no store. ` : ''
  throw new ConfigError(
    `${what}The store must be a URL (${Object.keys(byScheme)
      .map((scheme) => `${scheme}:`)
      .join(
        ', ',
      )}), options with a backend, a client of a driver, or an object with ${operations.join(', ')}.`,
  )
}
