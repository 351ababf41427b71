import { notCountable } from './counter.ts'
import { checkAmount, checkKey, checkPrefix, checkValue, lifetime } from './limits.ts'
import { isPostgresClient } from './postgres/client.ts'
import type { PostgresClient, PostgresResult } from './postgres/client.ts'
import { PostgresConnection } from './postgres/connection.ts'
import { after, endOf } from './postgres/key-range.ts'
import { openDatabase } from './postgres/open-database.ts'
import { parts } from './postgres/parts.ts'
import type { PostgresStoreOptions } from './postgres/settings.ts'
import { statements } from './postgres/statements.ts'
import type { PostgresStatements } from './postgres/statements.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'
import { newVersion } from './version.ts'

export { isPostgresClient }
export type { PostgresClient, PostgresResult, PostgresStoreOptions }

/**
 * Keeps everything in one table of a PostgreSQL database (encoding UTF8), shared by all that reach
 * it. Each operation is one statement, and the server's clock decides what has expired; expired
 * rows are deleted by and by when something is written.
 *
 * `source` is a URL, options, or a `Pool` of pg (or what runs statements like one). From a URL or
 * options a pool of pg is made at the first use. A client that is handed in stays the app's to
 * close and to listen to, keeps its own time-outs, and must not be inside a transaction.
 *
 * The role needs SELECT, INSERT, UPDATE and DELETE, and CREATE on the schema unless the table is
 * there. PgBouncer refuses `statement_timeout` unless it is among its `ignore_startup_parameters`.
 *
 * Throws a `ConfigError` for a bad option, and at the first use when pg is not installed.
 */
export function postgresStore(
  source: string | URL | PostgresStoreOptions | PostgresClient,
  options: PostgresStoreOptions = {},
): Store {
  return new PostgresStore(source, options)
}

/** At each of so many writes a few expired rows are deleted. */
const writesPerSweep = 16

/** How much goes into one statement of many. */
const keysPerStatement = 1000
const charactersPerStatement = 4 * 2 ** 20

/** In milliseconds: 3,000 years and more are for ever, long before timestamps end. */
const longestLife = 1e14

class PostgresStore implements Store {
  readonly reach = 'cluster'
  readonly durable = true
  readonly maxValueBytes = 64 * 2 ** 20
  readonly #connection: PostgresConnection
  readonly #statements: PostgresStatements
  #writes = 0
  #sweeping = false

  constructor(
    source: string | URL | PostgresStoreOptions | PostgresClient,
    options: PostgresStoreOptions,
  ) {
    const { open, table: name, create } = openDatabase(source, options)
    this.#statements = statements(name)
    this.#connection = new PostgresConnection(open, { name, create, statements: this.#statements })
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkKey(key)
    const { rows } = await this.#run('get', [key])
    return storedValue(rows[0])
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const { copy, lives } = this.#checkWrite(key, value, options)
    if (lives === 0) await this.#change('remove', [key])
    else await this.#change('set', [key, newVersion(), copy, orForEver(lives)])
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key)
    return (await this.#change('delete', [key])) > 0
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const { copy, lives } = this.#checkWrite(key, value, options)
    const next = newVersion()
    const row = [key, next, copy, orForEver(lives)]
    if (version === undefined) {
      const isAbsent = lives === 0 ? !(await this.get(key)) : await this.#change('insert', row)
      return isAbsent ? next : undefined
    }
    const isThat =
      lives === 0
        ? await this.compareAndDelete(key, version)
        : await this.#change('update', [...row, version])
    return isThat ? next : undefined
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    checkKey(key)
    return (await this.#change('compareAndDelete', [key, version])) > 0
  }

  async *keys(prefix: string): AsyncGenerator<string, void, undefined> {
    checkPrefix(prefix)
    const end = endOf(prefix)
    for (let from = prefix; ;) {
      const { rows } = await this.#run('page', [from, end])
      const keys = rows.map((row) => (row as { key: string }).key)
      yield* keys
      const last = keys.at(-1)
      if (last === undefined) return
      from = after(last)
    }
  }

  async clear(prefix: string): Promise<void> {
    checkPrefix(prefix)
    const end = endOf(prefix)
    for (let from = prefix; ;) {
      const { rows } = await this.#run('clear', [from, end])
      const { last } = rows[0] as { last: string | null }
      if (last === null) return
      from = after(last)
    }
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    keys.forEach(checkKey)
    const found = new Map<unknown, unknown>()
    for (const some of parts([...new Set(keys)], keysPerStatement, () => 1)) {
      const { rows } = await this.#run('getMany', [some])
      for (const row of rows) found.set((row as { key: unknown }).key, row)
    }
    return keys.map((key) => {
      const value = storedValue(found.get(key))
      return value && { ...value, value: value.value.slice() }
    })
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    options?: SetOptions,
  ): Promise<void> {
    for (const [key, value] of entries) this.#checkEntry(key, value)
    const lives = lifetime(options?.ttl)
    const last = new Map(entries.map(([key, value]) => [key, Buffer.from(value).toString('hex')]))
    if (lives === 0) return void (await this.deleteMany([...last.keys()]))
    for (const some of parts([...last], charactersPerStatement, lengthOf)) {
      const keys = some.map(([key]) => key)
      const values = some.map(([, hex]) => hex)
      await this.#change('setMany', [keys, keys.map(newVersion), values, orForEver(lives)])
    }
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    keys.forEach(checkKey)
    let deleted = 0
    for (const some of parts(keys, keysPerStatement, () => 1)) {
      deleted += await this.#change('deleteMany', [some])
    }
    return deleted
  }

  async increment(key: string, by: number, options?: SetOptions): Promise<number> {
    checkKey(key)
    checkAmount(by)
    const lives = orForEver(lifetime(options?.ttl))
    const { rows } = await this.#run('increment', [key, newVersion(), by, lives])
    this.#sweepSome()
    if (rows.length === 0) throw notCountable()
    return Number((rows[0] as { sum: string }).sum)
  }

  async ttl(key: string): Promise<number | undefined> {
    checkKey(key)
    const { rows } = await this.#run('ttl', [key])
    if (rows.length === 0) return undefined
    const { seconds } = rows[0] as { seconds: number | null }
    return seconds === null ? Infinity : Math.max(0, seconds)
  }

  async expire(key: string, ttl: number): Promise<boolean> {
    checkKey(key)
    const lives = lifetime(ttl)
    if (lives === 0) return this.delete(key)
    return (await this.#change('expire', [key, orForEver(lives)])) > 0
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  /** Copies, because the caller may change its buffer before the driver has sent it. */
  #checkWrite(
    key: string,
    value: Uint8Array,
    options: SetOptions | undefined,
  ): { copy: Uint8Array; lives: number } {
    this.#checkEntry(key, value)
    return { copy: Buffer.from(value), lives: lifetime(options?.ttl) }
  }

  #checkEntry(key: string, value: Uint8Array): void {
    checkKey(key)
    checkValue(value, this.maxValueBytes)
  }

  #run(operation: keyof PostgresStatements, values: unknown[]): Promise<PostgresResult> {
    return this.#connection.run(this.#statements[operation], values)
  }

  /** Gives how many rows were written. */
  async #change(operation: keyof PostgresStatements, values: unknown[]): Promise<number> {
    const { rowCount } = await this.#run(operation, values)
    this.#sweepSome()
    return rowCount ?? 0
  }

  /** Nobody waits for it, and it waits for no lock; what it leaves is for the next one. */
  #sweepSome(): void {
    const isDue = this.#writes % writesPerSweep === 0
    this.#writes += 1
    if (!isDue || this.#sweeping) return
    this.#sweeping = true
    this.#run('sweep', [])
      .catch(() => {})
      .finally(() => (this.#sweeping = false))
  }
}

/** Only something else than behalf can have written a row that is otherwise. */
function storedValue(row: unknown): StoredValue | undefined {
  const { value, version } = (row ?? {}) as { value?: unknown; version?: unknown }
  if (!(value instanceof Uint8Array) || typeof version !== 'string') return undefined
  return { value: new Uint8Array(value.buffer, value.byteOffset, value.byteLength), version }
}

function orForEver(lives: number): number | null {
  return lives < longestLife ? lives : null
}

function lengthOf([key, hex]: readonly [key: string, hex: string]): number {
  return key.length + hex.length
}
