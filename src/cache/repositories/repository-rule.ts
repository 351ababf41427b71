import { ConfigError } from '../../errors.ts'
import { type UrlPattern, urlPattern } from '../rules/url-pattern.ts'
import { type BatchOptions, type BatchRule, compileBatch } from './batch-rule.ts'
import { json, type PayloadHandler } from './payload.ts'
import { type KeyInput, keyFrom, type RepositoryKey } from './repository-key.ts'

/** A named rule of the cache: responses that belong together and are found by a key. */
export interface RepositoryOptions<P = unknown> {
  /** Which requests: a URLPattern pathname such as `/v1/tracks/:id`, or a whole URL pattern. */
  match: string
  /** The fields of a key: groups of `match`, or parameters of the query; the first must be there. */
  key: readonly string[]
  /** Seconds; a reply's own freshness lifetime shortens it. */
  ttl: number
  /**
   * The key of a request that matches, `undefined` for one that is not to be cached. By default a
   * request with parameters beside the key's fields has none.
   */
  keyOf?: ((request: Request) => KeyInput | undefined) | undefined
  /** What a stored response is called where it is listed. */
  name?: ((payload: P) => string | undefined) | undefined
  /** What the bodies mean. Defaults to JSON. */
  payload?: PayloadHandler<P> | undefined
  /** An endpoint that gives several of them at once. */
  batch?: BatchOptions | undefined
}

/** A rule made ready for use. */
export interface RepositoryRule<P = unknown> {
  name: string
  fields: readonly string[]
  ttl: number
  payload: PayloadHandler<P>
  batch: BatchRule | undefined
  /** `undefined` for what is not to be cached here. */
  keyOf(request: Request): RepositoryKey | undefined
  nameOf(payload: P): string | undefined
}

/** Longer names are cut: they are for being looked at. */
const longestName = 200

/** Checks and compiles a rule; throws a `ConfigError` that names it. */
export function compileRepository<P>(
  name: string,
  options: RepositoryOptions<P>,
): RepositoryRule<P> {
  const complain = (what: string) => new ConfigError(`Repository '${name}': ${what}.`)
  const { key: fields, ttl, payload = json<P>() } = options
  const problem = problemOf(name, { ...options, payload })
  if (problem !== undefined) throw complain(problem)
  const pattern = urlPattern(options.match)
  if (!pattern) throw complain('match is not a URL pattern; begin it with / or https://')
  const usual = (request: Request) => usualKey(pattern, fields, request)
  const keyOf = options.keyOf ?? usual
  return {
    name,
    fields,
    ttl,
    payload,
    batch: options.batch && compileBatch(options.batch, fields, complain),
    keyOf(request) {
      if (!['GET', 'HEAD'].includes(request.method) || !pattern.test(request.url)) return undefined
      const key = keyOf(request)
      return key === undefined ? undefined : keyFrom(fields, key)
    },
    nameOf: (item) => options.name?.(item)?.slice(0, longestName),
  }
}

function problemOf(
  name: string,
  { key, ttl, payload, batch }: Pick<RepositoryOptions, 'key' | 'ttl' | 'payload' | 'batch'>,
): string | undefined {
  if (!/^[a-z][a-z0-9_-]{0,63}$/i.test(name)) return 'a name is of letters, digits, _ and -'
  if (!Number.isFinite(ttl) || ttl <= 0) return 'ttl must be a number of seconds above 0'
  if (key.length === 0 || new Set(key).size !== key.length) {
    return 'key must name at least one field, and none twice'
  }
  if (batch && !payload?.contentType.includes('json')) {
    return 'a batch is taken apart as JSON, and its payload is something else'
  }
  return undefined
}

/** A field's value is in the path, or in the query. */
function usualKey(
  pattern: UrlPattern,
  fields: readonly string[],
  request: Request,
): KeyInput | undefined {
  const groups = pattern.exec(request.url)?.pathname.groups ?? {}
  const { searchParams } = new URL(request.url)
  const names = [...searchParams.keys()]
  const ofQuery = fields.filter((field) => groups[field] === undefined)
  // What else is asked for, or asked for twice, may make it another answer.
  const isPlain = names.every((name) => ofQuery.includes(name))
  if (!isPlain || new Set(names).size !== names.length) return undefined
  const key = new Map(ofQuery.map((field) => [field, searchParams.get(field) ?? undefined]))
  for (const field of fields) if (!key.has(field)) key.set(field, decoded(groups[field]!) ?? '')
  const isWhole = key.get(fields[0]!) && fields.every((field) => key.get(field) !== '')
  return isWhole ? Object.fromEntries(key) : undefined
}

/** `undefined` for what is no percent-encoded UTF-8. */
function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part)
  } catch {
    return undefined
  }
}
