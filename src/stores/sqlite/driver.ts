import { ConfigError } from '../../errors.ts'
import { requireDriver } from '../driver.ts'
import type { SqliteClient } from './connection.ts'

/** The packages that {@link openSqlite} can use, best first. */
export type SqliteDriver = 'node:sqlite' | 'better-sqlite3' | 'libsql'

/** Opens a database that never waits for a lock by itself: it would stop the whole process. */
type OpenDatabase = (path: string) => SqliteClient

type DatabaseClass<Options> = new (path: string, options: Options) => SqliteClient

/** Each gives `undefined` where the driver is not there or does not run on this Node. */
const drivers: Readonly<Record<SqliteDriver, () => Promise<OpenDatabase | undefined>>> = {
  'node:sqlite': async () => {
    const builtin = process.getBuiltinModule('node:sqlite') as
      | { DatabaseSync: DatabaseClass<{ timeout: number }> }
      | undefined
    return builtin && ((path) => new builtin.DatabaseSync(path, { timeout: 0 }))
  },
  'better-sqlite3': async () => {
    if (wouldCrash()) return undefined
    const Database = requireDriver('better-sqlite3') as DatabaseClass<{ timeout: number }>
    return (path) => new Database(path, { timeout: 0 })
  },
  libsql: async () => {
    const Database = requireDriver('libsql') as DatabaseClass<{ timeout: number }>
    return (path) => new Database(path, { timeout: 0 })
  },
}

/** The names that the option `driver` takes. */
export const sqliteDrivers: readonly SqliteDriver[] = Object.keys(drivers) as SqliteDriver[]

/**
 * Finds a driver: `wanted`, or the first of node:sqlite, better-sqlite3 and libsql that runs here.
 * (Node 22 announces once, as a warning, that its node:sqlite is experimental.)
 *
 * Throws a `ConfigError` that says what to install.
 */
export async function loadSqliteDriver(wanted: SqliteDriver | undefined): Promise<OpenDatabase> {
  for (const name of wanted ? [wanted] : sqliteDrivers) {
    const open = await usable(name)
    if (open) return open
  }
  throw new ConfigError(wanted ? notUsable(wanted) : noneUsable())
}

/** A native module can be installed and still not load here, which shows when it first opens. */
async function usable(name: SqliteDriver): Promise<OpenDatabase | undefined> {
  try {
    const open = await drivers[name]()
    open?.(':memory:').close()
    return open
  } catch {
    return undefined
  }
}

/** better-sqlite3 13 takes the whole process down on Node 20 (segmentation fault at open). */
function wouldCrash(): boolean {
  if (nodeMajor() >= 22) return false
  const { version } = requireDriver('better-sqlite3/package.json') as { version: string }
  return Number.parseInt(version) >= 13
}

function nodeMajor(): number {
  return Number.parseInt(process.versions.node)
}

function notUsable(name: SqliteDriver): string {
  if (name === 'node:sqlite') {
    return `This Node (${process.version}) has no node:sqlite: use Node 22.13 or later, or npm i libsql`
  }
  const version = name === 'better-sqlite3' && nodeMajor() < 22 ? '@12' : ''
  return `The SQLite driver ${name} is not installed or does not load on Node ${process.version}: npm i ${name}${version}`
}

function noneUsable(): string {
  return (
    `There is no SQLite driver: this Node (${process.version}) has no node:sqlite, and neither ` +
    'better-sqlite3 nor libsql loads here. Install one: npm i libsql'
  )
}
