import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../../errors.ts'
import { isAnswer } from '../failure.ts'
import { SqliteConnection } from './connection.ts'
import { SqliteFile } from './database-file.ts'
import { sqliteFailure } from './failure.ts'
import type { SqliteSettings } from './options.ts'
import { SqliteTable } from './table.ts'

/** Short, so that one who waits among many busy writers has many chances. */
const longestPauseMs = 10

type Operation<T> = (table: SqliteTable) => T

/** The database of one store: opened at its first use, waited for while it is locked, closed. */
export class SqliteDatabase {
  readonly #settings: SqliteSettings
  readonly #file: SqliteFile | undefined
  #opening: Promise<void> | undefined
  #open: { connection: SqliteConnection; table: SqliteTable } | undefined
  #closed = false

  constructor(settings: SqliteSettings) {
    this.#settings = settings
    this.#file = settings.database instanceof SqliteFile ? settings.database : undefined
  }

  /** Nobody else writes with its connection. */
  get isOwn(): boolean {
    return this.#file !== undefined
  }

  get inMemory(): boolean {
    return this.#file?.inMemory ?? false
  }

  /**
   * Runs `operation` at once when that can be done, with no promise made. Else `later()` is asked
   * for what to run when the database is there: it copies the caller's buffers.
   */
  run<T>(operation: Operation<T>, later = () => operation): T | Promise<T> {
    if (!this.#open) return this.#runLater(later())
    try {
      return operation(this.#usable())
    } catch (error) {
      throwUnlessBusy(error)
      return this.#runLater(later())
    }
  }

  /** As {@link run}, where that can be done at once; `undefined` where it cannot. */
  atOnce<T>(operation: Operation<T>): T | undefined {
    if (!this.#open) return undefined
    try {
      return operation(this.#usable())
    } catch {
      // Whoever asks in the usual way then is told why.
      return undefined
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => {})
    this.#letGo()
  }

  async #runLater<T>(operation: Operation<T>): Promise<T> {
    const giveUpAt = performance.now() + this.#settings.busyTimeoutMs
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#opened()
        return operation(this.#usable())
      } catch (error) {
        throwUnlessBusy(error, giveUpAt)
      }
      await sleep(Math.random() * Math.min(2 ** attempt, longestPauseMs))
    }
  }

  async #opened(): Promise<void> {
    if (this.#open) return
    this.#opening ??= this.#openOnce().finally(() => (this.#opening = undefined))
    await this.#opening
  }

  async #openOnce(): Promise<void> {
    if (this.#closed) return
    const { database, table } = this.#settings
    const connection =
      database instanceof SqliteFile ? await database.open() : new SqliteConnection(database, false)
    try {
      this.#open = { connection, table: new SqliteTable(connection, table) }
    } catch (error) {
      connection.close()
      throw error
    }
  }

  #usable(): SqliteTable {
    if (!this.#open) throw new StoreUnavailableError('it has been closed')
    try {
      this.#file?.check()
    } catch (error) {
      this.#letGo()
      throw error
    }
    return this.#open.table
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

/** The driver's own error may quote SQL, values and paths, so that only its kind goes on. */
function throwUnlessBusy(error: unknown, giveUpAt = Infinity): void {
  if (error instanceof StoreUnavailableError || isAnswer(error)) throw error
  const { busy, what } = sqliteFailure(error)
  if (!busy || performance.now() >= giveUpAt) throw new StoreUnavailableError(what)
}
