import type { Spoiled } from './rules/mutations.ts'
import { mayStore, type UrlPolicy } from './rules/policy.ts'
import { bypassReason, type CacheMode } from './request.ts'
import type { Asked } from './stored/stored-responses.ts'

/** What becomes of a request. */
export interface Explanation {
  /** Whether a stored response may answer it, and its reply may be stored. */
  readonly cached: boolean
  /** What says how long: a rule, the app's default, or the reply's own headers. */
  readonly decidedBy: 'rule' | 'default' | 'headers'
  /** The `match` of the rule that is for it. */
  readonly rule: string | undefined
  /** Seconds; `undefined` where the headers say it. */
  readonly ttl: number | undefined
  /** What it takes away when it succeeds: URLs and tags, also those that become stale. */
  readonly invalidates: readonly string[]
  /** Where this stands, such as `RFC 9111 section 4.2`. */
  readonly section: string
}

/** Explains what the policy for a request means; `spoiled`: what it takes away as a write. */
export function explain(
  asked: Asked,
  mode: CacheMode,
  policy: UrlPolicy,
  spoiled: Spoiled | undefined,
): Explanation {
  const { rule, ttl } = policy
  const bypass = bypassReason(asked, mode)
  const decidedBy = ttl === undefined ? 'headers' : rule ? 'rule' : 'default'
  return {
    cached: bypass === undefined && mayStore(policy),
    decidedBy,
    rule: rule?.match,
    ttl,
    invalidates: spoiled
      ? [spoiled, spoiled.stale].flatMap(({ urls, tags }) => [...urls, ...tags])
      : [],
    section: sectionOf(asked, bypass !== undefined, decidedBy),
  }
}

function sectionOf(
  { method }: Asked,
  isBypassed: boolean,
  decidedBy: Explanation['decidedBy'],
): string {
  if (method !== 'GET' && method !== 'HEAD') return 'RFC 9111 section 4.4'
  if (isBypassed) return 'RFC 9111 section 5.2.1'
  // A cache may be told by its configuration; that overrides no prohibition.
  return decidedBy === 'headers' ? 'RFC 9111 section 4.2' : 'RFC 9111 section 4.2.2'
}
