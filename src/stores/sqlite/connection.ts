/** What can be bound to a parameter. */
export type SqliteValue = string | number | null | Uint8Array

/**
 * The part of a database object that behalf calls: `DatabaseSync` of node:sqlite, or `Database` of
 * better-sqlite3 or libsql.
 */
export interface SqliteClient {
  exec(sql: string): unknown
  prepare(sql: string): {
    get(...values: SqliteValue[]): unknown
    all(...values: SqliteValue[]): unknown[]
    run(...values: SqliteValue[]): { changes: number | bigint }
  }
  close(): unknown
}

/** A row's columns by their names; libsql adds `_metadata`. */
export type SqliteRow = Readonly<Record<string, unknown>>

type Statement = ReturnType<SqliteClient['prepare']>

/**
 * One database connection, the same whichever driver is behind it. Every call returns at once or
 * throws the driver's error; see `sqliteFailure()`.
 */
export class SqliteConnection {
  readonly #client: SqliteClient
  readonly #owned: boolean
  readonly #statements = new Map<string, Statement>()

  /** `owned` tells that nobody else uses `client`, and that it was opened with no busy timeout. */
  constructor(client: SqliteClient, owned: boolean) {
    this.#client = client
    this.#owned = owned
  }

  exec(sql: string): void {
    this.#withoutBusyWait(() => this.#client.exec(sql))
  }

  row(sql: string, ...values: SqliteValue[]): SqliteRow | undefined {
    if (this.#owned) return this.#first(sql, values)
    return this.#withoutBusyWait(() => this.#first(sql, values))
  }

  rows(sql: string, ...values: SqliteValue[]): SqliteRow[] {
    return this.#withoutBusyWait(() => this.#statement(sql).all(...values)) as SqliteRow[]
  }

  /**
   * Runs `operation` in a transaction that has the write lock from its beginning. Without it a
   * write that meets a lock leaves libsql's statement half done, and all later reads with what was
   * there at that time. (It costs a tenth of what the write itself does.)
   */
  write<T>(operation: () => T): T {
    return this.#withoutBusyWait(() => {
      this.#client.exec('BEGIN IMMEDIATE')
      try {
        const result = operation()
        this.#client.exec('COMMIT')
        return result
      } catch (error) {
        this.#rollBack()
        throw error
      }
    })
  }

  /** How many rows were written; to be called within {@link write}. */
  change(sql: string, ...values: SqliteValue[]): number {
    return Number(this.#statement(sql).run(...values).changes)
  }

  /** Closes the client when nobody else uses it. */
  close(): void {
    this.#statements.clear()
    if (this.#owned) this.#client.close()
  }

  #rollBack(): void {
    try {
      this.#client.exec('ROLLBACK')
    } catch {
      // After some errors SQLite has done it already.
    }
  }

  /** The drivers give `undefined` or `null` where there is no row. */
  #first(sql: string, values: SqliteValue[]): SqliteRow | undefined {
    return (this.#statement(sql).get(...values) as SqliteRow | null | undefined) ?? undefined
  }

  #statement(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#client.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }

  /** The app may have given its client a busy timeout, in which SQLite would stop the process. */
  #withoutBusyWait<T>(operation: () => T): T {
    const timeout = this.#owned ? 0 : Number(this.#first('PRAGMA busy_timeout', [])?.['timeout'])
    if (timeout === 0) return operation()
    this.#client.exec('PRAGMA busy_timeout = 0')
    try {
      return operation()
    } finally {
      this.#client.exec(`PRAGMA busy_timeout = ${timeout}`)
    }
  }
}

/** A blob as the drivers give it (node:sqlite, better-sqlite3, libsql each another class). */
export function blobBytes(blob: unknown): Uint8Array | undefined {
  if (blob instanceof ArrayBuffer) return new Uint8Array(blob)
  if (!(blob instanceof Uint8Array)) return undefined
  return new Uint8Array(blob.buffer, blob.byteOffset, blob.byteLength)
}
