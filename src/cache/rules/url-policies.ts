import { Recent } from '../../recent.ts'
import type { CachedCall } from '../cached-call.ts'
import { type Spoiled, spoiledBy } from './mutations.ts'
import { type CachePolicy, mayStore, policyOf, type UrlPolicy } from './policy.ts'
import { type CacheRules, type CompiledRules, compileRules, hasReading, ruleFor } from './rules.ts'
import { askedAt, type ItemPlace, RepositoryPlaces } from './repository-places.ts'
import type { Asked, Where } from '../stored/stored-responses.ts'

/** So many URLs' policies are remembered for each list of rules: matching patterns takes its time. */
const mostUrls = 1_000

/** Which policy is for which URL: the app's rules first, then the provider's, then the default. */
export class UrlPolicies {
  readonly #settings: { readonly policy: CachePolicy; readonly defaultTtl: number | undefined }
  readonly #withoutRules: UrlPolicy
  readonly #rules: CompiledRules
  readonly #repositories: RepositoryPlaces
  readonly #known = new WeakMap<CompiledRules, Recent<UrlPolicy>>()

  /** Throws a `ConfigError` for a rule that cannot be read. */
  constructor(
    settings: {
      policy?: CachePolicy | undefined
      defaultTtl?: number | undefined
      rules?: CacheRules | undefined
    },
    repositories = new RepositoryPlaces(),
  ) {
    const { policy = 'auto', defaultTtl, rules } = settings
    this.#settings = { policy, defaultTtl }
    this.#withoutRules = policyOf(undefined, { ...this.#settings, hasRules: false })
    this.#rules = compileRules(rules)
    this.#repositories = repositories
  }

  /** Where a request's reply is kept, and for how long. */
  placed(
    asked: Asked,
    { rules, ttl }: Pick<CachedCall, 'rules' | 'ttl'>,
  ): { place: ItemPlace | undefined; at: Asked; policy: UrlPolicy } {
    const place = this.#repositories.of(asked)
    if (!place) return { place, at: asked, policy: this.of(asked.url, rules, ttl) }
    const { rule } = place
    return { place, at: askedAt(place, asked.headers), policy: { rule, ttl: ttl ?? rule.ttl } }
  }

  /** Where replies to GET of that URL may be stored. */
  placesOf(url: string): readonly Where[] {
    const byUrl = { method: 'GET', url }
    const place = this.#repositories.of({ ...byUrl, headers: new Headers() })
    return place ? [byUrl, askedAt(place, new Headers())] : [byUrl]
  }

  /** `rules`: the provider's. `ttl`: of the call, in seconds; it comes before all others. */
  of(url: string, rules: CompiledRules, ttl?: number): UrlPolicy {
    const policy = this.#ofUrl(url, rules)
    return ttl === undefined ? policy : { ...policy, ttl }
  }

  /** What a write spoils; `reply` is `undefined` where nobody knows its outcome. */
  spoiledBy(
    asked: Asked,
    reply: Response | undefined,
    { rules, ttl }: Pick<CachedCall, 'rules' | 'ttl'>,
  ): Spoiled {
    const spoiled = spoiledBy(asked, reply, this.#rules, rules)
    return {
      ...spoiled,
      urls: spoiled.urls.filter((url) => {
        const of = this.placed({ method: 'GET', url, headers: new Headers() }, { rules, ttl })
        return mayStore(of.policy)
      }),
    }
  }

  #ofUrl(url: string, rules: CompiledRules): UrlPolicy {
    if (this.#rules.length + rules.length === 0) return this.#withoutRules
    let known = this.#known.get(rules)
    if (!known) this.#known.set(rules, (known = new Recent(mostUrls)))
    return known.getOrMake(url, () => {
      const rule = ruleFor(url, this.#rules, rules)
      const hasRules = hasReading(this.#rules) || hasReading(rules)
      return policyOf(rule, { ...this.#settings, hasRules })
    })
  }
}
