import { ConfigError } from '../../errors.ts'
import { decoded, parseStoreUrl, queryOptions } from '../store-url.ts'
import type { StoreUrl } from '../store-url.ts'
import type { RedisStoreOptions } from './options.ts'

const kinds = {
  namespace: 'text',
  layout: 'text',
  durable: 'boolean',
  db: 'number',
  cluster: 'boolean',
  sentinel: 'text',
  sentinelUsername: 'text',
  sentinelPassword: 'text',
  servername: 'text',
  connectTimeout: 'number',
  commandTimeout: 'number',
  driver: 'text',
} as const

/**
 * Reads a URL:
 *
 *     redis://user:password@host:6379/0?namespace=app        (rediss: with TLS)
 *     redis://a:7000,b:7001?cluster=true
 *     redis://a:26379,b:26379/0?sentinel=mymaster
 *     redis+unix:///run/redis.sock?db=1                      (with a user: redis+unix://user:password@localhost/run/redis.sock)
 *
 * `valkey:` and `valkeys:` mean the same as `redis:` and `rediss:`. Throws a `ConfigError`.
 */
export function readRedisUrl(url: string | URL): RedisStoreOptions {
  const parts = parseStoreUrl(url)
  const { sentinel, servername, cluster, ...rest } = queryOptions(parts.query, kinds)
  const options = rest as RedisStoreOptions
  const { username, password } = parts
  const secure = secureSchemes[parts.scheme]
  if (secure === undefined) throw unreadable('redis:, rediss: or redis+unix:')
  return {
    ...options,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...((secure || servername !== undefined) && {
      tls: servername === undefined || { servername },
    }),
    ...(parts.scheme === 'redis+unix'
      ? { path: decoded(parts.path) }
      : { ...database(parts), ...servers(parts, cluster ?? false, sentinel) }),
  }
}

const secureSchemes: Readonly<Record<string, boolean>> = {
  redis: false,
  rediss: true,
  valkey: false,
  valkeys: true,
  'redis+unix': false,
}

function database({ path }: StoreUrl): RedisStoreOptions {
  if (path === '' || path === '/') return {}
  if (!/^\/\d{1,9}$/.test(path)) throw unreadable('the number of a database after the host')
  return { db: Number(path.slice(1)) }
}

function servers(
  { hosts }: StoreUrl,
  cluster: boolean,
  sentinelName: string | undefined,
): RedisStoreOptions {
  if (cluster) return { cluster: hosts, ...(sentinelName !== undefined && { sentinelName }) }
  if (sentinelName !== undefined) return { sentinels: hosts, sentinelName }
  if (hosts.length > 1) throw unreadable('cluster=true or sentinel=name for several hosts')
  const [{ host, port } = { host: undefined, port: undefined }] = hosts
  return { ...(host !== undefined && { host }), ...(port !== undefined && { port }) }
}

function unreadable(expected: string): ConfigError {
  return new ConfigError(`The URL of a Redis store needs ${expected}.`)
}
