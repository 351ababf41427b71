import { ConfigError } from '../errors.ts'
import type { Store } from '../stores/store.ts'
import type { MemoryTierOptions } from '../stores/memory-tier.ts'
import type { CacheEvent } from './cache-events.ts'
import type { CacheKind } from './http/received.ts'
import type { StaleAllowance } from './http/stale.ts'
import type { CachePolicy } from './rules/policy.ts'
import type { RepositoryOptions } from './repositories/repository-rule.ts'
import type { CacheRules } from './rules/rules.ts'

/** Options of `responseCache()`. All times are in seconds. */
export interface ResponseCacheOptions extends StaleAllowance {
  /** Where stored responses are kept. Default: the store of `behalf()`. */
  store?: Store | undefined
  /** First part of every key, `[a-z0-9_-]{1,32}`. Default `behalf`. */
  namespace?: string | undefined
  /**
   * What decides how long a reply may be reused: `http`, its own headers (RFC 9111); `rules`, the
   * rules; `auto`, the rules where the app or the provider has any, else its headers. Default `auto`.
   */
  policy?: CachePolicy | undefined
  /** How long replies may be reused, per endpoint; asked before the provider's own rules. */
  rules?: CacheRules | undefined
  /** Responses that are found by a key, by the name of their repository; asked before all rules. */
  repositories?: Readonly<Record<string, RepositoryOptions>> | undefined
  /** Seconds for what no rule matches. Default 0, where there are rules: not stored. */
  defaultTtl?: number | undefined
  /**
   * Which of RFC 9111's two kinds of cache it is. A `shared` one stores nothing that is `private`, and
   * replies to a user's call only where section 3.5 permits it. Default `private`.
   */
  mode?: CacheKind | undefined
  /**
   * What one user's replies are kept for: their `grant`, and nothing outlives it; or the `subject`,
   * for all of the user's devices with the same scope, and beyond a logout. Default `grant`.
   */
  partition?: 'grant' | 'subject' | undefined
  /** Seconds beyond freshness in which a stored response is served while it is refreshed. Default 0. */
  staleWhileRevalidate?: number | undefined
  /** Seconds beyond freshness in which it is served when the API cannot be reached or fails. Default 0. */
  staleIfError?: number | undefined
  /**
   * The part of its lifetime, from 0 to 1, after which a response that is asked for is refreshed in
   * the background. Default: only when it is stale.
   */
  earlyRefresh?: number | undefined
  /** The part of a lifetime, from 0 to 1, that chance may take off, so that not all end at once. Default 0. */
  jitter?: number | undefined
  /** Seconds after which something stale, where it is allowed, is served instead of waiting on. */
  softTimeout?: number | undefined
  /** Seconds after which a call is given up with a `TimeoutError`; what comes then is still stored. */
  hardTimeout?: number | undefined
  /**
   * Makes one upstream call of equal ones at the same time: those of this `process`, or of all
   * processes that share the `store`, for which nobody waits longer than 2 seconds; or none (`false`).
   * Default `process`.
   */
  collapse?: 'process' | 'store' | false | undefined
  /**
   * Keeps what was read from the `store` in this process, too: `maxBytes` of it (32 MiB), for `ttl`
   * seconds (60); for 5 where the store cannot tell what other processes have replaced. Default: no.
   */
  memory?: MemoryTierOptions | undefined
  /** Is told what happens in the cache; so is the `diagnostics_channel` named `behalf:<type>`. */
  onEvent?: ((event: CacheEvent) => void) | undefined
  /** Bytes; a longer body passes through and is not stored. Default 5 MiB. */
  maxEntryBytes?: number | undefined
}

const durations = [
  'defaultTtl',
  'staleWhileRevalidate',
  'staleIfError',
  'softTimeout',
  'hardTimeout',
  'maxEntryBytes',
] as const

const parts = ['earlyRefresh', 'jitter'] as const

const choices = {
  policy: ['auto', 'http', 'rules'],
  mode: ['private', 'shared'],
  partition: ['grant', 'subject'],
  collapse: ['process', 'store', false],
} as const

/** Throws a `ConfigError` for what is out of range, and gives the options back. */
export function checkOptions(options: ResponseCacheOptions): ResponseCacheOptions {
  const check = <Name extends keyof ResponseCacheOptions>(
    names: readonly Name[],
    isGood: (value: unknown, name: Name) => boolean,
    what: (name: Name) => string,
  ) => {
    const wrong = names.find((name) => options[name] !== undefined && !isGood(options[name], name))
    if (wrong) throw new ConfigError(`responseCache: ${wrong} must be ${what(wrong)}.`)
  }
  const isNumber = (value: unknown) => Number.isFinite(value) && Number(value) >= 0
  check(durations, isNumber, () => 'a number, 0 or more')
  check(
    parts,
    (value) => isNumber(value) && Number(value) <= 1,
    () => '0 to 1',
  )
  check(
    Object.keys(choices) as Array<keyof typeof choices>,
    (value, name) => (choices[name] as readonly unknown[]).includes(value),
    (name) => `one of ${choices[name].join(', ')}`,
  )
  return options
}
