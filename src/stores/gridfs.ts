import { ConfigError } from '../errors.ts'
import { GridfsBodies, maxBodyBytes } from './gridfs/bodies.ts'
import { isClient, isCollection, isDatabase } from './mongodb/client.ts'
import type { MongoClient, MongoDatabase } from './mongodb/client.ts'
import { MongoConnection } from './mongodb/connection.ts'
import { mongoSettings } from './mongodb/settings.ts'
import type { MongodbStoreOptions } from './mongodb/settings.ts'
import { MongoStore } from './mongodb/store.ts'
import type { Store } from './store.ts'

/** How {@link gridfsStore} uses its database; `url` may begin with `gridfs:` or `mongodb:`. */
export type GridfsStoreOptions = MongodbStoreOptions

/** A URL, options, or a client of the driver that stays its owner's to close. */
export type GridfsSource = string | URL | GridfsStoreOptions | MongoClient | MongoDatabase

/** Tells whether `value` is a `MongoClient` or a `Db`, by what it can do. */
export function isGridfsClient(value: unknown): value is MongoClient | MongoDatabase {
  return isClient(value) || isDatabase(value)
}

/**
 * {@link mongodbStore} for values of up to 256 MiB: those of more than 256 KiB are files of the
 * GridFS bucket that has the collection's name, all others stay in their documents. Each write is a
 * new file, and its document is written last, so that a reader finds the old value or the new one.
 *
 * What a crash leaves behind, and files whose value has expired, are removed once they are an hour
 * old, a few with each write of a large value.
 *
 * `source` is `gridfs://...`, `gridfs+srv://...` (a MongoDB URL otherwise), options, a `MongoClient`
 * or a `Db`. Throws as `mongodbStore` does.
 */
export function gridfsStore(source: GridfsSource, options: GridfsStoreOptions = {}): Store {
  if (isCollection(source)) {
    throw new ConfigError(
      'gridfsStore needs several collections: hand in a MongoClient or a Db, and name the collection in the options.',
    )
  }
  const settings = mongoSettings({ name: 'gridfsStore', scheme: 'gridfs' }, source, options)
  return new MongoStore({
    connection: new MongoConnection(settings),
    maxValueBytes: maxBodyBytes,
    bodies: (collection) => GridfsBodies.open(collection),
  })
}
