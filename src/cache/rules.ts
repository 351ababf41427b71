import { ConfigError } from '../errors.ts'
import { urlPattern } from './url-pattern.ts'

/** How long replies to some requests may be reused. */
export interface CacheRule {
  /**
   * Which requests: a URLPattern pathname such as `/v1/me/*` or `/v1/tracks/:id`, or a whole URL
   * pattern with an origin.
   */
  match: string
  /** Seconds; 0 stores nothing. A reply's own freshness lifetime shortens it. */
  ttl: number
}

/** Rules, first match first; in short a record from pattern to seconds. */
export type CacheRules = readonly CacheRule[] | Readonly<Record<string, number>>

/** Rules made ready for matching. */
export type CompiledRules = ReadonlyArray<{ pattern: { test(url: string): boolean }; ttl: number }>

/** Checks and compiles rules; throws a `ConfigError` that names the one at fault. */
export function compileRules(rules: CacheRules | undefined): CompiledRules {
  return listOf(rules).map(({ match, ttl }) => {
    if (!Number.isFinite(ttl) || ttl < 0) {
      throw new ConfigError(`Cache rule '${match}': ttl must be a number of seconds, 0 or more.`)
    }
    return { pattern: patternOf(match), ttl }
  })
}

/** The rule for a URL: the first that matches, of the first list that has one. */
export function ruleFor(url: string, ...lists: CompiledRules[]): { ttl: number } | undefined {
  return lists.flat().find(({ pattern }) => pattern.test(url))
}

function listOf(rules: CacheRules = []): readonly CacheRule[] {
  if (Array.isArray(rules)) return rules as readonly CacheRule[]
  return Object.entries(rules as Record<string, number>).map(([match, ttl]) => ({ match, ttl }))
}

function patternOf(match: string): { test(url: string): boolean } {
  const pattern = urlPattern(match)
  if (pattern) return pattern
  throw new ConfigError(`Cache rule '${match}' is not a URL pattern; begin it with / or https://.`)
}
