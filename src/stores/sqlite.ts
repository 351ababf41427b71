import { setImmediate as nextTurn } from 'node:timers/promises'
import { checkAmount, checkKey, checkPrefix, checkValue, lifetime } from './limits.ts'
import type { Location } from './location.ts'
import type { SqliteClient, SqliteValue } from './sqlite/connection.ts'
import { SqliteDatabase } from './sqlite/database.ts'
import type { SqliteDriver } from './sqlite/driver.ts'
import { isSqliteClient, sqliteOptions, sqliteSettings } from './sqlite/options.ts'
import type { SqliteSettings, SqliteStoreOptions } from './sqlite/options.ts'
import type { SqliteTable } from './sqlite/table.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'

export { isSqliteClient, sqliteOptions }
export type { Location, SqliteClient, SqliteDriver, SqliteStoreOptions, SqliteValue }

/**
 * Keeps everything in a SQLite database: a file shared by the processes of one host, or
 * `:memory:`. The file is made for its owner only (mode 0600) and opened at the first use, with
 * node:sqlite, better-sqlite3 or libsql, whichever is there first. `source` is its path, a
 * `sqlite:` URL or options; `options` win over what it says.
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
  source: string | URL | SqliteStoreOptions | SqliteClient,
  options: SqliteStoreOptions = {},
): Store {
  return new SqliteStore(sqliteSettings(source, options))
}

/** What is done with many keys is done in transactions of so many, between which others get on. */
const batchSize = 100

class SqliteStore implements Store {
  readonly reach: 'process' | 'host'
  readonly durable: boolean
  readonly maxValueBytes = 64 * 2 ** 20
  readonly #database: SqliteDatabase

  constructor(settings: SqliteSettings) {
    this.#database = new SqliteDatabase(settings)
    this.reach = this.#database.inMemory ? 'process' : 'host'
    this.durable = settings.durable
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkKey(key)
    return this.#database.run((table) => table.get(key))
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const lives = this.#checkWrite(key, value, options)
    const write = (bytes: Uint8Array) => (table: SqliteTable) => table.set(key, bytes, lives)
    return this.#database.run(write(value), () => write(new Uint8Array(value)))
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key)
    return this.#database.run((table) => table.delete(key))
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const lives = this.#checkWrite(key, value, options)
    const write = (bytes: Uint8Array) => (table: SqliteTable) =>
      version === undefined
        ? table.create(key, bytes, lives)
        : table.replace(key, version, bytes, lives)
    return this.#database.run(write(value), () => write(new Uint8Array(value)))
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    checkKey(key)
    return this.#database.run((table) => table.compareAndDelete(key, version))
  }

  async *keys(prefix: string): AsyncGenerator<string, void, undefined> {
    checkPrefix(prefix)
    let after: string | undefined
    for (;;) {
      const page = await this.#database.run((table) => table.page(prefix, after, batchSize))
      for (const { key, live } of page) if (live) yield key
      if (page.length < batchSize) return
      after = page.at(-1)?.key
    }
  }

  async clear(prefix: string): Promise<void> {
    checkPrefix(prefix)
    while ((await this.#database.run((table) => table.clear(prefix, batchSize))) === batchSize) {
      await nextTurn()
    }
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    keys.forEach(checkKey)
    return this.#inBatches(keys, (table, batch) => batch.map((key) => table.get(key)))
  }

  /** What is written by others with the same connection is not told. */
  atHand(keys: readonly string[]): ReadonlyArray<StoredValue | undefined> | undefined {
    if (!this.#database.isOwn) return undefined
    return this.#database.atOnce((table) => table.lookUp(keys))
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    options?: SetOptions,
  ): Promise<void> {
    const copies = entries.map(([key, value]) => {
      const lives = this.#checkWrite(key, value, options)
      return { key, value: new Uint8Array(value), lives }
    })
    await this.#inBatches(copies, (table, batch) =>
      table.write(() => batch.map(({ key, value, lives }) => table.put(key, value, lives))),
    )
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    keys.forEach(checkKey)
    const deleted = await this.#inBatches(keys, (table, batch) =>
      table.write(() => batch.map((key) => table.remove(key))),
    )
    return deleted.filter(Boolean).length
  }

  async increment(key: string, by: number, options?: SetOptions): Promise<number> {
    checkKey(key)
    checkAmount(by)
    const lives = lifetime(options?.ttl)
    return this.#database.run((table) => table.increment(key, by, lives))
  }

  async ttl(key: string): Promise<number | undefined> {
    checkKey(key)
    const remaining = await this.#database.run((table) => table.remaining(key))
    return remaining && remaining / 1000
  }

  async expire(key: string, ttl: number): Promise<boolean> {
    checkKey(key)
    const lives = lifetime(ttl)
    return this.#database.run((table) => table.expire(key, lives))
  }

  async close(): Promise<void> {
    await this.#database.close()
  }

  #checkWrite(key: string, value: Uint8Array, options: SetOptions | undefined): number {
    checkKey(key)
    checkValue(value, this.maxValueBytes)
    return lifetime(options?.ttl)
  }

  async #inBatches<Item, Result>(
    items: readonly Item[],
    operation: (table: SqliteTable, batch: readonly Item[]) => readonly Result[],
  ): Promise<Result[]> {
    const [all, results]: [Item[], Result[]] = [[...items], []]
    for (let at = 0; at < all.length; at += batchSize) {
      if (at > 0) await nextTurn()
      const batch = all.slice(at, at + batchSize)
      results.push(...(await this.#database.run((table) => operation(table, batch))))
    }
    return results
  }
}
