import type { CacheMode } from '../cache/request.ts'
import { readBounded } from '../bounded-body.ts'
import { UnexpectedResponseError, UpstreamError } from '../errors.ts'
import { nextPage } from './paging.ts'
import type { Provider } from './provider.ts'
import { resourceUrl } from './resource-url.ts'
import { type StandardSchema, validate } from './standard-schema.ts'

/** Of a parsed reply, decoded. */
const maxBodyBytes = 10_485_760

/** Values for a query; `undefined` is left out, a list is repeated. */
export type Query = Readonly<
  Record<string, string | number | boolean | undefined | ReadonlyArray<string | number | boolean>>
>

/** The options of `fetch`; its cache modes control the response cache. */
export interface ApiRequestInit extends RequestInit {
  cache?: CacheMode
}

/** Options of one call, beside those of `fetch` itself. */
export interface CallOptions<T = unknown> extends Omit<ApiRequestInit, 'method' | 'body'> {
  query?: Query | undefined
  /** Sent as JSON, with its content type. */
  json?: unknown
  body?: RequestInit['body'] | undefined
  /** Checks the reply and gives it its type: any Standard Schema (zod, valibot, ArkType). */
  schema?: StandardSchema<T> | undefined
}

/** Answers a request with the user's token, from the cache or from upstream. */
export type Send = (request: Request, mode: CacheMode) => Promise<Response>

/**
 * A provider's API on behalf of one user. `get`, `post`, `put`, `patch` and `delete` resolve to the
 * parsed JSON (`undefined` for an empty reply) and throw `UpstreamError` on any status but 2xx.
 */
export class ApiClient {
  readonly #provider: Provider
  readonly #send: Send

  /** Made by `behalf()`; apps get theirs from `req.api.<provider>`. */
  constructor(provider: Provider, send: Send) {
    this.#provider = provider
    this.#send = send
  }

  /**
   * A standard `fetch` that adds the user's access token; hand it to an SDK. It resolves on every
   * status. Paths are resolved against `apiBaseUrl`; a URL of an origin that is not the provider's
   * throws `OriginNotAllowedError`.
   */
  readonly fetch = async (
    input: string | URL | Request,
    init: ApiRequestInit = {},
  ): Promise<Response> => {
    const { cache = 'default', ...rest } = init
    const url = resourceUrl(this.#provider, input instanceof Request ? input.url : String(input))
    // A given Request carries method, headers and body; its URL has been checked.
    const request = new Request(input instanceof Request ? input : url, rest)
    return this.#send(request, cache)
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
      const call: CallOptions<T> = { ...options, query }
      const { response, url } = await this.#request('GET', next, call)
      const page = await this.#parsed<T>('GET', url, response, call)
      yield page
      next = nextPage(this.#provider.definition.paging ?? 'body', page, response, url)
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

  async #call<T>(method: string, path: string, options: CallOptions<T> = {}): Promise<T> {
    const { response, url } = await this.#request(method, path, options)
    return this.#parsed(method, url, response, options)
  }

  async #request<T>(
    method: string,
    path: string,
    options: CallOptions<T>,
  ): Promise<{ response: Response; url: URL }> {
    const { query, json, schema: _schema, body, headers: given, ...rest } = options
    const url = resourceUrl(this.#provider, path)
    for (const [name, value] of Object.entries(query ?? {})) {
      for (const one of [value].flat()) {
        if (one !== undefined) url.searchParams.append(name, String(one))
      }
    }
    const headers = new Headers(given)
    if (!headers.has('accept')) headers.set('accept', 'application/json')
    if (json !== undefined) headers.set('content-type', 'application/json')
    const content = json === undefined ? body : JSON.stringify(json)
    const init: ApiRequestInit = { ...rest, method, headers, ...(content ? { body: content } : {}) }
    return { response: await this.fetch(url, init), url }
  }

  /** An API that never ends, or a bomb of zeros, must not fill the memory. */
  async #text(method: string, url: URL, { body }: Response): Promise<string> {
    if (body === null) return ''
    const read = await readBounded(body, maxBodyBytes)
    if (read.complete) return Buffer.from(read.bytes).toString()
    await read.stream.cancel()
    const what = `${method} ${url.pathname} answered with more than ${maxBodyBytes} bytes`
    throw new UnexpectedResponseError(this.#provider.name, `${what}; use fetch() for a stream`)
  }

  async #parsed<T>(
    method: string,
    url: URL,
    response: Response,
    { schema }: CallOptions<T>,
  ): Promise<T> {
    const { name } = this.#provider
    const text = await this.#text(method, url, response)
    const body = parseJson(text)
    if (!response.ok) {
      // Without the query: it can hold what a log should not.
      throw new UpstreamError(`${name}: ${method} ${url.pathname}`, response, body ?? text)
    }
    if (text !== '' && body === undefined) {
      throw new UnexpectedResponseError(name, `${method} ${url.pathname} did not answer with JSON`)
    }
    return schema ? validate(name, schema, body) : (body as T)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
