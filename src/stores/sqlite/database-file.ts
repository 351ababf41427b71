import type { BigIntStats } from 'node:fs'
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { ConfigError, StoreUnavailableError } from '../../errors.ts'
import { SqliteConnection } from './connection.ts'
import { loadSqliteDriver } from './driver.ts'
import type { SqliteDriver } from './driver.ts'

/** Where a database lives: a file, or memory for `:memory:`. */
export class SqliteFile {
  readonly #path: string
  readonly #driver: SqliteDriver | undefined
  #opened: BigIntStats | undefined

  /** Throws a `ConfigError` for what cannot be a path. */
  constructor(path: string, driver: SqliteDriver | undefined) {
    if (path === '' || path.includes('\0')) {
      throw new ConfigError("The SQLite store needs the path of a file, or ':memory:'.")
    }
    // An absolute path is a path to every driver; a bare text may be a URL to some (libsql:, file:).
    this.#path = path === ':memory:' ? path : resolve(path)
    this.#driver = driver
  }

  get inMemory(): boolean {
    return this.#path === ':memory:'
  }

  async open(): Promise<SqliteConnection> {
    const openDatabase = await loadSqliteDriver(this.#driver)
    if (!this.inMemory) await this.#create()
    const connection = new SqliteConnection(openDatabase(this.#path), true)
    try {
      connection.exec('PRAGMA journal_mode = WAL')
      connection.exec('PRAGMA synchronous = NORMAL')
      this.#opened = this.#stat()
      return connection
    } catch (error) {
      connection.close()
      throw error
    }
  }

  /**
   * Throws a `StoreUnavailableError` when another file, or none, is where the open one was: SQLite
   * itself would go on writing into the file that has no name any more.
   */
  check(): void {
    if (this.inMemory) return
    const found = this.#stat()
    if (found && found.ino === this.#opened?.ino && found.dev === this.#opened.dev) return
    throw new StoreUnavailableError('its file was deleted or replaced')
  }

  /** For its owner only, whatever the umask is; SQLite gives -wal and -shm the same mode. */
  async #create(): Promise<void> {
    try {
      const file = await open(this.#path, 'wx', 0o600)
      try {
        await file.chmod(0o600)
      } finally {
        await file.close()
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') return
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        throw new ConfigError(`The folder of the SQLite file is not there: ${dirname(this.#path)}`)
      }
      throw new StoreUnavailableError(`its file cannot be created (${code ?? 'unknown reason'})`)
    }
  }

  #stat(): BigIntStats | undefined {
    return statSync(this.#path, { bigint: true, throwIfNoEntry: false })
  }
}
