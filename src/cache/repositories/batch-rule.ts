import type { ConfigError } from '../../errors.ts'
import { checkCount } from '../../stores/limits.ts'
import { type UrlPattern, urlPattern } from '../rules/url-pattern.ts'
import type { RepositoryKey } from './repository-key.ts'

/** An endpoint that gives several responses of a repository at once, such as `/v1/tracks?ids=a,b,c`. */
export interface BatchOptions {
  /** Which requests: a URLPattern pathname such as `/v1/tracks`, or a whole URL pattern. */
  match: string
  /** The parameter that lists the first key field's values, with commas between them. */
  param: string
  /** The property of the reply that holds the list; without it the reply is the list. */
  items?: string | undefined
  /** How many the API gives at once. */
  max: number
  /**
   * The property of an item that says which one it is. Without it the list must have an item, or
   * null, for each value, in the order in which they were asked for.
   */
  id?: string | undefined
}

/** A batch's rule made ready for use. */
export interface BatchRule extends BatchOptions {
  /** What a request asks for; `undefined` for one that is no batch, or that asks for more than that. */
  read(request: Request): BatchRequest | undefined
}

/** A request for several items. */
export interface BatchRequest {
  /** In the order in which they are asked for; one may come twice. */
  ids: readonly string[]
  keyOf(id: string): RepositoryKey
  /** The same request for some of the items only. */
  only(ids: readonly string[]): Request
}

/** Values in one request; one that asks for more goes to the API as it is. */
const mostIds = 1_000

/** Checks and compiles a batch's rule; throws what `complain` makes. */
export function compileBatch(
  options: BatchOptions,
  fields: readonly string[],
  complain: (what: string) => ConfigError,
): BatchRule {
  const pattern = urlPattern(options.match)
  if (!pattern) throw complain('batch.match is not a URL pattern; begin it with / or https://')
  checkCount('batch.max', options.max)
  return { ...options, read: (request) => read(pattern, options.param, fields, request) }
}

function read(
  pattern: UrlPattern,
  param: string,
  fields: readonly string[],
  request: Request,
): BatchRequest | undefined {
  if (request.method !== 'GET' || !pattern.test(request.url)) return undefined
  const url = new URL(request.url)
  const names = [...url.searchParams.keys()]
  const isPlain = names.every((name) => name === param || fields.indexOf(name) > 0)
  if (!isPlain || new Set(names).size !== names.length) return undefined
  const written = new Map(idsIn(url, param))
  const ids = url.searchParams.get(param)?.split(',') ?? []
  const isReadable = ids.length <= mostIds && ids.every((id) => id !== '' && written.has(id))
  if (ids.length === 0 || !isReadable) return undefined
  const [, ...others] = fields.map((field) => url.searchParams.get(field) ?? undefined)
  return {
    ids,
    keyOf: (id) => [id, ...others],
    only: (some) =>
      new Request(
        withIds(
          url,
          param,
          some.map((id) => written.get(id)!),
        ),
        request,
      ),
  }
}

/** Each value, and as it was written: what goes to the API is not encoded in another way. */
function idsIn(url: URL, param: string): Array<readonly [string, string]> {
  const pair = pairsIn(url).find((one) => nameOf(one) === param) ?? ''
  const written = pair.slice(pair.indexOf('=') + 1).split(/,|%2C/i)
  return written.map((one) => [new URLSearchParams(`id=${one}`).get('id') ?? '', one] as const)
}

function withIds(url: URL, param: string, written: readonly string[]): URL {
  const pairs = pairsIn(url).map((pair) =>
    nameOf(pair) === param ? pair.slice(0, pair.indexOf('=') + 1) + written.join(',') : pair,
  )
  const only = new URL(url)
  only.search = pairs.join('&')
  return only
}

function pairsIn({ search }: URL): string[] {
  return search.slice(1).split('&')
}

function nameOf(pair: string): string | undefined {
  return [...new URLSearchParams(pair).keys()][0]
}
