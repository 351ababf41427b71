import type { Answer } from './answer.ts'
import { answerBatch } from './answered-batch.ts'
import { BackgroundWork } from './upstream/background-work.ts'
import { type CacheHappening, tell } from './cache-events.ts'
import type { CacheParts } from './cache-parts.ts'
import { noStats } from './cache-stats.ts'
import { type CachedCall, type Exchange, wishOf } from './cached-call.ts'
import { isPlain } from './upstream/collapsed-calls.ts'
import { decideReuse, freshFor, isGoodWhileWaiting } from './http/reuse.ts'
import type { Partition } from './stored/partition.ts'
import { passBy } from './passing-by.ts'
import { look, type Places } from './places.ts'
import { mayStore } from './rules/policy.ts'
import type { RepositoryPlaces } from './rules/repository-places.ts'
import { type Bypass, bypassReason, wantsStoredOnly } from './request.ts'
import type { ResponseCacheOptions } from './response-cache-options.ts'
import type { StoredResponse } from './stored/stored-response.ts'
import type { Asked } from './stored/stored-responses.ts'
import { endsWithin } from './upstream/time-limit.ts'
import type { UrlPolicies } from './rules/url-policies.ts'

/** What decides where replies are kept, and for how long. */
export interface Placing {
  readonly policies: UrlPolicies
  readonly repositories: RepositoryPlaces
}

/**
 * The flow of a cached call (RFC 9111 section 4): reuse what is stored and good enough, else ask
 * upstream and keep the reply. What is good enough is decided in http/reuse.ts, what is kept in
 * storing.ts; forwarder.ts asks, cache-intake.ts keeps.
 */
export class CallFlow {
  readonly stats = noStats()
  readonly background = new BackgroundWork()
  readonly #options: ResponseCacheOptions
  readonly #placing: Placing
  #parts: CacheParts | undefined

  constructor(options: ResponseCacheOptions, placing: Placing) {
    this.#options = options
    this.#placing = placing
  }

  /** `undefined` until there is a store; then calls go by. */
  get parts(): CacheParts | undefined {
    return this.#parts
  }

  /** From now on replies are kept. */
  begin(parts: CacheParts): void {
    this.#parts = parts
  }

  /** Answers from what is stored in the caller's partition, or forwards. */
  async answer(asked: Asked, call: CachedCall): Promise<Answer> {
    const { policies, repositories } = this.#placing
    const { at, place, policy } = policies.placed(asked, call)
    const exchange = { asked, at, place, call, policy, wish: wishOf(asked, call) }
    const isUsual = call.mode === 'default' && call.ttl === undefined && isPlain(exchange)
    const isBatch = isUsual && repositories.isBatch(asked)
    const isKept = isBatch || mayStore(policy)
    const bypass = bypassReason(asked, call.mode) ?? (isKept ? undefined : noRule)
    const parts = this.#parts
    if (bypass || !parts) return this.#passBy(exchange, bypass ?? { fwd: 'bypass' })
    const partition = await call.partition()
    if (!partition) return this.#passBy(exchange, { fwd: 'bypass', detail: 'no-partition' })

    if (isBatch) return this.#inTime(this.#answerBatch(parts, exchange, partition), call)
    const places = await look(parts.responses, exchange, partition)
    const stored = this.#reuse(parts, exchange, places)
    if (stored) return stored
    if (wantsStoredOnly(call.mode, exchange.wish.directives)) return notStored()
    return this.#ask(parts, exchange, places)
  }

  async #passBy(exchange: Exchange, bypass: Bypass): Promise<Answer> {
    this.stats.bypassed += 1
    const { policies } = this.#placing
    const told = (happening: CacheHappening) => tell(this.#options.onEvent, happening)
    return passBy(exchange, bypass, { responses: this.#parts?.responses, policies, tell: told })
  }

  async #answerBatch(
    { responses, intake }: CacheParts,
    exchange: Exchange,
    partition: Partition,
  ): Promise<Answer> {
    const { repositories: places } = this.#placing
    const { answer, kept } = await answerBatch(exchange, partition, { responses, intake, places })
    this.stats.stored += kept
    if (answer.status?.hit) this.stats.hits += 1
    else this.stats.misses += 1
    return answer
  }

  /** What is stored, if it will do. */
  #reuse({ forwarder }: CacheParts, exchange: Exchange, places: Places): Answer | undefined {
    const { wish, call } = exchange
    const { match, key } = places.found
    if (!match || wish.mode === 'reload') return undefined
    const now = Date.now()
    const reuse = decideReuse(match, wish, now)
    if (reuse === 'validate') return undefined
    if (reuse === 'use-and-refresh' || this.#isEarly(match, now)) {
      const refresh = async () =>
        this.#counted(await forwarder.exchange(exchange, places, { detached: true }))
      this.background.begin(key, refresh, call.background)
    }
    this.stats.hits += 1
    return { stored: match }
  }

  #isEarly(match: StoredResponse, now: number): boolean {
    const { earlyRefresh } = this.#options
    if (earlyRefresh === undefined) return false
    const whole = match.lifetime - match.initialAge
    return freshFor(match, now) < whole * (1 - earlyRefresh)
  }

  /** Asks upstream, and waits no longer than is worth it. */
  async #ask(parts: CacheParts, exchange: Exchange, places: Places): Promise<Answer> {
    this.stats.misses += 1
    const { softTimeout } = this.#options
    const asking = this.#exchange(parts, exchange, places)
    const stale = softTimeout === undefined ? undefined : staleMeanwhile(exchange, places)
    if (stale && !(await endsWithin(asking, softTimeout))) {
      this.background.goOn(asking, exchange.call.background)
      return stale
    }
    return this.#inTime(asking, exchange.call)
  }

  async #exchange(
    { forwarder, collapsed }: CacheParts,
    exchange: Exchange,
    places: Places,
  ): Promise<Answer> {
    const asking = collapsed?.ask(exchange, places) ?? forwarder.exchange(exchange, places, {})
    return this.#counted(await asking)
  }

  #counted(answer: Answer): Answer {
    const { status } = answer
    if (status?.hit !== undefined) return answer
    if (status?.collapsed) this.stats.collapsed += 1
    else if (status?.stored) this.stats.stored += 1
    return answer
  }

  async #inTime(asking: Promise<Answer>, { background }: CachedCall): Promise<Answer> {
    const { hardTimeout } = this.#options
    if (!(await endsWithin(asking, hardTimeout))) {
      this.background.goOn(asking, background)
      throw new DOMException(`No reply within ${hardTimeout} s`, 'TimeoutError')
    }
    return asking
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
