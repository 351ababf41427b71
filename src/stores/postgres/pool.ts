import { loadDriver } from '../driver.ts'
import type { PostgresClient, PostgresResult } from './client.ts'
import type { PostgresDatabase } from './connection.ts'
import type { PostgresPoolSettings } from './settings.ts'
import type { PostgresStatement } from './statements.ts'

/** The part of pg's `Pool` that is called here. */
interface Pool extends PostgresClient {
  query(text: string, values: unknown[]): Promise<PostgresResult>
  query(statement: PostgresStatement & { values: unknown[] }): Promise<PostgresResult>
  on(event: 'error', listener: () => void): unknown
  end(): Promise<void>
}

type Driver = { Pool: new (settings: PoolSettings) => Pool }
type PoolSettings = PostgresPoolSettings & { allowExitOnIdle: boolean; keepAlive: boolean }

/**
 * A pool of our own. Statements are prepared once for each connection, unless the server turns out
 * to forget them: a pooler in between gives each transaction another session.
 */
export class PostgresPool implements PostgresDatabase {
  readonly #pool: Pool
  #prepares = true

  private constructor(pool: Pool) {
    this.#pool = pool
    // The pool has dropped the connection by then, and the next call makes another.
    pool.on('error', () => {})
  }

  /** Loads pg; connects to nothing yet. Throws a `ConfigError` where pg is not installed. */
  static async open(settings: PostgresPoolSettings): Promise<PostgresPool> {
    const { Pool } = await loadDriver<Driver>('pg')
    return new PostgresPool(new Pool({ ...settings, allowExitOnIdle: true, keepAlive: true }))
  }

  async run({ name, text }: PostgresStatement, values: unknown[]): Promise<PostgresResult> {
    if (!this.#prepares) return this.#pool.query(text, values)
    try {
      return await this.#pool.query({ name, text, values })
    } catch (error) {
      if (!neverRan(error)) throw error
      this.#prepares = false
      return this.#pool.query(text, values)
    }
  }

  async end(): Promise<void> {
    await this.#pool.end()
  }
}

/** Errors about a prepared statement itself: it is not there, or another has its name. */
function neverRan(error: unknown): boolean {
  const { code } = error as { code?: unknown }
  return code === '26000' || code === '42P05'
}
