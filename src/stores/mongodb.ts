import { MongoConnection } from './mongodb/connection.ts'
import { mongoSettings } from './mongodb/settings.ts'
import type { MongodbSource, MongodbStoreOptions } from './mongodb/settings.ts'
import { MongoStore } from './mongodb/store.ts'
import type { Store } from './store.ts'

export { isMongodbClient } from './mongodb/client.ts'
export type {
  MongoClient,
  MongoCollection,
  MongoCursor,
  MongoDatabase,
  MongoUpdateResult,
} from './mongodb/client.ts'
export type { MongodbSource, MongodbStoreOptions }

/** A document takes 16 MiB; the key, the version and the names need a little of that. */
const maxValueBytes = 16 * 2 ** 20 - 2 ** 14

/**
 * Keeps everything in a MongoDB collection (MongoDB 4.4 or later; the driver is `mongodb` 6 or 7):
 * one document for each key, written with `w: 'majority'` and read on the primary, so that what was
 * written is what is read, also after a fail-over. Values end by the server's clock; its TTL index
 * on `expiresAt`, made at the first use, removes them within about a minute.
 *
 * A `MongoClient`, a `Db` or a `Collection` is taken too: it stays its owner's to close, and its
 * time-outs are the owner's. The client that a URL makes fails fast: see the options.
 *
 * Throws a `ConfigError` for a bad option, and at the first use when the driver is not installed,
 * does not take the URL, or the collection has another index on `expiresAt`.
 */
export function mongodbStore(source: MongodbSource, options: MongodbStoreOptions = {}): Store {
  const settings = mongoSettings({ name: 'mongodbStore', scheme: 'mongodb' }, source, options)
  return new MongoStore({ connection: new MongoConnection(settings), maxValueBytes })
}
