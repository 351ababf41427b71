import { join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import { checkName, checkSeconds } from '../limits.ts'
import { urlPath } from '../location.ts'
import type { Location } from '../location.ts'
import { queryOptions } from '../store-url.ts'
import type { SqliteClient } from './connection.ts'
import { SqliteFile } from './database-file.ts'
import { sqliteDrivers } from './driver.ts'
import type { SqliteDriver } from './driver.ts'

/** How `sqliteStore` uses its database. */
export interface SqliteStoreOptions {
  /**
   * The file, or `:memory:`. Its folder must be there, unless there is a `location`: then `path` is
   * a name within that (default `behalf/store.sqlite`), and folders are made, for their owner only.
   */
  path?: string | undefined
  /**
   * The user's folder for caches, or the system's for temporary files; both may be emptied by the
   * system or the user. Defaults to neither.
   */
  location?: Location | undefined
  /** The table, made when it is not there. Defaults to `behalf`. */
  table?: string | undefined
  /** Seconds to wait while another connection holds the lock. Defaults to 5. */
  busyTimeout?: number | undefined
  /** The driver to use with a path. Defaults to the first one that is there. */
  driver?: SqliteDriver | undefined
  /**
   * Never waits for the disk (`synchronous = OFF`): for caches only. The end of a process costs
   * nothing, but a power cut may damage the file, which is a `store_unavailable` from then on.
   * Delete it, its `-wal` and its `-shm` then; the next use makes them anew. Defaults to `false`.
   */
  fast?: boolean | undefined
}

/** What {@link sqliteSettings} gives: a database of ours, or a client of somebody else. */
export interface SqliteSettings {
  database: SqliteFile | SqliteClient
  table: string
  busyTimeoutMs: number
  durable: boolean
}

/**
 * Reads the options of the URL of a SQLite store: `sqlite:path`, `sqlite:///path` or
 * `sqlite::memory:`, with `?location=cache&fast=true&table=name&busyTimeout=5&driver=libsql` as far
 * as wanted. Throws a `ConfigError` for another URL.
 */
export function sqliteOptions(url: string | URL): SqliteStoreOptions {
  const { path, query } = urlPath(url)
  const kinds = {
    location: 'text',
    table: 'text',
    busyTimeout: 'number',
    driver: 'text',
    fast: 'boolean',
  } as const
  return { path, ...queryOptions(query, kinds) } as SqliteStoreOptions
}

/** Tells whether this is a database object of one of the drivers. */
export function isSqliteClient(value: unknown): value is SqliteClient {
  const { prepare, exec } = Object(value) as Partial<SqliteClient>
  return typeof prepare === 'function' && typeof exec === 'function'
}

/** Checks everything that `sqliteStore` was given. Throws a `ConfigError`. */
export function sqliteSettings(
  source: string | URL | SqliteStoreOptions | SqliteClient,
  options: SqliteStoreOptions,
): SqliteSettings {
  const client = isSqliteClient(source) ? source : undefined
  const given = { ...(client ? {} : fromSource(source)), ...options }
  const { table = 'behalf', busyTimeout = 5, fast = false, location } = given
  return {
    database: client ? checkAlone(client, given) : file(given),
    table: checkName('sqliteStore: table', table),
    busyTimeoutMs: checkSeconds('sqliteStore: busyTimeout', busyTimeout) * 1000,
    durable: !fast && location === undefined,
  }
}

function fromSource(source: unknown): SqliteStoreOptions {
  if (source instanceof URL) return sqliteOptions(source)
  if (typeof source === 'string') {
    return source.startsWith('sqlite:') ? sqliteOptions(source) : { path: source }
  }
  if (typeof source === 'object' && source !== null) return source
  throw noSource()
}

function file({ path, location, driver, fast = false }: SqliteStoreOptions): SqliteFile {
  if (driver !== undefined && !sqliteDrivers.includes(driver)) {
    throw new ConfigError(`sqliteStore: driver must be one of ${sqliteDrivers.join(', ')}.`)
  }
  if (typeof fast !== 'boolean') throw new ConfigError('sqliteStore: fast must be true or false.')
  const name = path ?? (location && join('behalf', 'store.sqlite'))
  if (name === undefined) throw noSource()
  return new SqliteFile({ path: name, location, driver, fast })
}

function checkAlone(client: SqliteClient, options: SqliteStoreOptions): SqliteClient {
  const { path, location, driver, fast } = options
  if ([path, location, driver, fast].every((option) => option === undefined)) return client
  throw new ConfigError(
    'sqliteStore: path, location, driver and fast are for a database that the store opens itself.',
  )
}

function noSource(): ConfigError {
  return new ConfigError(
    'sqliteStore needs the path of a file, or a database of node:sqlite, better-sqlite3 or libsql.',
  )
}
