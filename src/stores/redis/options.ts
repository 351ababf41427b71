import type { ConnectionOptions } from 'node:tls'
import { ConfigError } from '../../errors.ts'
import type { RedisDriverName } from './driver.ts'
import { readRedisUrl } from './url.ts'

/** Where a node of a cluster, or a sentinel, listens. */
export interface RedisNodeAddress {
  host: string
  /** Defaults to 6379, of a sentinel to 26379. */
  port?: number | undefined
}

/** Of the options of node:tls those that a Redis client needs. */
export type RedisTlsOptions = Pick<
  ConnectionOptions,
  'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized' | 'servername'
>

/**
 * How `redisStore` connects and what it keeps. Of a client that was handed in only `namespace`,
 * `layout` and `durable` can be chosen.
 */
export interface RedisStoreOptions {
  /** What every Redis key begins with, and a colon. Defaults to `behalf`. */
  namespace?: string | undefined
  /**
   * `keys`: a Redis key for each value. `hash`: one hash, named like the namespace, with a field for
   * each value; in a cluster that is all on one server. Defaults to `keys`.
   */
  layout?: 'keys' | 'hash' | undefined
  /**
   * What the store says of itself. `false` allows a server that drops what it keeps
   * (`maxmemory-policy allkeys-*`), which is good for a cache only. Defaults to `true`.
   */
  durable?: boolean | undefined

  /** `redis:`, `rediss:` or `redis+unix:`, with any of the other options; those given here win. */
  url?: string | URL | undefined
  /** Defaults to `localhost`. */
  host?: string | undefined
  /** Defaults to 6379. */
  port?: number | undefined
  /** A Unix socket, in the place of host and port. */
  path?: string | undefined
  /** The number of the database. Defaults to 0. */
  db?: number | undefined
  /** Of an ACL user (Redis 6). */
  username?: string | undefined
  password?: string | undefined
  /** `true`, or what node:tls needs; sentinels are spoken to likewise. Defaults to `false`. */
  tls?: boolean | RedisTlsOptions | undefined
  /** `true` where host and port are of a node of a Redis Cluster, or some of its nodes. */
  cluster?: boolean | readonly RedisNodeAddress[] | undefined
  /** The sentinels that know where the master is. */
  sentinels?: readonly RedisNodeAddress[] | undefined
  /** What the sentinels call the master. */
  sentinelName?: string | undefined
  /** For the sentinels themselves, which do not take the master's credentials. */
  sentinelUsername?: string | undefined
  sentinelPassword?: string | undefined
  /** Seconds to connect in. Defaults to 2. */
  connectTimeout?: number | undefined
  /** Seconds to wait for the reply to one command. Defaults to 2. */
  commandTimeout?: number | undefined
  /** The package to use. Defaults to `ioredis`, and without it `redis` (node-redis). */
  driver?: RedisDriverName | undefined
}

type KnownOptions = Readonly<Record<keyof RedisStoreOptions, true>>

const known: KnownOptions = {
  namespace: true,
  layout: true,
  durable: true,
  url: true,
  host: true,
  port: true,
  path: true,
  db: true,
  username: true,
  password: true,
  tls: true,
  cluster: true,
  sentinels: true,
  sentinelName: true,
  sentinelUsername: true,
  sentinelPassword: true,
  connectTimeout: true,
  commandTimeout: true,
  driver: true,
}

/** Of a client that was handed in nothing but these can be chosen. */
const ofLayout = ['namespace', 'layout', 'durable']

/**
 * Puts options together, from the weakest to the strongest: a URL, what came beside it, `options`.
 * Throws a `ConfigError` for what is no source, and for a name that no option has.
 */
export function mergedOptions(
  source: string | URL | RedisStoreOptions,
  options: RedisStoreOptions,
): RedisStoreOptions {
  const given = typeof source === 'string' || source instanceof URL ? { url: source } : source
  if (typeof given !== 'object' || given === null) throw unknownSource()
  const both = { ...given, ...defined(options) }
  checkNames(both, Object.keys(known), 'redisStore takes')
  return both.url === undefined ? both : { ...readRedisUrl(both.url), ...defined(both) }
}

/** Throws a `ConfigError` for options that cannot be given beside a client. */
export function checkLayoutOptions(options: RedisStoreOptions): void {
  checkNames(options, ofLayout, 'Beside a client that was handed in redisStore takes')
}

/** An option that is `undefined` is not given. */
function defined(options: RedisStoreOptions): RedisStoreOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** The name itself is not repeated: it may be anything. */
function checkNames(options: object, names: readonly string[], who: string): void {
  if (Object.keys(options).every((name) => names.includes(name))) return
  throw new ConfigError(`${who} the options ${names.join(', ')}; there is another.`)
}

function unknownSource(): ConfigError {
  return new ConfigError(
    'redisStore needs a URL such as redis://localhost:6379, options, or a client of ioredis 5 or ' +
      'newer, or of node-redis 5 or newer.',
  )
}
