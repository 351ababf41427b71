import type { ConnectionOptions } from 'node:tls'
import { ConfigError } from '../../errors.ts'
import { checkCount, checkName, checkSeconds } from '../limits.ts'
import { postgresUrlOptions } from './url-options.ts'

/** Where {@link postgresStore} keeps its values, and how it connects. */
export interface PostgresStoreOptions {
  /** `postgres://user:password@host:port/database?table=...`; every option can be in its query. */
  url?: string | URL | undefined
  /** A name, an address, or the folder of a Unix socket. Defaults to `PGHOST`, then `localhost`. */
  host?: string | undefined
  /** Defaults to `PGPORT`, then 5432. */
  port?: number | undefined
  /** Defaults to `PGDATABASE`, then to `user`. */
  database?: string | undefined
  /** Defaults to `PGUSER`, then to the process's user. */
  user?: string | undefined
  /** The password, or what gives it for each new connection. Defaults to `PGPASSWORD`. */
  password?: string | (() => string | Promise<string>) | undefined
  /** Whether to speak TLS, and how (`node:tls`); certificates are verified. Defaults to `PGSSLMODE`. */
  tls?: boolean | ConnectionOptions | undefined
  /** The most connections at a time. Defaults to 10. */
  poolSize?: number | undefined
  /** Seconds until a connection must be there, made anew or free again. Defaults to 2. */
  connectTimeout?: number | undefined
  /** Seconds until a statement must be done; the server gives it up as well. Defaults to 2. */
  commandTimeout?: number | undefined
  /** The table. Defaults to `behalf`. */
  table?: string | undefined
  /** The table's schema, which must be there. Defaults to the first one of the `search_path`. */
  schema?: string | undefined
  /** Whether to make the table at the first use when it is not there. Defaults to true. */
  createTable?: boolean | undefined
}

/** What of the options a store on a client of the app's own has. */
export type PostgresTableOptions = Pick<PostgresStoreOptions, 'table' | 'schema' | 'createTable'>

/** What a pool of `pg` is made with. */
export interface PostgresPoolSettings {
  host: string | undefined
  port: number | undefined
  database: string | undefined
  user: string | undefined
  password: PostgresStoreOptions['password']
  ssl: PostgresStoreOptions['tls']
  max: number
  connectionTimeoutMillis: number
  query_timeout: number
  statement_timeout: number
}

/** All options as one: those of `options` win over the source's, and both over their URL's. */
export function postgresOptions(
  source: string | URL | PostgresStoreOptions,
  options: PostgresStoreOptions,
): PostgresStoreOptions {
  const given = typeof source === 'string' || source instanceof URL ? { url: source } : source
  check(
    'source',
    'a URL (postgres://user:password@host/database), options, or a Pool of pg',
    typeof given === 'object' && given !== null,
  )
  const all = { ...given, ...defined(options) }
  return all.url === undefined ? all : { ...postgresUrlOptions(all.url), ...defined(all) }
}

/** Throws a `ConfigError` for options that no pool can be made with. */
export function poolSettings(options: PostgresStoreOptions): PostgresPoolSettings {
  const { host, port, database, user, password, tls } = options
  const { poolSize = 10, connectTimeout = 2, commandTimeout = 2 } = options
  checkText({ host, database, user })
  check('port', 'a port number', port === undefined || isPort(port))
  check('password', 'a text or a function', isAbsentOr(password, 'string', 'function'))
  check('tls', 'true, false or options of node:tls', isAbsentOr(tls, 'boolean', 'object'))
  const commandMs = milliseconds('commandTimeout', commandTimeout)
  return {
    host,
    port,
    database,
    user,
    password,
    ssl: tls,
    max: checkCount('postgresStore: poolSize', poolSize),
    connectionTimeoutMillis: milliseconds('connectTimeout', connectTimeout),
    query_timeout: commandMs,
    statement_timeout: commandMs,
  }
}

/** The table's quoted name, and whether the store may make it. */
export function tableSettings(options: PostgresTableOptions): { table: string; create: boolean } {
  const { table = 'behalf', schema, createTable = true } = options
  check('createTable', 'true or false', typeof createTable === 'boolean')
  const name = `"${checkName('postgresStore: table', table)}"`
  const inSchema = schema === undefined ? '' : `"${checkName('postgresStore: schema', schema)}".`
  return { table: inSchema + name, create: createTable }
}

/** Throws a `ConfigError` where options say how to connect although a client was handed in. */
export function checkTableOptions(options: PostgresStoreOptions): void {
  const others = Object.keys(defined(options)).filter(
    (name) => !['table', 'schema', 'createTable'].includes(name),
  )
  check(
    'options',
    'table, schema and createTable only, beside a client that was handed in',
    others.length === 0,
  )
}

/** Node's timers take no more. */
const longestMs = 2 ** 31 - 1

function milliseconds(option: string, seconds: number): number {
  const ms = Math.ceil(checkSeconds(`postgresStore: ${option}`, seconds) * 1000)
  // To pg, 0 means to wait for ever.
  return Math.min(Math.max(ms, 1), longestMs)
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 65_535
}

function checkText(options: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(options)) {
    check(name, 'a text that is not empty', isAbsentOr(value, 'string') && value !== '')
  }
}

function isAbsentOr(value: unknown, ...types: string[]): boolean {
  return value === undefined || (value !== null && types.includes(typeof value))
}

/** The value is not repeated: it may be a secret. */
function check(option: string, expected: string, holds: boolean): void {
  if (!holds) throw new ConfigError(`postgresStore: ${option} must be ${expected}.`)
}

function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
