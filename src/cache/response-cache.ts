import { readBounded } from '../bounded-body.ts'
import { chunked } from '../stores/chunked.ts'
import { guarded } from '../stores/guarded.ts'
import { checkNamespace, checkStore } from '../stores/limits.ts'
import type { Store } from '../stores/store.ts'
import { type Forwarded, rebuild, withCacheStatus } from './cache-status.ts'
import type { Partition } from './partition.ts'
import { bypassReason, type CacheMode } from './request.ts'
import { type CacheRules, type CompiledRules, compileRules, ruleFor } from './rules.ts'
import { fromStored, toStored } from './reply.ts'
import type { StoredResponse } from './stored-response.ts'
import { StoredResponses } from './stored-responses.ts'
import { decideStoring } from './storing.ts'
import { matchesVariant } from './vary.ts'

/** Options of `responseCache()`. */
export interface ResponseCacheOptions {
  /** Where stored responses are kept. Default: the store of `behalf()`. */
  store?: Store | undefined
  /** First part of every key, `[a-z0-9_-]{1,32}`. Default `behalf`. */
  namespace?: string | undefined
  /** How long replies may be reused, per endpoint; asked before the provider's own rules. */
  rules?: CacheRules | undefined
  /** Seconds for what no rule matches. Default 0: not stored. */
  defaultTtl?: number | undefined
  /** Bytes; a longer body passes through and is not stored. Default 5 MiB. */
  maxEntryBytes?: number | undefined
}

/** One call as the cache sees it. */
export interface CachedCall {
  /** Whose reply it will be. Asked only where something may be stored; throws where nobody is logged in. */
  partition: () => Promise<Partition>
  mode: CacheMode
  /** The provider's own rules. */
  rules: CompiledRules
  forward: (request: Request) => Promise<Response>
}

/** What a cache has done in this process. */
export interface CacheStats {
  hits: number
  /** Forwarded, because nothing fresh was stored. */
  misses: number
  /** Forwarded without looking. */
  bypassed: number
  stored: number
}

/** Seconds by which the store may delay a call. */
const deadline = { read: 0.15, write: 0.5 }

/** What a stored response takes beside its body, at most. */
const headerBytes = 2 ** 16

/**
 * The flow of a cached call (RFC 9111 section 4): reuse what is fresh, else forward and store.
 * What the request rules out is decided in request.ts, what may be stored in storing.ts.
 */
export class ResponseCache {
  readonly #options: ResponseCacheOptions
  readonly #rules: CompiledRules
  readonly #stats: CacheStats = { hits: 0, misses: 0, bypassed: 0, stored: 0 }
  #responses: StoredResponses | undefined

  /** Throws a `ConfigError` for a rule that cannot be read. */
  constructor(options: ResponseCacheOptions) {
    this.#options = options
    this.#rules = compileRules(options.rules)
    if (options.store) this.attach(options.store)
  }

  /** What it was made with. */
  get options(): ResponseCacheOptions {
    return this.#options
  }

  /** Gives the cache a store, unless it has its own. */
  attach(store: Store): void {
    const { namespace = 'behalf' } = this.#options
    checkNamespace('responseCache: namespace', namespace)
    const limited = guarded(checkStore('responseCache', store), { name: 'cache', deadline })
    const roomy = chunked(limited, { maxBytes: this.#maxEntryBytes + headerBytes })
    this.#responses ??= new StoredResponses(roomy, namespace)
  }

  get #maxEntryBytes(): number {
    return this.#options.maxEntryBytes ?? 5_242_880
  }

  stats(): CacheStats {
    return { ...this.#stats }
  }

  /** Answers from what is stored in the caller's partition, or forwards. */
  async fetch(request: Request, call: CachedCall): Promise<Response> {
    const ttl = this.#ttlOf(request, call)
    const bypass = bypassReason(request, call.mode, ttl)
    if (bypass || !this.#responses) {
      return this.#forward(request, call, bypass ?? { fwd: 'bypass' }, ttl)
    }

    const partition = await call.partition()
    const { fresh, fwd } = await this.#look(this.#responses, request, call.mode, partition)
    if (fresh) {
      this.#stats.hits += 1
      return fromStored(fresh, request)
    }
    if (call.mode === 'only-if-cached') {
      const nothing = new Response(null, { status: 504 })
      return withCacheStatus(nothing, { hit: false, detail: 'only-if-cached' })
    }

    this.#stats.misses += 1
    const response = await call.forward(request)
    return this.#store(this.#responses, request, response, { partition, ttl, fwd })
  }

  /** Seconds by the app's rules, then the provider's, then the default. */
  #ttlOf(request: Request, call: CachedCall): number {
    return ruleFor(request.url, this.#rules, call.rules)?.ttl ?? this.#options.defaultTtl ?? 0
  }

  async #look(
    responses: StoredResponses,
    request: Request,
    mode: CacheMode,
    partition: Partition,
  ): Promise<{ fresh?: StoredResponse; fwd: Forwarded['fwd'] }> {
    if (mode === 'reload' || mode === 'no-cache') return { fwd: 'request' }
    const found = await responses.find(partition, request)
    if (!found) return { fwd: 'uri-miss' }
    if (!matchesVariant(found.variant, request, partition.key)) return { fwd: 'vary-miss' }
    return found.freshUntil > Date.now() ? { fresh: found, fwd: 'stale' } : { fwd: 'stale' }
  }

  async #forward(
    request: Request,
    call: CachedCall,
    forwarded: Pick<Forwarded, 'fwd' | 'detail'>,
    ttl: number,
  ): Promise<Response> {
    this.#stats.bypassed += 1
    const isUnsafe = !['GET', 'HEAD', 'OPTIONS', 'TRACE'].includes(request.method)
    // Only where something can have been stored for the target.
    const mayInvalidate = isUnsafe && ttl > 0
    const response = await call.forward(request).catch(async (error: unknown) => {
      // It may have been carried out all the same.
      if (mayInvalidate) await this.#invalidate(request, call)
      throw error
    })
    if (mayInvalidate && response.status < 400) await this.#invalidate(request, call)
    return withCacheStatus(response, { ...forwarded, fwdStatus: response.status, stored: false })
  }

  async #store(
    responses: StoredResponses,
    request: Request,
    response: Response,
    { partition, ttl, fwd }: { partition: Partition; ttl: number; fwd: Forwarded['fwd'] },
  ): Promise<Response> {
    const forwarded = { fwd, fwdStatus: response.status, stored: false }
    const decision = decideStoring(request, response, ttl)
    if (!decision.store) return withCacheStatus(response, { ...forwarded, detail: decision.reason })
    const body = await readBounded(decision.body, this.#maxEntryBytes)
    if (!body.complete) {
      return withCacheStatus(rebuild(response, body.stream), { ...forwarded, detail: 'too-large' })
    }
    const reply = toStored(request, response, body.bytes, partition, decision.ttl)
    const stored = await responses.keep(partition, request, reply, decision.ttl)
    if (stored) this.#stats.stored += 1
    return withCacheStatus(rebuild(response, body.bytes), { ...forwarded, stored })
  }

  /** RFC 9111 section 4.4. */
  async #invalidate(request: Request, call: CachedCall): Promise<void> {
    // The reply is there; a grant that cannot be read now is no reason to withhold it.
    const partition = await call.partition().catch(() => undefined)
    if (partition) await this.#responses?.forget(partition, request)
  }
}
