import { ConfigError } from '../../errors.ts'
import { type UrlPattern, urlPattern } from './url-pattern.ts'

/** How replies to some requests may be reused. */
export interface CacheRule {
  /**
   * Which requests: a URLPattern pathname such as `/v1/me/*` or `/v1/tracks/:id`, or a whole URL
   * pattern with an origin.
   */
  match: string
  /**
   * Seconds; 0 stores nothing. A reply's own freshness lifetime shortens it. Without it the reply's
   * headers decide, as RFC 9111 has it.
   */
  ttl?: number | undefined
  /** Seconds for replies that are errors, by status: `{ 404: 60 }`. Default: none is stored. */
  negative?: Readonly<Record<number, number>> | undefined
  /**
   * Lets users share a reply that itself permits it: one with `public`, `s-maxage` or
   * `must-revalidate` (RFC 9111 section 3.5). Default `false`.
   */
  shared?: boolean | undefined
  /**
   * `app`: fetched with the app's own token (client credentials), so that the reply is of nobody in
   * particular and everybody can use it. Default: with the user's.
   */
  as?: 'app' | undefined
  /**
   * With `as: 'app'`: parameters of the query that the user's token would have answered for, and the
   * field of the user's profile that has their value, such as `{ market: 'country' }`. While that is
   * not known, the call is made with the user's token.
   */
  fromProfile?: Readonly<Record<string, 'country'>> | undefined
  /** Names by which stored responses can be invalidated. */
  tags?: readonly string[] | undefined
  /** Seconds; see the option of the same name. */
  staleWhileRevalidate?: number | undefined
  /** Seconds; see the option of the same name. */
  staleIfError?: number | undefined
  /**
   * Makes it a rule about writes: what a request that matches takes away once it has succeeded, or
   * once nobody knows whether it has. Tags, or paths (with `/` at the beginning), in which `:name`
   * stands for that group of `match`; a path is that URL without a query. Other fields than `match`,
   * `method` and `soft` it has none.
   */
  invalidates?: readonly string[] | undefined
  /** With `invalidates`: for these methods. Default: for all but GET, HEAD, OPTIONS and TRACE. */
  method?: string | readonly string[] | undefined
  /** With `invalidates`: stored responses become stale, instead of going. Default `false`. */
  soft?: boolean | undefined
}

/** Rules, first match first; in short a record from pattern to seconds. */
export type CacheRules = readonly CacheRule[] | Readonly<Record<string, number>>

/** A rule made ready for matching. */
export interface CompiledRule extends CacheRule {
  readonly pattern: UrlPattern
}

/** Rules made ready for matching. */
export type CompiledRules = readonly CompiledRule[]

/** Checks and compiles rules; throws a `ConfigError` that names the one at fault. */
export function compileRules(rules: CacheRules | undefined): CompiledRules {
  return listOf(rules).map((rule) => {
    const seconds = ['ttl', 'staleWhileRevalidate', 'staleIfError'] as const
    for (const name of seconds) checkSeconds(rule.match, name, rule[name])
    for (const [status, ttl] of Object.entries(rule.negative ?? {})) {
      checkSeconds(rule.match, `negative.${status}`, ttl)
    }
    checkMutation(rule)
    return { ...rule, pattern: patternOf(rule.match) }
  })
}

/** Is there a rule that says how long replies may be reused? */
export function hasReading(rules: CompiledRules): boolean {
  return rules.some(({ invalidates }) => !invalidates)
}

/** The rule for a URL: the first that matches, of the first list that has one. */
export function ruleFor(url: string, ...lists: CompiledRules[]): CompiledRule | undefined {
  for (const list of lists) {
    const found = list.find(({ pattern, invalidates }) => !invalidates && pattern.test(url))
    if (found) return found
  }
  return undefined
}

function listOf(rules: CacheRules = []): readonly CacheRule[] {
  if (Array.isArray(rules)) return rules as readonly CacheRule[]
  return Object.entries(rules as Record<string, number>).map(([match, ttl]) => ({ match, ttl }))
}

function checkSeconds(match: string, name: string, seconds: number | undefined): void {
  if (seconds === undefined || (Number.isFinite(seconds) && seconds >= 0)) return
  throw new ConfigError(`Cache rule '${match}': ${name} must be a number of seconds, 0 or more.`)
}

/** What only one of the two kinds of rules has. */
function checkMutation({ match, invalidates, method, soft, ...others }: CacheRule): void {
  const complain = (what: string) => new ConfigError(`Cache rule '${match}': ${what}.`)
  if (!invalidates) {
    if (method === undefined && soft === undefined) return
    throw complain('method and soft need invalidates')
  }
  const other = Object.entries(others).find(([, value]) => value !== undefined)
  if (other) throw complain(`${other[0]} needs a rule of its own, without invalidates`)
  if (!Array.isArray(invalidates)) throw complain('invalidates must be a list of tags and paths')
}

function patternOf(match: string): UrlPattern {
  const pattern = urlPattern(match)
  if (pattern) return pattern
  throw new ConfigError(`Cache rule '${match}' is not a URL pattern; begin it with / or https://.`)
}
