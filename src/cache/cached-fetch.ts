import { ConfigError } from '../errors.ts'
import { KeyRing } from '../key-ring.ts'
import { Recent } from '../recent.ts'
import { memoryStore } from '../stores/memory.ts'
import type { CachedCall } from './cached-call.ts'
import { type Forwarding, forwardedHeaders } from './forwarding.ts'
import type { Fields } from './http/received.ts'
import { namedPartition, type Partition } from './partition.ts'
import type { CacheMode } from './request.ts'
import { ResponseCache } from './response-cache.ts'
import type { ResponseCacheOptions } from './response-cache-options.ts'
import type { Asked } from './stored-responses.ts'

/** Options of {@link cachedFetch}. */
export interface CachedFetchOptions extends Omit<ResponseCacheOptions, 'partition'> {
  /**
   * Whose replies: what one partition stored is found by no other. A name, or a function that gives
   * one for a request. Without one, what is stored is everybody's, and a request with `Authorization`
   * or `Cookie` is not stored.
   */
  partition?: string | ((request: Asked) => string | undefined) | undefined
  /** 32 bytes or more; seals what is stored outside the process. Needed with `partition` there. */
  secret?: string | undefined
}

/** The options of `fetch`, and those of a call to the cache. */
export interface CachedFetchInit extends Omit<RequestInit, 'cache'> {
  cache?: CacheMode | undefined
  /** Seconds, before any rule: how long the reply may be reused, and how old a stored one may be. */
  ttl?: number | undefined
  /** Names by which the stored response can be made stale. */
  tags?: readonly string[] | undefined
}

/** A `fetch` with a cache before it. */
export interface CachedFetch {
  (input: string | URL | Request, init?: CachedFetchInit): Promise<Response>
  readonly cache: ResponseCache
  /** Waits for refreshes in the background; a store that was handed in stays open. */
  readonly close: () => Promise<void>
}

/**
 * Puts a response cache before any `fetch`: replies are reused as their headers allow (RFC 9111), or
 * as `rules` say. The store is by default in memory.
 *
 * Throws a `ConfigError` for options out of range, and for a `partition` without `secret` in a store
 * outside the process.
 */
export function cachedFetch(
  fetch: typeof globalThis.fetch,
  options: CachedFetchOptions = {},
): CachedFetch {
  const { partition, secret, store = memoryStore(), ...rest } = options
  if (partition !== undefined && secret === undefined && store.reach !== 'process') {
    throw new ConfigError('cachedFetch: partition needs a secret, which seals what is stored.')
  }
  const cache = new ResponseCache({ ...rest, store })
  const partitionOf = partitions(partition, secret)
  const cached = async (
    input: string | URL | Request,
    init?: CachedFetchInit,
  ): Promise<Response> => {
    const request = input instanceof Request ? input : undefined
    const signal = init?.signal ?? request?.signal
    signal?.throwIfAborted()
    const asked = askedFor(input, request, init)
    const call: CachedCall = {
      partition: async () => partitionOf(asked),
      mode: init?.cache ?? request?.cache ?? 'default',
      rules: none,
      ttl: init?.ttl,
      tags: init?.tags,
      authorized: asked.headers.has('authorization'),
      forward: (forwarding) => fetch(input, forwardedInit(asked, init, forwarding)),
    }
    return cache.fetch(asked, call)
  }
  return Object.assign(cached, { cache, close: () => cache.close() })
}

const none: CachedCall['rules'] = []

/** So many URLs are remembered as the URL parser writes them. */
const mostUrls = 1_000
const urls = new Recent<string>(mostUrls)

function askedFor(
  input: string | URL | Request,
  request: Request | undefined,
  init: CachedFetchInit | undefined,
): Asked {
  const method = methodOf(init?.method ?? request?.method ?? 'GET')
  const url = request?.url ?? (input instanceof URL ? input.href : urlOf(input as string))
  const headers = init?.headers ? new Headers(init.headers) : (request?.headers ?? noHeaders)
  return { method, url, headers }
}

const noHeaders: Fields = { get: () => null, has: () => false }

function urlOf(input: string): string {
  const known = urls.get(input)
  if (known !== undefined) return known
  const { href } = new URL(input)
  urls.set(input, href)
  return href
}

/** As the Fetch standard normalises methods. */
function methodOf(method: string): string {
  const upper = method.toUpperCase()
  return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].includes(upper) ? upper : method
}

/** Without what is the cache's: Node's own `fetch` refuses some of its modes. */
function forwardedInit(
  { headers: own }: Asked,
  init: CachedFetchInit = {},
  { fields, detached }: Forwarding,
): RequestInit {
  const { cache: _mode, ttl: _ttl, tags: _tags, signal, ...rest } = init
  const sent: RequestInit = { ...rest }
  if (fields) sent.headers = forwardedHeaders(own instanceof Headers ? own : new Headers(), fields)
  // `null` lets go of a Request's own signal.
  if (detached) sent.signal = null
  else if (signal) sent.signal = signal
  return sent
}

function partitions(
  partition: CachedFetchOptions['partition'],
  secret: string | undefined,
): (asked: Asked) => Partition | undefined {
  const key = secret === undefined ? undefined : new KeyRing([secret]).derive('response cache')
  const known = new Recent<Partition>(1_000)
  const named = (name: string): Partition => {
    const found = known.get(name) ?? namedPartition(name, key)
    known.set(name, found)
    return found
  }
  const everybody = namedPartition(undefined, key)
  return (asked) => {
    const name = typeof partition === 'function' ? partition(asked) : partition
    if (name !== undefined) return named(name)
    const { headers } = asked
    return headers.has('authorization') || headers.has('cookie') ? undefined : everybody
  }
}
