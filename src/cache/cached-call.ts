import type { Register } from './upstream/background-work.ts'
import type { Forwarding } from './upstream/forwarding.ts'
import type { Wish } from './http/reuse.ts'
import type { ItemPlace } from './rules/repository-places.ts'
import type { Partition } from './stored/partition.ts'
import type { UrlPolicy } from './rules/policy.ts'
import { type CacheMode, requestDirectives } from './request.ts'
import type { CompiledRules } from './rules/rules.ts'
import type { Asked } from './stored/stored-responses.ts'

/** One call as the cache sees it. */
export interface CachedCall {
  /**
   * Whose reply it will be; `undefined` when nothing may be stored. Asked only where something could
   * be; throws where nobody is logged in.
   */
  partition: () => Promise<Partition | undefined> | Partition | undefined
  /** Where replies go that users may share. */
  shared?: Partition | undefined
  mode: CacheMode
  /** The provider's own rules. */
  rules: CompiledRules
  /** Seconds, before any rule: how long the reply may be reused, and how old a stored one may be. */
  ttl?: number | undefined
  /** Beside those of the rule. */
  tags?: readonly string[] | undefined
  /** It carries a user's credentials. */
  authorized: boolean
  /** The caller's own, which must live as long as the reply; asked for when the call goes upstream. */
  signal?: (() => AbortSignal) | undefined
  /** Sends the request upstream. */
  forward: (forwarding: Forwarding) => Promise<Response>
  /** Keeps the process alive for work that goes on after the answer. */
  background?: Register
}

/** A call, with what the cache has found out about it. */
export interface Exchange {
  readonly asked: Asked
  /** What is looked up: what is asked for, by its URL or by its key. */
  readonly at: Asked
  /** Where it is of a repository. */
  readonly place: ItemPlace | undefined
  readonly call: CachedCall
  readonly policy: UrlPolicy
  readonly wish: Wish
}

/** How the request wants to be answered. */
export function wishOf({ headers }: Asked, { mode, ttl }: CachedCall): Wish {
  return { mode, directives: requestDirectives(headers), ttl }
}
