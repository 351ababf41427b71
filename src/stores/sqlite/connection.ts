/** What can be bound to a parameter. */
export type SqliteValue = string | number | null | Uint8Array

/**
 * The part of a database object that behalf calls: `DatabaseSync` of node:sqlite, or `Database` of
 * better-sqlite3 or libsql.
 */
export interface SqliteClient {
  exec(sql: string): unknown
  prepare(sql: string): {
    all(...values: SqliteValue[]): unknown[]
    run(...values: SqliteValue[]): { changes: number | bigint }
  }
  close(): unknown
}

type Statement = ReturnType<SqliteClient['prepare']>

/**
 * One database connection, the same whichever driver is behind it. Every call returns at once or
 * throws the driver's error; see {@link sqliteFailure}.
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

  /** The first row's columns, in their order. */
  row(sql: string, ...values: SqliteValue[]): unknown[] | undefined {
    return this.#withoutBusyWait(() => this.#first(sql, ...values))
  }

  /**
   * Runs `operation` in a transaction that has the write lock from its beginning. Without it a
   * write that meets a lock leaves libsql's statement half done, and all later reads with what was
   * there at that time.
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

  /** Asks for all rows, because libsql's `get` adds a column of its own. */
  #first(sql: string, ...values: SqliteValue[]): unknown[] | undefined {
    const [first] = this.#statement(sql).all(...values)
    return first === undefined ? undefined : Object.values(first as object)
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
    const timeout = this.#owned ? 0 : Number(this.#first('PRAGMA busy_timeout')?.[0])
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

/** What went wrong, without the driver's text: `busy` means that waiting helps. */
export interface SqliteFailure {
  busy: boolean
  what: string
}

const unusable = 'its file is damaged or not a SQLite database'
const failures: ReadonlyArray<[name: string, code: number, what: string, busy?: true]> = [
  ['SQLITE_BUSY', 5, 'its file is locked by another connection', true],
  ['SQLITE_LOCKED', 6, 'its table is locked by another connection', true],
  ['SQLITE_PROTOCOL', 15, 'its file is locked by another connection', true],
  ['SQLITE_READONLY', 8, 'its file is read-only'],
  ['SQLITE_IOERR', 10, 'its file could not be read or written'],
  ['SQLITE_CORRUPT', 11, unusable],
  ['SQLITE_FULL', 13, 'its disk is full'],
  ['SQLITE_CANTOPEN', 14, 'its file cannot be opened'],
  ['SQLITE_NOTADB', 26, unusable],
]

/** Tells the drivers' errors apart by SQLite's result code (https://sqlite.org/rescode.html). */
export function sqliteFailure(error: unknown): SqliteFailure {
  const { errcode, rawCode, code, message } = error as Record<string, unknown>
  // libsql gives no code when it cannot open, only text that ends with the number.
  const inText = /^ConnectionFailed\(.*: (\d+)"\)$/.exec(String(message))?.[1]
  const number = Number(errcode ?? rawCode ?? inText)
  const found = failures.find(
    ([name, primary]) => (number & 0xff) === primary || String(code).startsWith(name),
  )
  const [, , what = 'SQLite failed', busy = false] = found ?? []
  return { busy, what }
}
