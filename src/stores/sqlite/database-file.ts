import type { BigIntStats } from 'node:fs'
import { statSync } from 'node:fs'
import { lstat, open, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConfigError, StoreUnavailableError } from '../../errors.ts'
import { locate, makePrivateFolder } from '../location.ts'
import type { Location } from '../location.ts'
import { SqliteConnection } from './connection.ts'
import { loadSqliteDriver } from './driver.ts'
import type { SqliteDriver } from './driver.ts'

/** Looking for the file takes a third of the time of a read or a write, so that not each does it. */
const unseenMs = 10

const writableByOthers = 0o022
const writableByAll = 0o002

/** What SQLite reads a database from: it would take over what another user put beside ours. */
const suffixes = ['', '-wal', '-shm', '-journal']

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
    if (!this.inMemory) {
      await this.#create()
      if (process.getuid) await checkOwners(this.#path, process.getuid())
    }
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

/**
 * Throws a `ConfigError` where another user may have put the database there, or may write into it:
 * in a folder such as /tmp it must be this user's alone.
 */
async function checkOwners(path: string, user: number): Promise<void> {
  const target = await realpath(path).catch(() => path)
  const paths = path === target ? [path] : [path, target]
  for (const file of paths.flatMap((name) => suffixes.map((suffix) => name + suffix))) {
    if (!(await isOwn(file, user))) {
      throw new ConfigError(
        `The SQLite file ${file} lies in a folder that every user can write into, and is not this ` +
          "user's alone. Name one in a folder of this user's own; or, if it is meant to be there, " +
          "make it this user's own and run chmod go-w on it.",
      )
    }
  }
}

/** What is not there is nobody's; where only some can write, whoever they are, they are meant to. */
async function isOwn(file: string, user: number): Promise<boolean> {
  try {
    const folder = await stat(dirname(file))
    if ((folder.mode & writableByAll) === 0) return true
    const found = await lstat(file)
    if (found.uid !== user && found.uid !== 0) return false
    return found.isSymbolicLink() || (found.isFile() && (found.mode & writableByOthers) === 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
    throw new StoreUnavailableError('its file cannot be looked at')
  }
}
