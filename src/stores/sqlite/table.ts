import { blobBytes } from './connection.ts'
import type { SqliteConnection, SqliteValue } from './connection.ts'
import type { StoredValue } from '../store.ts'
import { newVersion } from '../version.ts'

/** Expired rows go a few at a time, so that no write waits for a big clean-up. */
const writesPerSweep = 16
const rowsPerSweep = 32

/**
 * The operations of a store on one table. Each is a single statement, so that it is atomic, and
 * returns at once or throws the driver's error. `lives` is in milliseconds, `Infinity` for ever, 0 for what
 * is not to be stored.
 */
export class SqliteTable {
  readonly #connection: SqliteConnection
  readonly #sql: ReturnType<typeof statements>
  #writes = 0

  /** `name` must have been checked: it becomes part of the SQL. */
  constructor(connection: SqliteConnection, name: string) {
    this.#connection = connection
    this.#sql = statements(name)
    for (const sql of this.#sql.create) connection.exec(sql)
  }

  get(key: string): StoredValue | undefined {
    const row = this.#connection.row(this.#sql.get, key, Date.now())
    if (!row) return undefined
    const [blob, version] = row
    const value = blobBytes(blob)
    // Only something else than behalf can have written a row like that.
    if (!value || typeof version !== 'string') return undefined
    return { value, version }
  }

  set(key: string, value: Uint8Array, lives: number): void {
    if (lives === 0) this.#change(this.#sql.remove, key)
    else this.#change(this.#sql.set, key, newVersion(), value, expiresAt(lives))
  }

  delete(key: string): boolean {
    return this.#change(this.#sql.delete, key, Date.now())
  }

  compareAndDelete(key: string, version: string): boolean {
    return this.#change(this.#sql.compareAndDelete, key, version, Date.now())
  }

  create(key: string, value: Uint8Array, lives: number): string | undefined {
    const version = newVersion()
    const created =
      lives === 0
        ? !this.get(key)
        : this.#change(this.#sql.insert, key, version, value, expiresAt(lives), Date.now())
    return created ? version : undefined
  }

  replace(key: string, old: string, value: Uint8Array, lives: number): string | undefined {
    const version = newVersion()
    const replaced =
      lives === 0
        ? this.compareAndDelete(key, old)
        : this.#change(this.#sql.update, version, value, expiresAt(lives), key, old, Date.now())
    return replaced ? version : undefined
  }

  #change(sql: string, ...values: SqliteValue[]): boolean {
    return this.#connection.write(() => {
      this.#writes += 1
      if (this.#writes % writesPerSweep === 0) this.#connection.change(this.#sql.sweep, Date.now())
      return this.#connection.change(sql, ...values) > 0
    })
  }
}

function statements(name: string) {
  const table = `"${name}"`
  const live = '(expires_at IS NULL OR expires_at > ?)'
  const insert = `INSERT INTO ${table} (key, version, value, expires_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET
    version = excluded.version, value = excluded.value, expires_at = excluded.expires_at`
  return {
    create: [
      `CREATE TABLE IF NOT EXISTS ${table}
        (key TEXT PRIMARY KEY NOT NULL, version TEXT NOT NULL, value BLOB NOT NULL, expires_at INTEGER)`,
      // The dot keeps it apart from the name of any table that the option `table` can hold.
      `CREATE INDEX IF NOT EXISTS "${name}.expires_at" ON ${table} (expires_at) WHERE expires_at IS NOT NULL`,
    ],
    get: `SELECT value, version FROM ${table} WHERE key = ? AND ${live}`,
    set: insert,
    insert: `${insert} WHERE ${table}.expires_at <= ?`,
    update: `UPDATE ${table} SET version = ?, value = ?, expires_at = ? WHERE key = ? AND version = ? AND ${live}`,
    remove: `DELETE FROM ${table} WHERE key = ?`,
    delete: `DELETE FROM ${table} WHERE key = ? AND ${live}`,
    compareAndDelete: `DELETE FROM ${table} WHERE key = ? AND version = ? AND ${live}`,
    sweep: `DELETE FROM ${table} WHERE rowid IN
      (SELECT rowid FROM ${table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ${rowsPerSweep})`,
  }
}

function expiresAt(lives: number): number | null {
  if (lives === Infinity) return null
  return Math.min(Math.round(Date.now() + lives), Number.MAX_SAFE_INTEGER)
}
