import { Recent } from '../recent.ts'
import { type Forwarding, forwardedHeaders } from './upstream/forwarding.ts'
import { type Fields, noHeaders } from './http/received.ts'
import type { CacheMode } from './request.ts'
import type { Asked } from './stored/stored-responses.ts'

/** The options of `fetch`, and those of a call to the cache. */
export interface CachedFetchInit extends Omit<RequestInit, 'cache'> {
  cache?: CacheMode | undefined
  /** Seconds, before any rule: how long the reply may be reused, and how old a stored one may be. */
  ttl?: number | undefined
  /** Names by which the stored response can be made stale. */
  tags?: readonly string[] | undefined
}

/** What `fetch` was called with, as the cache sees it; no `Request` is made of it. */
export function readFetch(
  input: string | URL | Request,
  init: CachedFetchInit = {},
): { asked: Asked; mode: CacheMode; signal: AbortSignal | null | undefined } {
  if (input instanceof Request) {
    const { method = input.method, headers, cache = input.cache, signal = input.signal } = init
    const asked = askedFor(method, input.url, headers ? new Headers(headers) : input.headers)
    return { asked, mode: cache, signal }
  }
  const { method = 'GET', headers, cache = 'default', signal } = init
  const url = typeof input === 'string' ? hrefOf(input) : input.href
  const asked = askedFor(method, url, headers ? new Headers(headers) : noHeaders)
  return { asked, mode: cache, signal }
}

/** What to call `fetch` with, without what is the cache's: Node's own refuses some of its modes. */
export function forwardedInit(
  { headers: own }: Asked,
  init: CachedFetchInit = {},
  { fields, detached, signal: shared }: Forwarding,
): RequestInit {
  const { cache: _mode, ttl: _ttl, tags: _tags, signal, ...rest } = init
  const sent: RequestInit = { ...rest }
  if (fields) sent.headers = own instanceof Headers ? forwardedHeaders(own, fields) : { ...fields }
  // `null` lets go of a Request's own signal.
  if (detached || shared) sent.signal = shared ?? null
  else if (signal) sent.signal = signal
  return sent
}

/** As the Fetch standard normalises methods. */
const normalised = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'])

function askedFor(method: string, url: string, headers: Fields): Asked {
  const upper = method.toUpperCase()
  return { method: normalised.has(upper) ? upper : method, url, headers }
}

/** So many URLs are remembered as the URL parser writes them. */
const mostUrls = 1_000
const hrefs = new Recent<string>(mostUrls)

function hrefOf(input: string): string {
  return hrefs.getOrMake(input, () => new URL(input).href)
}
