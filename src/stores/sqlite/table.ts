import { addToDigits } from '../counter.ts'
import type { StoredValue } from '../store.ts'
import { newVersion } from '../version.ts'
import { blobBytes } from './connection.ts'
import type { SqliteConnection, SqliteRow, SqliteValue } from './connection.ts'
import { sqliteStatements } from './statements.ts'
import { type KnownRow, KnownValues } from './known-values.ts'
import type { SqliteStatements } from './statements.ts'

const writesPerSweep = 16
/** Values of more bytes than this do not lie in the row itself. */
const maxInRow = 256 * 1024

/**
 * The operations of a store on one table. Each is atomic and returns at once or throws the driver's
 * error. `lives` is in milliseconds, `Infinity` for ever, 0 for what is not to be stored.
 */
export class SqliteTable {
  readonly #connection: SqliteConnection
  readonly #sql: SqliteStatements
  readonly #known: KnownValues
  #writes = 0

  /** `name` must have been checked: it becomes part of the SQL. */
  constructor(connection: SqliteConnection, name: string) {
    this.#connection = connection
    this.#sql = sqliteStatements(name)
    this.#known = new KnownValues(connection)
    for (const sql of this.#sql.create) connection.exec(sql)
  }

  get(key: string): StoredValue | undefined {
    return this.#read(key).found
  }

  /** As `get`, of many: only what is not known any more is read. Nobody else may write with the connection. */
  lookUp(keys: readonly string[]): Array<StoredValue | undefined> {
    this.#known.check()
    const read = (key: string) => this.#read(key)
    return keys.map((key) => this.#known.getOrRead(key, read).found)
  }

  set(key: string, value: Uint8Array, lives: number): void {
    this.write(() => this.put(key, value, lives))
  }

  delete(key: string): boolean {
    return this.write(() => this.remove(key))
  }

  compareAndDelete(key: string, version: string): boolean {
    return this.write(() => this.#change(key, this.#sql.compareAndDelete, key, version, Date.now()))
  }

  create(key: string, value: Uint8Array, lives: number): string | undefined {
    const version = newVersion()
    const row = [key, version, inRow(value), expiresAt(lives)]
    const created =
      lives === 0
        ? !this.get(key)
        : this.write(() => this.#store(key, version, value, this.#sql.insert, ...row, Date.now()))
    return created ? version : undefined
  }

  replace(key: string, old: string, value: Uint8Array, lives: number): string | undefined {
    const version = newVersion()
    const row = [version, inRow(value), expiresAt(lives), key, old]
    const replaced =
      lives === 0
        ? this.compareAndDelete(key, old)
        : this.write(() => this.#store(key, version, value, this.#sql.update, ...row, Date.now()))
    return replaced ? version : undefined
  }

  increment(key: string, by: number, lives: number): number {
    return this.write(() => {
      const found = this.get(key)
      const sum = addToDigits(found?.value, by)
      const digits = Buffer.from(String(sum))
      if (found) this.#change(key, this.#sql.recount, newVersion(), digits, key)
      else this.put(key, digits, lives)
      return sum
    })
  }

  /** Milliseconds. */
  remaining(key: string): number | undefined {
    const row = this.#connection.row(this.#sql.expiresAt, key, Date.now())
    return row && Number(row['expires_at'] ?? Infinity) - Date.now()
  }

  expire(key: string, lives: number): boolean {
    if (lives === 0) return this.delete(key)
    return this.write(() => this.#change(key, this.#sql.expire, expiresAt(lives), key, Date.now()))
  }

  /** The next keys after `after`, or from `prefix` on; it is the last page when it is not full. */
  page(prefix: string, after: string | undefined, size: number): { key: string; live: boolean }[] {
    const [sql, start] =
      after === undefined ? [this.#sql.keysFrom, prefix] : [this.#sql.keysAfter, after]
    const rows = this.#connection.rows(sql, Date.now(), start, size)
    // Whatever the encoding of the database is, those with one prefix stand next to each other.
    const end = rows.findIndex(({ key }) => typeof key !== 'string' || !key.startsWith(prefix))
    const own = end < 0 ? rows : rows.slice(0, end)
    return own.map(({ key, live }) => ({ key: String(key), live: Boolean(live) }))
  }

  /** Deletes the first keys with `prefix`, expired or not, and tells how many there were. */
  clear(prefix: string, size: number): number {
    return this.write(() => {
      const keys = this.page(prefix, undefined, size)
      for (const { key } of keys) this.#change(key, this.#sql.remove, key)
      return keys.length
    })
  }

  /** Runs `operation` in one transaction. */
  write<T>(operation: () => T): T {
    return this.#connection.write(() => {
      this.#writes += 1
      if (this.#writes % writesPerSweep === 0) this.#connection.change(this.#sql.sweep, Date.now())
      return operation()
    })
  }

  /** Writes; to be called within {@link write}. */
  put(key: string, value: Uint8Array, lives: number): void {
    const version = newVersion()
    const row = [key, version, inRow(value), expiresAt(lives)]
    if (lives === 0) this.#change(key, this.#sql.remove, key)
    else this.#store(key, version, value, this.#sql.set, ...row)
  }

  /** Deletes; to be called within {@link write}. */
  remove(key: string): boolean {
    return this.#change(key, this.#sql.delete, key, Date.now())
  }

  #read(key: string): KnownRow {
    const row = this.#connection.row(this.#sql.get, key, Date.now())
    if (!row) return absent
    // With its body it is asked for anew, because by then it may be another.
    const found =
      stored(row) ?? stored(this.#connection.row(this.#sql.getWithBody, key, Date.now()))
    return { found, expiresAt: Number(row['expires_at'] ?? Infinity) }
  }

  #store(
    key: string,
    version: string,
    value: Uint8Array,
    sql: string,
    ...row: SqliteValue[]
  ): boolean {
    const changed = this.#change(key, sql, ...row)
    if (changed && inRow(value) !== value) this.#change(key, this.#sql.setBody, version, value)
    return changed
  }

  #change(key: string, sql: string, ...values: SqliteValue[]): boolean {
    this.#known.forget(key)
    return this.#connection.change(sql, ...values) > 0
  }
}

const absent: KnownRow = { found: undefined, expiresAt: Infinity }

function stored(row: SqliteRow | undefined): StoredValue | undefined {
  const value = blobBytes(row?.['value'])
  return value && { value, version: row?.['version'] as string }
}

/** What the column `value` holds. */
function inRow(value: Uint8Array): Uint8Array | number {
  return value.byteLength > maxInRow ? value.byteLength : value
}

function expiresAt(lives: number): number | null {
  if (lives === Infinity) return null
  return Math.min(Math.round(Date.now() + lives), Number.MAX_SAFE_INTEGER)
}
