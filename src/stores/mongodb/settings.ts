import { ConfigError } from '../../errors.ts'
import { checkCount, checkName, checkSeconds } from '../limits.ts'
import { parseStoreUrl, queryOptions } from '../store-url.ts'
import { isMongodbClient } from './client.ts'
import type { MongoClient, MongoCollection, MongoDatabase } from './client.ts'

/** Where a MongoDB store keeps its documents, and how it connects. */
export interface MongodbStoreOptions {
  /** `mongodb://` or `mongodb+srv://`; what is no option of this store goes to the driver as it is. */
  url?: string | URL | undefined
  /** The database. Defaults to the one in the URL, and without one to the driver's `test`. */
  database?: string | undefined
  /** The collection, made at the first write. Defaults to `behalf`. */
  collection?: string | undefined
  /** Seconds until a server has to be found and connected to. Defaults to 2. */
  connectTimeout?: number | undefined
  /** Seconds that the server may take to answer one command. Defaults to 2. */
  commandTimeout?: number | undefined
  /** The largest number of connections. Defaults to 100. */
  poolSize?: number | undefined
}

/** A URL, options, or a client of the driver that stays its owner's to close. */
export type MongodbSource =
  | string
  | URL
  | MongodbStoreOptions
  | MongoClient
  | MongoDatabase
  | MongoCollection

/** What was asked for, checked; either `client` or `url` is there. */
export interface MongoSettings {
  client: MongoClient | MongoDatabase | MongoCollection | undefined
  url: string
  driverOptions: object
  database: string | undefined
  collection: string
}

const kinds = {
  database: 'text',
  collection: 'text',
  connectTimeout: 'number',
  commandTimeout: 'number',
  poolSize: 'number',
} as const

/** Who reads its settings: the name that messages begin with, and the schemes that a URL may have. */
export interface MongoOwner {
  name: string
  scheme: string
}

/** Checks `source` and `options`. Throws a `ConfigError` that repeats neither. */
export function mongoSettings(
  owner: MongoOwner,
  source: MongodbSource,
  options: MongodbStoreOptions,
): MongoSettings {
  if (isMongodbClient(source)) return { client: source, ...checked(owner, '', options) }
  const asOptions = typeof source === 'string' || source instanceof URL ? { url: source } : source
  const { url, ...given } = { ...asOptions, ...options }
  if (typeof url !== 'string' && !(url instanceof URL)) {
    throw new ConfigError(
      `${owner.name} needs a ${owner.scheme}:// URL, options with such a url, or a client of the driver mongodb.`,
    )
  }
  const { inUrl, rest } = splitUrl(owner, String(url))
  return { client: undefined, ...checked(owner, rest, { ...inUrl, ...given }) }
}

/** Takes our own options out of a URL; the rest of it stays as it was written. */
function splitUrl(owner: MongoOwner, url: string) {
  const { scheme, query } = parseStoreUrl(url)
  const srv = scheme.endsWith('+srv') ? '+srv' : ''
  if (![owner.scheme + srv, `mongodb${srv}`].includes(scheme)) {
    throw new ConfigError(
      `The URL of ${owner.name} must begin with ${owner.scheme}:// or ${owner.scheme}+srv://.`,
    )
  }
  const own = new URLSearchParams([...query].filter(([name]) => Object.hasOwn(kinds, name)))
  const [before = '', text = ''] = url.split('?', 2)
  const parts = text.split('&').filter((part) => !Object.hasOwn(kinds, part.split('=', 1)[0] ?? ''))
  const search = parts.join('&')
  const target = before.replace(/^[^:]*/, `mongodb${srv}`)
  return { inUrl: queryOptions(own, kinds), rest: search ? `${target}?${search}` : target }
}

function checked(owner: MongoOwner, url: string, options: MongodbStoreOptions) {
  const { name } = owner
  const { database, collection = 'behalf', poolSize = 100 } = options
  const connectMs = checkSeconds(`${name}: connectTimeout`, options.connectTimeout ?? 2) * 1000
  const commandMs = checkSeconds(`${name}: commandTimeout`, options.commandTimeout ?? 2) * 1000
  return {
    url,
    database: database === undefined ? undefined : checkName(`${name}: database`, database),
    collection: checkName(`${name}: collection`, collection),
    driverOptions: unlessInUrl(url, {
      appName: 'behalf',
      connectTimeoutMS: connectMs,
      serverSelectionTimeoutMS: connectMs,
      waitQueueTimeoutMS: commandMs,
      socketTimeoutMS: commandMs,
      maxPoolSize: checkCount(`${name}: poolSize`, poolSize),
      // A second try would make a server that does not answer cost twice the time-out.
      retryReads: false,
    }),
  }
}

/** The driver's own options may be in its URL, in any case of letters; there they win. */
function unlessInUrl(url: string, defaults: object): object {
  const [, search = ''] = url.split('?', 2)
  const given = new Set([...new URLSearchParams(search).keys()].map((name) => name.toLowerCase()))
  return Object.fromEntries(
    Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase())),
  )
}
