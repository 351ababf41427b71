import { ConfigError } from '../errors.ts'
import { KeyRing } from '../key-ring.ts'
import { Recent } from '../recent.ts'
import { isInMemory } from '../stores/in-memory.ts'
import { memoryStore } from '../stores/memory.ts'
import type { CachePartition } from './cache-partition.ts'
import type { CachedCall } from './cached-call.ts'
import type { Forwarding } from './upstream/forwarding.ts'
import { type CachedFetchInit, forwardedInit, readFetch } from './fetch-arguments.ts'
import { namedPartition, type Partition } from './stored/partition.ts'
import { ResponseCache } from './response-cache.ts'
import type { ResponseCacheOptions } from './response-cache-options.ts'
import type { Asked } from './stored/stored-responses.ts'

/** Options of {@link cachedFetch}. */
export interface CachedFetchOptions extends Omit<ResponseCacheOptions, 'partition'> {
  /**
   * Whose replies: what one partition stored is found by no other. A name, or a function that gives
   * one for a request. Without one, what is stored is everybody's, and a request with `Authorization`
   * or `Cookie` is not stored.
   */
  partition?: string | ((request: Asked) => string | undefined) | undefined
  /** 32 bytes or more; seals what is stored outside memory (in a Keyv, too). Needed with `partition` there. */
  secret?: string | undefined
}

/** A `fetch` with a cache before it. */
export interface CachedFetch {
  (input: string | URL | Request, init?: CachedFetchInit): Promise<Response>
  /**
   * The parsed JSON of a reply, `undefined` for an empty one: what is stored is parsed without making
   * a `Response` of it. Throws an `UpstreamError` for a status that is not 2xx, an
   * `UnexpectedResponseError` for what is no JSON, and as the `fetch` it was made with.
   */
  json<T = unknown>(input: string | URL | Request, init?: CachedFetchInit): Promise<T>
  readonly cache: ResponseCache
  /** Names a partition for the cache's own operations; `undefined` is everybody's. */
  readonly partition: (name?: string) => CachePartition
  /** Waits for refreshes in the background; a store that was handed in stays open. */
  readonly close: () => Promise<void>
}

/**
 * Puts a response cache before any `fetch`: replies are reused as their headers allow (RFC 9111), or
 * as `rules` say. The store is by default in memory.
 *
 * Throws a `ConfigError` for options out of range, and for a `partition` without `secret` in a store
 * outside memory.
 */
export function cachedFetch(
  fetch: typeof globalThis.fetch,
  options: CachedFetchOptions = {},
): CachedFetch {
  const { partition, secret, store = memoryStore(), ...rest } = options
  if (partition !== undefined && secret === undefined && !isInMemory(store)) {
    throw new ConfigError('cachedFetch: partition needs a secret, which seals what is stored.')
  }
  const cache = new ResponseCache({ ...rest, store })
  const partitionOf = partitions(partition, secret)
  const callOf = (
    input: string | URL | Request,
    init: CachedFetchInit | undefined,
  ): [Asked, CachedCall] => {
    const { asked, mode, signal } = readFetch(input, init)
    signal?.throwIfAborted()
    const call: CachedCall = {
      partition: () => partitionOf.of(asked),
      mode,
      rules: none,
      ttl: init?.ttl,
      tags: init?.tags,
      signal: signal ? () => signal : undefined,
      authorized: asked.headers.has('authorization'),
      forward: (forwarding) =>
        fetch(inputFor(input, forwarding), forwardedInit(asked, init, forwarding)),
    }
    return [asked, call]
  }
  const cached = async (input: string | URL | Request, init?: CachedFetchInit) =>
    cache.fetch(...callOf(input, init))
  return Object.assign(cached, {
    json: async <T>(input: string | URL | Request, init?: CachedFetchInit) =>
      cache.json(...callOf(input, init)) as Promise<T>,
    cache,
    partition: (name?: string) => cache.partitionOf(partitionOf.named(name)),
    close: () => cache.close(),
  })
}

function inputFor(input: string | URL | Request, { url }: Forwarding): string | URL | Request {
  if (url === undefined) return input
  return input instanceof Request ? new Request(url, input) : url
}

const none: CachedCall['rules'] = []

function partitions(
  partition: CachedFetchOptions['partition'],
  secret: string | undefined,
): {
  of(asked: Asked): Partition | undefined
  named(name?: string): Partition
} {
  const key = secret === undefined ? undefined : new KeyRing([secret]).derive('response cache')
  const known = new Recent<Partition>(1_000)
  const everybody = namedPartition(undefined, key)
  const named = (name?: string): Partition =>
    name === undefined ? everybody : known.getOrMake(name, () => namedPartition(name, key))
  const of = (asked: Asked) => {
    const name = typeof partition === 'function' ? partition(asked) : partition
    if (name !== undefined) return named(name)
    const { headers } = asked
    return headers.has('authorization') || headers.has('cookie') ? undefined : everybody
  }
  return { of, named }
}
