import { ConfigError } from '../../errors.ts'
import { checkName, checkSeconds } from '../limits.ts'
import { redisDrivers } from './driver.ts'
import type { RedisDriverName } from './driver.ts'
import type { RedisNodeAddress, RedisStoreOptions, RedisTlsOptions } from './options.ts'

/** Where a server listens. */
export interface Address {
  host: string
  port: number
}

/** What a store that makes its own client was configured to, with all defaults. */
export interface RedisSettings {
  kind: 'server' | 'cluster' | 'sentinel'
  /** Of the server, of some nodes of the cluster, or of the sentinels. */
  addresses: readonly Address[]
  path: string | undefined
  db: number
  username: string | undefined
  password: string | undefined
  tls: RedisTlsOptions | undefined
  sentinelName: string | undefined
  sentinelUsername: string | undefined
  sentinelPassword: string | undefined
  connectTimeoutMs: number
  commandTimeoutMs: number
  driver: RedisDriverName | undefined
}

/** What every store has, whoever made its client. */
export interface RedisLayoutSettings {
  namespace: string
  layout: 'keys' | 'hash'
  durable: boolean
}

/** Checks what is not about the connection. Throws a `ConfigError`. */
export function layoutSettings(options: RedisStoreOptions): RedisLayoutSettings {
  const { namespace = 'behalf', layout = 'keys', durable = true } = options
  return {
    namespace: checkName('redisStore: namespace', namespace),
    layout: oneOf('layout', ['keys', 'hash'], layout),
    durable: checked('durable', 'boolean', durable),
  }
}

/** Checks what is about the connection. Throws a `ConfigError`. */
export function connectionSettings(options: RedisStoreOptions): RedisSettings {
  const { connectTimeout = 2, commandTimeout = 2, db = 0, driver } = options
  const kind = kindOf(options)
  if (!Number.isSafeInteger(db) || db < 0) throw wrong('db must be a whole number')
  if (kind === 'cluster' && db !== 0) throw wrong('a cluster has no db')
  return {
    kind,
    addresses: addressesOf(kind, options),
    path: text('path', options.path),
    db,
    username: text('username', options.username),
    password: text('password', options.password),
    tls: tlsOf(options.tls),
    sentinelName: text('sentinelName', options.sentinelName),
    sentinelUsername: text('sentinelUsername', options.sentinelUsername),
    sentinelPassword: text('sentinelPassword', options.sentinelPassword),
    connectTimeoutMs: duration('connectTimeout', connectTimeout),
    commandTimeoutMs: duration('commandTimeout', commandTimeout),
    driver: driver === undefined ? undefined : oneOf('driver', redisDrivers, driver),
  }
}

function kindOf(options: RedisStoreOptions): RedisSettings['kind'] {
  const { cluster = false, sentinels, sentinelName, path } = options
  if ((sentinels === undefined) !== (sentinelName === undefined)) {
    throw wrong('sentinels and sentinelName are needed together')
  }
  const kinds = [
    ...(path === undefined ? [] : ['server' as const]),
    ...(cluster === false ? [] : ['cluster' as const]),
    ...(sentinels === undefined ? [] : ['sentinel' as const]),
  ]
  if (kinds.length > 1) throw wrong('give only one of path, cluster and sentinels')
  return kinds[0] ?? 'server'
}

function addressesOf(kind: RedisSettings['kind'], options: RedisStoreOptions): Address[] {
  const { host = 'localhost', port, cluster, sentinels } = options
  if (kind === 'sentinel') return nodes('sentinels', sentinels, 26_379)
  if (kind === 'cluster' && cluster !== true) return nodes('cluster', cluster, 6379)
  return nodes('host and port', [{ host, port }], 6379)
}

function nodes(option: string, given: unknown, defaultPort: number): Address[] {
  if (!Array.isArray(given) || given.length === 0) throw wrongNodes(option)
  return given.map((node: RedisNodeAddress | null) => {
    const { host, port = defaultPort } = node ?? {}
    const isPort = Number.isSafeInteger(port) && port > 0 && port < 65_536
    if (typeof host !== 'string' || host === '' || !isPort) throw wrongNodes(option)
    return { host, port }
  })
}

function wrongNodes(option: string): ConfigError {
  return wrong(`${option} must hold a host and a port from 1 to 65535`)
}

function tlsOf(tls: unknown): RedisTlsOptions | undefined {
  if (tls === undefined || tls === false) return undefined
  if (tls === true) return {}
  if (typeof tls === 'object' && tls !== null) return { ...tls }
  throw wrong('tls must be true, false or options of node:tls')
}

function duration(option: string, seconds: number): number {
  const ms = checkSeconds(`redisStore: ${option}`, seconds) * 1000
  if (ms >= 1 && ms < 2 ** 31) return ms
  throw wrong(`${option} must be between 0.001 and 2,000,000 seconds`)
}

function text(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value
  throw wrong(`${option} must be a text that is not empty`)
}

function checked<T>(option: string, type: 'boolean', value: T): T {
  if (typeof value === type) return value
  throw wrong(`${option} must be a ${type}`)
}

function oneOf<T extends string>(option: string, values: readonly T[], value: T): T {
  if (values.includes(value)) return value
  throw wrong(`${option} must be one of ${values.join(', ')}`)
}

/** Values are not repeated: what was put into the wrong option may be a password. */
function wrong(what: string): ConfigError {
  return new ConfigError(`redisStore: ${what}.`)
}
