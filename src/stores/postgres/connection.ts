import { CallsUnderWay } from '../calls-under-way.ts'
import { storeFailure } from '../failure.ts'
import type { PostgresResult } from './client.ts'
import type { PostgresStatement, PostgresStatements } from './statements.ts'

/** What runs statements, and what letting go of it means. */
export interface PostgresDatabase {
  run(statement: PostgresStatement, values: unknown[]): Promise<PostgresResult>
  end(): Promise<void>
}

/** The table that must be there before anything else is run. */
export interface PostgresTable {
  /** Quoted, with its schema where one is named. */
  name: string
  /** Whether it may be made. */
  create: boolean
  statements: PostgresStatements
}

/** Runs statements on a database that is opened, and given its table, at the first use. */
export class PostgresConnection {
  readonly #open: () => Promise<PostgresDatabase>
  readonly #table: PostgresTable
  #database: PostgresDatabase | undefined
  #ready: PostgresDatabase | undefined
  #preparing: Promise<PostgresDatabase> | undefined
  readonly #calls = new CallsUnderWay()

  constructor(open: () => Promise<PostgresDatabase>, table: PostgresTable) {
    this.#open = open
    this.#table = table
  }

  async run(statement: PostgresStatement, values: unknown[]): Promise<PostgresResult> {
    this.#calls.begin()
    try {
      return await (this.#ready ?? (await this.#prepare())).run(statement, values)
    } catch (error) {
      // The table was dropped, or the database made anew: the next call makes the table again.
      if ((error as { code?: unknown }).code === '42P01') this.#ready = undefined
      throw storeFailure('PostgreSQL store', error)
    } finally {
      this.#calls.end()
    }
  }

  /** Lets what was begun come to its end first: a pool that ends drops what waits for its turn. */
  async close(): Promise<void> {
    await this.#calls.close(() => this.#database?.end().catch(() => {}))
  }

  #prepare(): Promise<PostgresDatabase> {
    this.#preparing ??= this.#prepareOnce().finally(() => (this.#preparing = undefined))
    return this.#preparing
  }

  async #prepareOnce(): Promise<PostgresDatabase> {
    const database = (this.#database ??= await this.#open())
    if (this.#table.create && !(await this.#exists(database))) await this.#create(database)
    this.#ready = database
    return database
  }

  /** Asked first, because CREATE ... IF NOT EXISTS needs the right to create also where it is. */
  async #exists(database: PostgresDatabase): Promise<boolean> {
    const { rows } = await database.run(this.#table.statements.exists, [this.#table.name])
    return (rows[0] as { found?: unknown } | undefined)?.found === true
  }

  /** Of several processes that start at once one makes the table; the others' attempts fail. */
  async #create(database: PostgresDatabase): Promise<void> {
    try {
      await database.run(this.#table.statements.create, [])
    } catch (error) {
      if (!(await this.#exists(database))) throw error
    }
  }
}
