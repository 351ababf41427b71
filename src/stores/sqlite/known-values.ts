import { LRUCache } from 'lru-cache'
import type { StoredValue } from '../store.ts'
import type { SqliteConnection } from './connection.ts'

/** A row as it was read; `expiresAt` in epoch ms, `Infinity` for ever. */
export interface KnownRow {
  /** `undefined`: there is none. */
  readonly found: StoredValue | undefined
  readonly expiresAt: number
}

/** Bytes of what is remembered of a table. */
const mostBytes = 16 * 2 ** 20

/** What a row takes beside its value. */
const overheadBytes = 512

/**
 * What was read of a table, by a connection that nobody else writes with: good for as long as no other
 * one has committed anything. SQLite says so by a number (`PRAGMA data_version`), which takes half as
 * long as reading one row.
 */
export class KnownValues {
  readonly #connection: SqliteConnection
  readonly #rows = new LRUCache<string, KnownRow>({ maxSize: mostBytes })
  #dataVersion: unknown

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  /** Forgets everything if somebody else has written; what is known after it is as it was then. */
  check(): void {
    const dataVersion = this.#connection.row('PRAGMA data_version')?.['data_version']
    if (dataVersion === undefined || dataVersion !== this.#dataVersion) this.#rows.clear()
    this.#dataVersion = dataVersion
  }

  /** What is known under the key; read, and remembered from now on, where nothing is. */
  getOrRead(key: string, read: (key: string) => KnownRow): KnownRow {
    const known = this.#rows.get(key)
    if (known && known.expiresAt > Date.now()) return known
    const row = read(key)
    const bytes = row.found?.value.byteLength ?? 0
    this.#rows.set(key, row, { size: overheadBytes + key.length * 2 + bytes })
    return row
  }

  /** It is written here. */
  forget(key: string): void {
    this.#rows.delete(key)
  }
}
