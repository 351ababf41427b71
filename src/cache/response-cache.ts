import type { Store } from '../stores/store.ts'
import { ConfigError } from '../errors.ts'
import { toResponse } from './answer.ts'
import { jsonOf } from './answer-json.ts'
import { type CacheEntry, cacheEntry } from './cache-entry.ts'
import { type CacheHappening, tell } from './cache-events.ts'
import { CachePartition } from './cache-partition.ts'
import { cacheParts, type CacheParts } from './cache-parts.ts'
import { type CacheSelection, checkSelection, deleteSelected } from './cache-selection.ts'
import type { CacheStats } from './cache-stats.ts'
import type { CachedCall } from './cached-call.ts'
import { CallFlow } from './call-flow.ts'
import { type Explanation, explain } from './explanation.ts'
import { isUnsafe } from './http/invalidation.ts'
import { noHeaders } from './http/received.ts'
import type { Partition } from './stored/partition.ts'
import { Repositories } from './repositories/repositories.ts'
import { RepositoryPlaces } from './rules/repository-places.ts'
import { checkOptions, type ResponseCacheOptions } from './response-cache-options.ts'
import { ResponseShelf } from './response-shelf.ts'
import type { CompiledRule, CompiledRules } from './rules/rules.ts'
import type { Asked } from './stored/stored-responses.ts'
import { everything } from './stored/tag.ts'
import { tellOf } from './told-answer.ts'
import { UrlPolicies } from './rules/url-policies.ts'

/** A response cache: answers calls, and lets what is stored be looked at and taken away. */
export class ResponseCache {
  readonly #options: ResponseCacheOptions
  readonly #repositories: RepositoryPlaces
  readonly #policies: UrlPolicies
  readonly #flow: CallFlow
  readonly #providerRules = new Map<string, CompiledRules>()

  /** Throws a `ConfigError` for a rule that cannot be read, and for options out of range. */
  constructor(options: ResponseCacheOptions) {
    this.#options = checkOptions(options)
    const repositories = new RepositoryPlaces(options.repositories)
    const policies = new UrlPolicies(options, repositories)
    this.#repositories = repositories
    this.#policies = policies
    this.#flow = new CallFlow(options, { policies, repositories })
    if (options.store) this.attach(options.store)
  }

  /** What it was made with. */
  get options(): ResponseCacheOptions {
    return this.#options
  }

  /** Gives the cache a store, unless it has its own, and the providers' rules. */
  attach(store: Store, providerRules: ReadonlyMap<string, CompiledRules> = new Map()): void {
    for (const [name, rules] of providerRules) this.#providerRules.set(name, rules)
    if (!this.#flow.parts) this.#flow.begin(cacheParts(store, this.#options))
  }

  /** What one user's replies are kept for. */
  get partition(): 'grant' | 'subject' {
    return this.#options.partition ?? 'grant'
  }

  stats(): CacheStats {
    return { ...this.#flow.stats }
  }

  /** Waits for what goes on in the background; the store stays open. */
  async close(): Promise<void> {
    await this.#flow.background.settled()
  }

  /** As {@link ResponseCache.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Takes away what all the given criteria apply to, over all processes, and what is being fetched of
   * it. Rejects with a `StoreUnavailableError` as the store does; throws a `ConfigError` where no
   * criterion is given, or `url` without `partition`, and an `UnsupportedOperationError` for `olderThan`
   * and `expired` in a store that cannot list.
   */
  async delete(selection: CacheSelection): Promise<void> {
    const { urls, tags, soft } = checkSelection(selection)
    const placesOf = (at: string) => this.#policies.placesOf(at)
    if (this.#responses) await deleteSelected(this.#responses, selection, placesOf)
    this.#tell({ type: 'cache_invalidate', urls, tags, soft })
  }

  /** Takes away everything, or all of one partition, and what is being fetched of it. */
  async clear({ partition }: { partition?: Partition | undefined } = {}): Promise<void> {
    const responses = this.#responses
    await responses?.invalidate([everything(partition?.id)])
    if (responses) this.#flow.background.goOn(responses.sweep(partition), undefined)
    this.#tell({ type: 'cache_clear' })
  }

  /**
   * What is stored and may be served, without bodies: what this process can read. Outside memory users'
   * replies are sealed with a key of their grant, and are listed for their `partition` only. Throws an
   * `UnsupportedOperationError` for a store that cannot list.
   */
  async *list({ partition }: { partition?: Partition | undefined } = {}): AsyncGenerator<
    CacheEntry,
    void
  > {
    for await (const { response } of this.#responses?.list(partition) ?? []) {
      yield cacheEntry(response)
    }
  }

  /**
   * Says what becomes of a request: which rule is for it, for how long its reply may be reused, and
   * which section of the RFCs says so. `provider`: whose rules count beside the app's.
   */
  explain(request: Request | URL | string, provider?: string): Explanation {
    const asked = request instanceof Request ? request : new Request(request)
    const rules = (provider !== undefined && this.#providerRules.get(provider)) || []
    const mode = request instanceof Request ? request.cache : 'default'
    const spoiled = isUnsafe(asked.method)
      ? this.#policies.spoiledBy(asked, undefined, { rules, ttl: undefined })
      : undefined
    return explain(asked, mode, this.#policies.placed(asked, { rules }).policy, spoiled)
  }

  /** The rule for a URL: the app's, else the provider's. */
  ruleFor(url: string, rules: CompiledRules): CompiledRule | undefined {
    const asked = { method: 'GET', url, headers: noHeaders }
    // What is kept by key is of who asks, one by one or together.
    if (this.#repositories.isBatch(asked)) return undefined
    return this.#policies.placed(asked, { rules }).policy.rule
  }

  /**
   * A partition with the repositories in it. Throws a `ConfigError` before the cache has a store.
   */
  partitionOf(partition: Partition): CachePartition {
    const { parts } = this.#flow
    if (!parts) throw new ConfigError('The cache has no store yet: mount behalf() first.')
    const { responses, intake } = parts
    const shelf = new ResponseShelf({ responses, intake, places: this.#repositories }, partition)
    return new CachePartition(partition, new Repositories(this.#repositories.rules, shelf))
  }

  /** Answers from what is stored in the caller's partition, or forwards. */
  async fetch(asked: Asked, call: CachedCall): Promise<Response> {
    const answer = await this.#flow.answer(asked, call)
    tellOf(answer, asked, this.#options.onEvent)
    return toResponse(answer, asked)
  }

  /** As {@link ResponseCache.fetch}, and parses it: rejects as `cachedFetch(...).json` does. */
  async json(asked: Asked, call: CachedCall): Promise<unknown> {
    const answer = await this.#flow.answer(asked, call)
    tellOf(answer, asked, this.#options.onEvent)
    return jsonOf(answer, asked)
  }

  get #responses(): CacheParts['responses'] | undefined {
    return this.#flow.parts?.responses
  }

  #tell(happening: CacheHappening): void {
    tell(this.#options.onEvent, happening)
  }
}
