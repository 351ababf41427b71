import { setTimeout as sleep } from 'node:timers/promises'
import { BehalfError, ConfigError, StoreUnavailableError } from '../errors.ts'
import { checkKey, checkName, checkSeconds, checkValue, lifetime } from './limits.ts'
import { SqliteConnection, sqliteFailure } from './sqlite/connection.ts'
import type { SqliteClient, SqliteValue } from './sqlite/connection.ts'
import { sqliteDrivers } from './sqlite/driver.ts'
import type { SqliteDriver } from './sqlite/driver.ts'
import { SqliteFile } from './sqlite/database-file.ts'
import { SqliteTable } from './sqlite/table.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'

export type { SqliteClient, SqliteDriver, SqliteValue }

/** How {@link sqliteStore} uses its database. */
export interface SqliteStoreOptions {
  /** The table, made when it is not there. Defaults to `behalf`. */
  table?: string | undefined
  /** Seconds to wait while another connection holds the lock. Defaults to 5. */
  busyTimeout?: number | undefined
  /** The driver to use with a path. Defaults to the first one that is there. */
  driver?: SqliteDriver | undefined
}

/**
 * Keeps everything in a SQLite database: a file shared by the processes of one host, or
 * `:memory:`. The folder must be there; the file is made for its owner only (mode 0600) and opened
 * at the first use, with node:sqlite, better-sqlite3 or libsql, whichever is there first.
 *
 * A database object of one of these is taken too: it stays its owner's to close, keeps its pragmas,
 * and nothing can be written while a transaction of its owner is open.
 *
 * Locks are waited for on timers, never inside SQLite. What was written survives the process's end;
 * a power cut may take the last moments (WAL with synchronous NORMAL).
 *
 * Throws a `ConfigError` for a bad option, and at the first use when no driver or no folder is there.
 */
export function sqliteStore(
  source: string | SqliteClient,
  options: SqliteStoreOptions = {},
): Store {
  return new SqliteStore(source, options)
}

/** Short, so that one who waits among many busy writers has many chances. */
const longestPauseMs = 10

class SqliteStore implements Store {
  readonly reach: 'process' | 'host'
  readonly durable = true
  readonly maxValueBytes = 64 * 2 ** 20
  readonly #file: SqliteFile | undefined
  readonly #client: SqliteClient | undefined
  readonly #tableName: string
  readonly #busyTimeoutMs: number
  #opening: Promise<void> | undefined
  #open: { connection: SqliteConnection; table: SqliteTable } | undefined
  #closed = false

  constructor(source: string | SqliteClient, options: SqliteStoreOptions) {
    const { table = 'behalf', busyTimeout = 5, driver } = options
    if (typeof source === 'string') this.#file = new SqliteFile(source, checkDriver(driver))
    else this.#client = checkClient(source)
    this.reach = this.#file?.inMemory ? 'process' : 'host'
    this.#tableName = checkName('sqliteStore: table', table)
    this.#busyTimeoutMs = checkSeconds('sqliteStore: busyTimeout', busyTimeout) * 1000
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkKey(key)
    return this.#run((table) => table.get(key))
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const { copy, lives } = this.#checkWrite(key, value, options)
    return this.#run((table) => table.set(key, copy, lives))
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key)
    return this.#run((table) => table.delete(key))
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const { copy, lives } = this.#checkWrite(key, value, options)
    return this.#run((table) =>
      version === undefined
        ? table.create(key, copy, lives)
        : table.replace(key, version, copy, lives),
    )
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    checkKey(key)
    return this.#run((table) => table.compareAndDelete(key, version))
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    this.#letGo()
  }

  /** Copies, because the caller may change its buffer while the database is still being opened. */
  #checkWrite(
    key: string,
    value: Uint8Array,
    options: SetOptions | undefined,
  ): { copy: Uint8Array; lives: number } {
    checkKey(key)
    checkValue(value, this.maxValueBytes)
    return { copy: new Uint8Array(value), lives: lifetime(options?.ttl) }
  }

  async #run<T>(operation: (table: SqliteTable) => T): Promise<T> {
    const giveUpAt = performance.now() + this.#busyTimeoutMs
    for (let attempt = 1; ; attempt += 1) {
      try {
        return operation(await this.#table())
      } catch (error) {
        this.#throwUnlessBusy(error, giveUpAt)
      }
      await sleep(Math.random() * Math.min(2 ** attempt, longestPauseMs))
    }
  }

  /** The driver's own error may quote SQL, values and paths, so that only its kind goes on. */
  #throwUnlessBusy(error: unknown, giveUpAt: number): void {
    if (error instanceof BehalfError) throw error
    const { busy, what } = sqliteFailure(error)
    if (busy && performance.now() < giveUpAt) return
    throw new StoreUnavailableError(what)
  }

  async #table(): Promise<SqliteTable> {
    if (!this.#open) {
      this.#opening ??= this.#openOnce().finally(() => (this.#opening = undefined))
      await this.#opening
    }
    if (!this.#open) throw new StoreUnavailableError('it has been closed')
    this.#checkFile()
    return this.#open.table
  }

  async #openOnce(): Promise<void> {
    if (this.#closed) return
    const connection = this.#client
      ? new SqliteConnection(this.#client, false)
      : await this.#file!.open()
    try {
      this.#open = { connection, table: new SqliteTable(connection, this.#tableName) }
    } catch (error) {
      connection.close()
      throw error
    }
  }

  #checkFile(): void {
    try {
      this.#file?.check()
    } catch (error) {
      this.#letGo()
      throw error
    }
  }

  #letGo(): void {
    const open = this.#open
    this.#open = undefined
    try {
      open?.connection.close()
    } catch {
      // There is nothing to be done about a connection that does not even close.
    }
  }
}

function checkClient(client: SqliteClient): SqliteClient {
  if (typeof client?.prepare === 'function' && typeof client.exec === 'function') return client
  throw new ConfigError(
    'sqliteStore needs the path of a file, or a database of node:sqlite, better-sqlite3 or libsql.',
  )
}

function checkDriver(name: SqliteDriver | undefined): SqliteDriver | undefined {
  if (name === undefined || sqliteDrivers.includes(name)) return name
  throw new ConfigError(`sqliteStore: driver must be one of ${sqliteDrivers.join(', ')}.`)
}
