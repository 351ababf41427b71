import { ConfigError } from '../../errors.ts'
import { checkCount, checkName, checkSeconds } from '../limits.ts'
import { parseStoreUrl, queryOptions } from '../store-url.ts'
import type { StoreUrl } from '../store-url.ts'

/** Where {@link memcachedStore} keeps its values, and how it connects. */
export interface MemcachedStoreOptions {
  /** `memcached://a:11211,b:11211?namespace=...`; every option can be in its query. */
  url?: string | URL | undefined
  /** The servers that share the keys, as `host:port`. All processes must name the same ones. */
  servers?: readonly string[] | undefined
  /** The server, where there is only one. Defaults to 127.0.0.1. */
  host?: string | undefined
  /** Defaults to 11211. */
  port?: number | undefined
  /** What all keys of this store begin with on the servers. Defaults to `behalf`. */
  namespace?: string | undefined
  /** Seconds until a connection must be there. Defaults to 2. */
  connectTimeout?: number | undefined
  /** Seconds until a command must be answered. Defaults to 2. */
  commandTimeout?: number | undefined
  /** The largest value, in bytes. Defaults to what fits into 1 MiB, the servers' default (`-I`). */
  maxValueBytes?: number | undefined
}

/** A server's address and how long it may take. */
export interface MemcachedAddress {
  host: string
  port: number
  connectMs: number
  commandMs: number
}

/** What a store is made with. */
export interface MemcachedSettings {
  servers: readonly MemcachedAddress[]
  namespace: string
  maxValueBytes: number
}

const defaultPort = 11_211

/** memcached counts its own header, the key and the chunks of a large value too. */
const largestValue = 2 ** 20 - 4096

/**
 * All options as one: those of `options` win over the source's, and both over their URL's. Throws a
 * `ConfigError` for what cannot be used.
 */
export function memcachedSettings(
  source: string | URL | MemcachedStoreOptions,
  options: MemcachedStoreOptions,
): MemcachedSettings {
  const all = merged(source, options)
  const { connectTimeout = 2, commandTimeout = 2, maxValueBytes = largestValue } = all
  const timeouts = {
    connectMs: milliseconds('connectTimeout', connectTimeout),
    commandMs: milliseconds('commandTimeout', commandTimeout),
  }
  return {
    servers: serversOf(all).map((server) => ({ ...server, ...timeouts })),
    namespace: checkName('memcachedStore: namespace', all.namespace ?? 'behalf'),
    maxValueBytes: checkCount('memcachedStore: maxValueBytes', maxValueBytes),
  }
}

function merged(
  source: string | URL | MemcachedStoreOptions,
  options: MemcachedStoreOptions,
): MemcachedStoreOptions {
  const given = typeof source === 'string' || source instanceof URL ? { url: source } : source
  if (typeof given !== 'object' || given === null) throw notASource()
  const { url, ...beside } = { ...defined(given), ...defined(options) }
  const fromUrl = url === undefined ? {} : urlOptions(url)
  // One server that is named wins over several that are named in the URL.
  if (beside.host !== undefined || beside.port !== undefined) delete fromUrl.servers
  return { ...fromUrl, ...beside }
}

function urlOptions(url: string | URL): MemcachedStoreOptions {
  const parsed = parseStoreUrl(url)
  if (parsed.scheme !== 'memcached' || !isPlain(parsed)) throw notASource()
  const { servers, ...named } = queryOptions(parsed.query, {
    servers: 'text',
    host: 'text',
    port: 'number',
    namespace: 'text',
    connectTimeout: 'number',
    commandTimeout: 'number',
    maxValueBytes: 'number',
  })
  const hosts = parsed.hosts.map(({ host, port = defaultPort }) => `${bracketed(host)}:${port}`)
  if (servers !== undefined) return { ...named, servers: servers.split(',') }
  return hosts.length > 0 && named.host === undefined ? { ...named, servers: hosts } : named
}

/** No user, no password and no path: memcached has none. */
function isPlain({ username, password, path }: StoreUrl): boolean {
  return username === undefined && password === undefined && (path === '' || path === '/')
}

function serversOf(options: MemcachedStoreOptions): Array<{ host: string; port: number }> {
  const { servers, host = '127.0.0.1', port = defaultPort } = options
  if (servers === undefined) {
    if (!Number.isSafeInteger(port)) throw notServers()
    return [parseServer(`${bracketed(host)}:${port}`)]
  }
  if (!Array.isArray(servers) || servers.length === 0) throw notServers()
  const parsed = servers.map(parseServer)
  const addresses = new Set(parsed.map((server) => `${server.host}:${server.port}`))
  if (addresses.size < parsed.length) throw notServers()
  return parsed
}

function parseServer(server: unknown): { host: string; port: number } {
  if (typeof server !== 'string' || !/^[^/?#@,\s]+$/.test(server)) throw notServers()
  const [{ host, port = defaultPort } = { host: '' }] = hostsOf(server)
  if (port === 0) throw notServers()
  return { host, port }
}

/** What is wrong with it is an option's fault, not that of a URL. */
function hostsOf(server: string): StoreUrl['hosts'] {
  try {
    return parseStoreUrl(`memcached://${server}`).hosts
  } catch {
    throw notServers()
  }
}

function bracketed(host: string): string {
  if (typeof host !== 'string') throw notServers()
  return host.includes(':') ? `[${host}]` : host
}

/** Node's timers take no more. */
const longestMs = 2 ** 31 - 1

function milliseconds(option: string, seconds: number): number {
  return Math.min(checkSeconds(`memcachedStore: ${option}`, seconds) * 1000, longestMs)
}

/** Nothing of what was given is repeated: it may hold a password for something else. */
function notASource(): ConfigError {
  return new ConfigError(
    'memcachedStore needs a URL (memcached://host:port,host:port?namespace=name) or options. There is no ' +
      'user, password or path: memcached is reached over plain TCP within a private network.',
  )
}

function notServers(): ConfigError {
  return new ConfigError(
    'memcachedStore: servers must be a list of host:port, each once; host a name or an address, ' +
      'and port a port number.',
  )
}

function defined<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
