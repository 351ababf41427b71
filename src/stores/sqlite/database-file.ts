import type { BigIntStats } from 'node:fs'
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConfigError, StoreUnavailableError } from '../../errors.ts'
import { locate, makePrivateFolder } from '../location.ts'
import type { Location } from '../location.ts'
import { SqliteConnection } from './connection.ts'
import { loadSqliteDriver } from './driver.ts'
import type { SqliteDriver } from './driver.ts'

/** Looking for the file takes a third of the time of a read or a write, so that not each does it. */
const unseenMs = 10

/** Where a database lives: a file, or memory for `:memory:`. */
export class SqliteFile {
  readonly #path: string
  readonly #private: boolean
  readonly #driver: SqliteDriver | undefined
  readonly #synchronous: 'OFF' | 'NORMAL'
  #opened: BigIntStats | undefined
  #checkedAt = 0

  /** Throws a `ConfigError` for what cannot be a path. */
  constructor(options: {
    path: string
    location: Location | undefined
    driver: SqliteDriver | undefined
    fast: boolean
  }) {
    const { path, location, driver, fast } = options
    // An absolute path is a path to every driver; a bare text may be a URL to some (libsql:, file:).
    this.#path = path === ':memory:' ? path : locate('sqliteStore', path, location)
    this.#private = location !== undefined
    this.#driver = driver
    this.#synchronous = fast ? 'OFF' : 'NORMAL'
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
      connection.exec(`PRAGMA synchronous = ${this.#synchronous}`)
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
    const now = performance.now()
    if (this.inMemory || now < this.#checkedAt + unseenMs) return
    const found = this.#stat()
    if (found?.ino !== this.#opened?.ino || found?.dev !== this.#opened?.dev) {
      throw new StoreUnavailableError('its file was deleted or replaced')
    }
    this.#checkedAt = now
  }

  /** For its owner only, whatever the umask is; SQLite gives -wal and -shm the same mode. */
  async #create(): Promise<void> {
    try {
      if (this.#private) await makePrivateFolder('sqliteStore', dirname(this.#path))
      const file = await open(this.#path, 'wx', 0o600)
      try {
        await file.chmod(0o600)
      } finally {
        await file.close()
      }
    } catch (error) {
      if (error instanceof ConfigError) throw error
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
