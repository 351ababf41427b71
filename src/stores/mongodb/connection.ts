import { ConfigError, StoreUnavailableError } from '../../errors.ts'
import { loadDriver } from '../driver.ts'
import { isClient, isDatabase } from './client.ts'
import type { MongoClient, MongoCollection, MongoDatabase } from './client.ts'
import { indexFailure } from './failure.ts'
import type { MongoSettings } from './settings.ts'

interface Driver {
  MongoClient: new (url: string, options: object) => MongoClient & { connect(): Promise<unknown> }
}

/** Gives the store's collection, or with a suffix one that belongs to it. */
export type OpenCollection = (suffix?: string) => MongoCollection

/** The way to one collection: opened at the first use, closed where it was made here. */
export class MongoConnection {
  readonly #settings: MongoSettings
  #own: MongoClient | undefined
  #opening: Promise<OpenCollection> | undefined
  #closed = false

  constructor(settings: MongoSettings) {
    this.#settings = settings
  }

  /** Connects, and makes the index by which the server removes what has expired. */
  async open(): Promise<OpenCollection> {
    if (this.#closed) throw closed()
    this.#opening ??= this.#openOnce()
    return this.#opening
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    await this.#letGo()
  }

  async #openOnce(): Promise<OpenCollection> {
    try {
      const collection = this.#collections(this.#settings.client ?? (await this.#connect()))
      await collection().createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 })
      if (this.#closed) throw closed()
      return collection
    } catch (error) {
      this.#opening = undefined
      await this.#letGo()
      throw indexFailure(error)
    }
  }

  async #connect(): Promise<MongoClient> {
    const { url, driverOptions } = this.#settings
    const { MongoClient } = await loadDriver<Driver>('mongodb')
    const client = makeClient(() => new MongoClient(url, driverOptions))
    this.#own = client
    await client.connect()
    return client
  }

  #collections(client: MongoClient | MongoDatabase | MongoCollection): OpenCollection {
    const { database, collection: name } = this.#settings
    const found = isClient(client) ? client.db(database) : client
    return isDatabase(found) ? (suffix = '') => found.collection(name + suffix) : () => found
  }

  async #letGo(): Promise<void> {
    const own = this.#own
    this.#own = undefined
    // There is nothing to be done about a client that does not even close.
    await own?.close().catch(() => {})
  }
}

/** The driver's own message would quote parts of the URL. */
function makeClient<T>(make: () => T): T {
  try {
    return make()
  } catch {
    throw new ConfigError(
      'The driver mongodb does not take the URL of the store, or an option in it. ' +
        'See https://www.mongodb.com/docs/manual/reference/connection-string/.',
    )
  }
}

function closed(): StoreUnavailableError {
  return new StoreUnavailableError('it has been closed')
}
