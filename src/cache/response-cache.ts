import { memoryTier } from '../stores/memory-tier.ts'
import { chunked } from '../stores/chunked.ts'
import { guarded } from '../stores/guarded.ts'
import { checkNamespace, checkStore } from '../stores/limits.ts'
import type { Store } from '../stores/store.ts'
import { type Answer, toResponse } from './answer.ts'
import { BackgroundWork } from './background-work.ts'
import { CacheIntake, mostHeaderBytes } from './cache-intake.ts'
import { type CacheEntry, cacheEntry } from './cache-entry.ts'
import { type CacheHappening, isHeard, tell, withoutValues } from './cache-events.ts'
import { type CacheSelection, checkSelection, deleteSelected } from './cache-selection.ts'
import { type CachedCall, type Exchange, wishOf } from './cached-call.ts'
import { type Collapse, CollapsedCalls, isPlain } from './collapsed-calls.ts'
import { type Explanation, explain } from './explanation.ts'
import { FillLeases } from './fill-leases.ts'
import { Forwarder } from './forwarder.ts'
import { isUnsafe, mayHaveChanged, withoutFragment } from './http/invalidation.ts'
import { decideReuse, freshFor, isGoodWhileWaiting } from './http/reuse.ts'
import type { Partition } from './partition.ts'
import { look, type Places } from './places.ts'
import { mayStore } from './policy.ts'
import { type Bypass, bypassReason, wantsStoredOnly } from './request.ts'
import { checkOptions, type ResponseCacheOptions } from './response-cache-options.ts'
import type { CompiledRule, CompiledRules } from './rules.ts'
import type { StoredResponse } from './stored-response.ts'
import { spoil } from './spoiling.ts'
import { mostVariants } from './stored-entry.ts'
import { type Asked, StoredResponses, type Where } from './stored-responses.ts'
import { everything } from './tags.ts'
import { ConfigError } from '../errors.ts'
import { Repositories } from './repositories/repositories.ts'
import { RepositoryPlaces, requestOf } from './repository-places.ts'
import { ResponseShelf, type ShelfParts } from './response-shelf.ts'
import { endsWithin } from './time-limit.ts'
import { UrlPolicies } from './url-policies.ts'
import { noHeaders } from './http/received.ts'

/** What a cache has done in this process. */
export interface CacheStats {
  /** Answered from what is stored, without asking upstream first. */
  hits: number
  /** Forwarded, because nothing good enough was stored. */
  misses: number
  /** Forwarded without looking. */
  bypassed: number
  stored: number
  /** Of the misses, those that another call at the same time has answered. */
  collapsed: number
}

/** Seconds by which the store may delay a call. */
const deadline = { read: 0.15, write: 0.5 }

/** Seconds for which another process is taken to be busy with a call that has no limit of its own. */
const longest = 60

/** What stored responses take beside their bodies, at most. */
const headBytes = mostVariants * 2 * mostHeaderBytes

/** What there is once the cache has a store. */
interface Running {
  readonly responses: StoredResponses
  readonly forwarder: Forwarder
  readonly intake: CacheIntake
  /** `undefined`: each call is made. */
  readonly collapsed: CollapsedCalls | undefined
}

/**
 * The flow of a cached call (RFC 9111 section 4): reuse what is stored and good enough, else ask
 * upstream and keep the reply. What is good enough is decided in http/reuse.ts, what is kept in
 * policy.ts; forwarder.ts asks, cache-intake.ts keeps.
 */
export class ResponseCache {
  readonly #options: ResponseCacheOptions
  readonly #repositories: RepositoryPlaces
  readonly #policies: UrlPolicies
  readonly #stats: CacheStats = { hits: 0, misses: 0, bypassed: 0, stored: 0, collapsed: 0 }
  readonly #background = new BackgroundWork()
  readonly #providerRules = new Map<string, CompiledRules>()
  #running: Running | undefined

  /** Throws a `ConfigError` for a rule that cannot be read, and for options out of range. */
  constructor(options: ResponseCacheOptions) {
    this.#options = checkOptions(options)
    this.#repositories = new RepositoryPlaces(options.repositories)
    this.#policies = new UrlPolicies(options, this.#repositories)
    if (options.store) this.attach(options.store)
  }

  /** What it was made with. */
  get options(): ResponseCacheOptions {
    return this.#options
  }

  /** Gives the cache a store, unless it has its own, and the providers' rules. */
  attach(store: Store, providerRules: ReadonlyMap<string, CompiledRules> = new Map()): void {
    for (const [name, rules] of providerRules) this.#providerRules.set(name, rules)
    if (this.#running) return
    const { namespace = 'behalf', maxEntryBytes = 5_242_880, mode = 'private' } = this.#options
    const { staleWhileRevalidate, staleIfError, jitter = 0 } = this.#options
    checkNamespace('responseCache: namespace', namespace)
    const limited = guarded(checkStore('responseCache', store), { name: 'cache', deadline })
    const roomy = chunked(limited, { maxBytes: maxEntryBytes + headBytes })
    const { memory } = this.#options
    const near = memory ? memoryTier(roomy, memory) : roomy
    const responses = new StoredResponses(near, namespace, maxEntryBytes)
    // What another process has just stored is not in this one's memory.
    const shared = memory ? new StoredResponses(roomy, namespace, maxEntryBytes) : responses
    const allowance = { staleWhileRevalidate, staleIfError }
    const intake = new CacheIntake(responses, { kind: mode, jitter, maxEntryBytes, ...allowance })
    const forwarder = new Forwarder(intake)
    // With a guard of its own: who fills does not wait for those who look.
    const forLeases = guarded(checkStore('responseCache', store), { name: 'cache', deadline })
    const collapsed = this.#collapsed({ forwarder, responses: shared }, forLeases)
    this.#running = { responses, forwarder, intake, collapsed }
  }

  #collapsed(collapse: Collapse, store: Store): CollapsedCalls | undefined {
    const { collapse: over = 'process', namespace = 'behalf', hardTimeout } = this.#options
    if (over === false) return undefined
    const isAlone = over === 'process' || store.reach === 'process'
    const leases = isAlone ? undefined : new FillLeases(store, namespace, hardTimeout ?? longest)
    return new CollapsedCalls({ ...collapse, leases })
  }

  /** What one user's replies are kept for. */
  get partition(): 'grant' | 'subject' {
    return this.#options.partition ?? 'grant'
  }

  stats(): CacheStats {
    return { ...this.#stats }
  }

  /** Waits for what goes on in the background; the store stays open. */
  async close(): Promise<void> {
    await this.#background.settled()
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
    if (this.#running) await deleteSelected(this.#running.responses, selection, this.#placesOf)
    this.#tell({ type: 'cache_invalidate', urls, tags, soft })
  }

  /** Takes away everything, or all of one partition, and what is being fetched of it. */
  async clear({ partition }: { partition?: Partition | undefined } = {}): Promise<void> {
    const responses = this.#running?.responses
    await responses?.invalidate([everything(partition?.id)])
    if (responses) this.#background.goOn(responses.sweep(partition), undefined)
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
    for await (const { response } of this.#running?.responses.list(partition) ?? []) {
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
   * The repositories of one partition, such as `cachedFetch()` gives by name. Throws a `ConfigError`
   * before the cache has a store.
   */
  repositories(partition: Partition): Repositories {
    if (!this.#running) throw new ConfigError('The cache has no store yet: mount behalf() first.')
    const shelf = new ResponseShelf(this.#shelfParts(this.#running), partition)
    return new Repositories(this.#repositories.rules, shelf)
  }

  /** Answers from what is stored in the caller's partition, or forwards. */
  async fetch(asked: Asked, call: CachedCall): Promise<Response> {
    const answer = await this.answer(asked, call)
    const response = toResponse(answer, asked)
    this.#tellOf(answer, asked.url, response)
    return response
  }

  /** As {@link ResponseCache.fetch}, before a `Response` is made of it. */
  async answer(asked: Asked, call: CachedCall): Promise<Answer> {
    const placed = this.#policies.placed(asked, call)
    const exchange = { asked, call, ...placed, wish: wishOf(asked, call) }
    const isUsual = call.mode === 'default' && call.ttl === undefined && isPlain(exchange)
    const isBatch = isUsual && this.#repositories.isBatch(asked)
    const isKept = isBatch || mayStore(placed.policy)
    const bypass = bypassReason(asked, call.mode) ?? (isKept ? undefined : noRule)
    if (bypass || !this.#running) return this.#passBy(exchange, bypass ?? { fwd: 'bypass' })
    const partition = await call.partition()
    if (!partition) return this.#passBy(exchange, { fwd: 'bypass', detail: 'no-partition' })

    if (isBatch) {
      return this.#inTime(this.#answerBatch(this.#running, exchange, partition), call)
    }
    const { responses } = this.#running
    const places = await look(responses, exchange, partition)
    const stored = this.#reuse(this.#running, exchange, places)
    if (stored) return stored
    if (wantsStoredOnly(call.mode, exchange.wish.directives)) return notStored()
    return this.#ask(this.#running, exchange, places)
  }

  /** Asks for what is missing only. */
  async #answerBatch(running: Running, exchange: Exchange, partition: Partition): Promise<Answer> {
    const { asked, call } = exchange
    const shelf = new ResponseShelf(this.#shelfParts(running), partition, asked.headers)
    const forward = ({ url }: Request) =>
      call.forward(url === withoutFragment(asked.url) ? {} : { url })
    const answer = await new Repositories(this.#repositories.rules, shelf).answerBatch(
      requestOf(asked),
      forward,
    )
    const { reply: response, stored, fetched } = answer!
    const detail = `items-${stored}-stored-${fetched}-fetched`
    this.#stats.stored += shelf.kept
    if (fetched === 0) {
      this.#stats.hits += 1
      return { response, status: { hit: true, detail } }
    }
    this.#stats.misses += 1
    const status = {
      fwd: 'uri-miss',
      fwdStatus: response.status,
      stored: shelf.kept > 0,
      detail,
    } as const
    return { response, status }
  }

  #shelfParts({ responses, intake }: Running): ShelfParts {
    return { responses, intake, places: this.#repositories }
  }

  readonly #placesOf = (url: string): readonly Where[] => this.#policies.placesOf(url)

  /** What is stored, if it will do. */
  #reuse({ forwarder }: Running, exchange: Exchange, places: Places): Answer | undefined {
    const { wish, call } = exchange
    const { match, key } = places.found
    if (!match || wish.mode === 'reload') return undefined
    const now = Date.now()
    const reuse = decideReuse(match, wish, now)
    if (reuse === 'validate') return undefined
    if (reuse === 'use-and-refresh' || this.#isEarly(match, now)) {
      const refresh = async () =>
        this.#counted(await forwarder.exchange(exchange, places, { detached: true }))
      this.#background.begin(key, refresh, call.background)
    }
    this.#stats.hits += 1
    return { stored: match }
  }

  /** Asks upstream, and waits no longer than is worth it. */
  async #ask(running: Running, exchange: Exchange, places: Places): Promise<Answer> {
    this.#stats.misses += 1
    const { softTimeout } = this.#options
    const asking = this.#exchange(running, exchange, places)
    const stale = softTimeout === undefined ? undefined : staleMeanwhile(exchange, places)
    if (stale && !(await endsWithin(asking, softTimeout))) {
      this.#background.goOn(asking, exchange.call.background)
      return stale
    }
    return this.#inTime(asking, exchange.call)
  }

  async #inTime(asking: Promise<Answer>, { background }: CachedCall): Promise<Answer> {
    const { hardTimeout } = this.#options
    if (!(await endsWithin(asking, hardTimeout))) {
      this.#background.goOn(asking, background)
      throw new DOMException(`No reply within ${hardTimeout} s`, 'TimeoutError')
    }
    return asking
  }

  async #exchange(
    { forwarder, collapsed }: Running,
    exchange: Exchange,
    places: Places,
  ): Promise<Answer> {
    const asking = collapsed?.ask(exchange, places) ?? forwarder.exchange(exchange, places, {})
    return this.#counted(await asking)
  }

  #counted(answer: Answer): Answer {
    const { status } = answer
    if (status?.hit !== undefined) return answer
    if (status?.collapsed) this.#stats.collapsed += 1
    else if (status?.stored) this.#stats.stored += 1
    return answer
  }

  async #passBy(exchange: Exchange, bypass: Bypass): Promise<Answer> {
    this.#stats.bypassed += 1
    const { call, asked } = exchange
    const spoils = isUnsafe(asked.method) && this.#running !== undefined
    const response = await call.forward({}).catch(async (error: unknown) => {
      // It may have been carried out all the same.
      if (spoils) await this.#spoil(exchange, undefined)
      throw error
    })
    if (spoils && mayHaveChanged(response)) await this.#spoil(exchange, response)
    return { response, status: { ...bypass, fwdStatus: response.status, stored: false } }
  }

  async #spoil({ asked, call }: Exchange, reply: Response | undefined): Promise<void> {
    const spoiled = this.#policies.spoiledBy(asked, reply, call)
    if (!this.#running) return
    await spoil(this.#running.responses, call, spoiled, this.#placesOf)
    for (const [soft, { urls, tags }] of [
      [false, spoiled],
      [true, spoiled.stale],
    ] as const) {
      const isAny = urls.length + tags.length > 0
      const told = { urls: urls.map(withoutValues), tags, soft }
      if (isAny) this.#tell({ type: 'cache_invalidate', ...told })
    }
  }

  #tellOf(answer: Answer, url: string, response: Response): void {
    const isHit = answer.status ? answer.status.hit === true : 'stored' in answer
    if (!isHeard(this.#options.onEvent, isHit ? 'cache_hit' : 'cache_miss')) return
    const cacheStatus = response.headers.get('cache-status') ?? ''
    if (!isHit) return this.#tell({ type: 'cache_miss', url: withoutValues(url), cacheStatus })
    const stale = 'stored' in answer && freshFor(answer.stored, Date.now()) < 0
    this.#tell({ type: 'cache_hit', url: withoutValues(url), stale })
  }

  #tell(happening: CacheHappening): void {
    tell(this.#options.onEvent, happening)
  }

  #isEarly(match: StoredResponse, now: number): boolean {
    const { earlyRefresh } = this.#options
    if (earlyRefresh === undefined) return false
    const whole = match.lifetime - match.initialAge
    return freshFor(match, now) < whole * (1 - earlyRefresh)
  }
}

const noRule: Bypass = { fwd: 'bypass', detail: 'no-rule' }

/** RFC 9111 section 5.2.1.7. */
function notStored(): Answer {
  const response = new Response(null, { status: 504 })
  return { response, status: { hit: false, detail: 'only-if-cached' } }
}

function staleMeanwhile({ wish }: Exchange, { found: { match } }: Places): Answer | undefined {
  if (!match || !isGoodWhileWaiting(match, wish, Date.now())) return undefined
  return { stored: match, status: { fwd: 'stale', stored: false, detail: 'soft-timeout' } }
}
