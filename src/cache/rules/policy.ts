import type { CompiledRule } from './rules.ts'

/** What decides how long replies are reused: rules where there are any, HTTP itself, or rules alone. */
export type CachePolicy = 'auto' | 'http' | 'rules'

/** How replies to one URL are treated. `ttl` in seconds; `undefined` is RFC 9111. */
export interface UrlPolicy {
  readonly rule: CompiledRule | undefined
  readonly ttl: number | undefined
}

/** What the app and the call say. */
export interface PolicySettings {
  readonly policy: CachePolicy
  /** Somebody has made rules: the app, or the provider's preset. */
  readonly hasRules: boolean
  readonly defaultTtl: number | undefined
}

/** A rule decides for what it matches; for the rest, what the settings say. */
export function policyOf(
  rule: CompiledRule | undefined,
  { policy, hasRules, defaultTtl }: PolicySettings,
): UrlPolicy {
  if (policy === 'http') return { rule, ttl: undefined }
  if (rule) return { rule, ttl: rule.ttl }
  const byRules = policy === 'rules' || hasRules || defaultTtl !== undefined
  return { rule, ttl: byRules ? (defaultTtl ?? 0) : undefined }
}

/** Can anything be stored at all? */
export function mayStore({ rule, ttl }: UrlPolicy): boolean {
  return ttl !== 0 || Object.values(rule?.negative ?? {}).some((seconds) => seconds > 0)
}
