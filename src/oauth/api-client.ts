import type { CachePartition } from '../cache/cache-partition.ts'
import type { CacheMode } from '../cache/request.ts'
import { bodyText } from '../body-text.ts'
import { readBounded } from '../bounded-body.ts'
import { exchangeFailure } from './exchange-failure.ts'
import { RateLimitedError, UnexpectedResponseError, UpstreamError } from '../errors.ts'
import { isHeld } from '../held-bytes.ts'
import { nextPage } from './paging.ts'
import type { Provider } from './provider.ts'
import { resourceUrl } from './resource-url.ts'
import { retryAfter } from './retry-after.ts'
import { type StandardSchema, validate } from './standard-schema.ts'

/** Of a parsed reply, decoded: 10 MiB. */
const usualMaxBytes = 10 * 2 ** 20

/** Values for a query; `undefined` is left out, a list is repeated. */
export type Query = Readonly<
  Record<string, string | number | boolean | undefined | ReadonlyArray<string | number | boolean>>
>

/** What a call asks of the response cache. */
export interface CacheWish {
  readonly mode: CacheMode
  /** Seconds. */
  readonly ttl?: number | undefined
  readonly tags?: readonly string[] | undefined
}

/** The options of `fetch`; its cache modes control the response cache. */
export interface ApiRequestInit extends RequestInit {
  cache?: CacheMode
  /**
   * Seconds for which the response cache may reuse the reply, and how old a stored one may be; comes
   * before any rule. Without a cache it does nothing.
   */
  ttl?: number | undefined
  /** Names by which the response cache can make the stored reply stale. */
  tags?: readonly string[] | undefined
}

/** Options of one call, beside those of `fetch` itself. */
export interface CallOptions<T = unknown> extends Omit<ApiRequestInit, 'method' | 'body'> {
  query?: Query | undefined
  /** Sent as JSON, with its content type. */
  json?: unknown
  body?: RequestInit['body'] | undefined
  /** Checks the reply and gives it its type: any Standard Schema (zod, valibot, ArkType). */
  schema?: StandardSchema<T> | undefined
  /** How many bytes of a reply are read into memory, decoded. Default 10 MiB. */
  maxBytes?: number | undefined
}

/** Answers a request with the user's token, from the cache or from upstream. */
export type Send = (request: Request, wish: CacheWish) => Promise<Response>

/** How a client's calls are made, and where their replies are kept. */
export interface ApiAccess {
  readonly send: Send
  readonly partition: () => Promise<CachePartition>
}

/**
 * A provider's API on behalf of one user. `get`, `post`, `put`, `patch` and `delete` resolve to the
 * parsed JSON (`undefined` for an empty reply). They throw `UpstreamError` on any status but 2xx,
 * `RateLimitedError` on 429, `UpstreamUnavailableError` where there is no whole reply, and the
 * reason of the caller's own `signal` as it is.
 */
export class ApiClient {
  readonly #provider: Provider
  readonly #access: ApiAccess

  /** Made by `behalf()`; apps get theirs from `req.api.<provider>`. */
  constructor(provider: Provider, access: ApiAccess) {
    this.#provider = provider
    this.#access = access
  }

  /**
   * A standard `fetch` that adds the user's access token; hand it to an SDK. It resolves on every
   * status; GET and HEAD are sent again after a reply that the provider's `retry` names (429, 503),
   * while that costs 2 seconds or less. Paths are resolved against `apiBaseUrl`; a URL of an origin
   * that is not the provider's throws `OriginNotAllowedError`.
   */
  readonly fetch = async (
    input: string | URL | Request,
    init: ApiRequestInit = {},
  ): Promise<Response> => {
    const { cache, ttl, tags, ...rest } = init
    const mode = cache ?? (input instanceof Request ? input.cache : 'default')
    const url = resourceUrl(this.#provider, input instanceof Request ? input.url : String(input))
    // A given Request carries method, headers and body; its URL has been checked.
    const request = new Request(input instanceof Request ? input : url, rest)
    return this.#access.send(request, { mode, ttl, tags })
  }

  get<T = unknown>(path: string, options?: CallOptions<T>): Promise<T> {
    return this.#call('GET', path, options)
  }

  post<T = unknown>(path: string, options?: CallOptions<T>): Promise<T> {
    return this.#call('POST', path, options)
  }

  put<T = unknown>(path: string, options?: CallOptions<T>): Promise<T> {
    return this.#call('PUT', path, options)
  }

  patch<T = unknown>(path: string, options?: CallOptions<T>): Promise<T> {
    return this.#call('PATCH', path, options)
  }

  delete<T = unknown>(path: string, options?: CallOptions<T>): Promise<T> {
    return this.#call('DELETE', path, options)
  }

  /** The pages of a list, one after the other; where the next one stands is the provider's `paging`. */
  async *pages<T = unknown>(path: string, options?: CallOptions<T>): AsyncGenerator<T, void> {
    let next: string | undefined = path
    let query = options?.query
    while (next !== undefined) {
      const { page, body, response, url } = await this.#page('GET', next, { ...options, query })
      yield page
      next = nextPage(this.#provider, body, response, url)
      query = undefined
    }
  }

  /** The items of a paged list: of each page the list itself, or its field `items`. */
  async *items<T = unknown>(path: string, options?: CallOptions): AsyncGenerator<T, void> {
    for await (const page of this.pages(path, options)) {
      const items = Array.isArray(page) ? page : (page as { items?: unknown } | null)?.items
      if (!Array.isArray(items)) {
        throw new UnexpectedResponseError(this.#provider.name, 'a page has no list of items')
      }
      yield* items as T[]
    }
  }

  /**
   * What the response cache holds of this user's replies: names them to its `delete()`, `clear()` and
   * `list()`, and has the user's repositories. It is that of the grant there is now, so ask for it in
   * each request.
   *
   * Throws a `ConfigError` where there is no cache, and `LoginRequiredError`, `ReauthRequiredError` or
   * `StoreUnavailableError` as a call does.
   */
  cachePartition(): Promise<CachePartition> {
    return this.#access.partition()
  }

  async #call<T>(method: string, path: string, options: CallOptions<T> = {}): Promise<T> {
    return (await this.#page(method, path, options)).page
  }

  async #page<T>(
    method: string,
    path: string,
    options: CallOptions<T>,
  ): Promise<{ page: T; body: unknown; response: Response; url: URL }> {
    const url = this.#url(path, options.query)
    // Without the query: it can hold what a log should not.
    const what = `${this.#provider.name}: ${method} ${url.pathname}`
    const { response, text } = await this.#exchange(what, method, url, options)
    const body = this.#parsed(what, response, text)
    // What a schema leaves out, such as the address of the next page, is still in the body.
    const { schema } = options
    const page = schema ? await validate(this.#provider.name, schema, body) : (body as T)
    return { page, body, response, url }
  }

  #url(path: string, query: Query = {}): URL {
    const url = resourceUrl(this.#provider, path)
    for (const [name, value] of Object.entries(query)) {
      for (const one of [value].flat()) {
        if (one !== undefined) url.searchParams.append(name, String(one))
      }
    }
    return url
  }

  async #exchange(
    what: string,
    method: string,
    url: URL,
    options: CallOptions,
  ): Promise<{ response: Response; text: string }> {
    const { query: _in, json, schema: _of, maxBytes, body, headers: given, ...rest } = options
    const headers = new Headers(given)
    if (!headers.has('accept')) headers.set('accept', 'application/json')
    if (json !== undefined) headers.set('content-type', 'application/json')
    const content = json === undefined ? body : JSON.stringify(json)
    try {
      const init = { ...rest, method, headers, ...(content ? { body: content } : {}) }
      const response = await this.fetch(url, init)
      return { response, text: await this.#text(what, response, maxBytes) }
    } catch (error) {
      throw exchangeFailure(what, error, options.signal)
    }
  }

  /** An API that never ends, or a bomb of zeros, must not fill the memory. */
  async #text(what: string, response: Response, maxBytes = usualMaxBytes): Promise<string> {
    if (isHeld(response, maxBytes)) return response.text()
    if (response.body === null) return ''
    const read = await readBounded(response.body, maxBytes)
    if (read.complete) return bodyText({ body: read.bytes })
    await read.stream.cancel()
    throw new UnexpectedResponseError(
      this.#provider.name,
      `${what} was answered with more than ${maxBytes} bytes; set maxBytes, or use fetch() for a stream`,
    )
  }

  #parsed(what: string, response: Response, text: string): unknown {
    const { name } = this.#provider
    const body = parseJson(text)
    if (response.status === 429) {
      throw new RateLimitedError(name, what, retryAfter(response.headers), body ?? text)
    }
    if (!response.ok) throw new UpstreamError(name, what, response, body ?? text)
    if (text !== '' && body === undefined) {
      throw new UnexpectedResponseError(name, `${what} was not answered with JSON`)
    }
    return body
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
