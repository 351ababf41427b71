import { compileRepositories, placeOf, type RepositoryRules } from '../repositories/repositories.ts'
import type { RepositoryKey } from '../repositories/repository-key.ts'
import type { RepositoryOptions, RepositoryRule } from '../repositories/repository-rule.ts'
import type { CompiledRule } from './rules.ts'
import type { StoredItem } from '../stored/stored-response.ts'
import type { Asked } from '../stored/stored-responses.ts'
import { urlPattern } from './url-pattern.ts'

/** Where a response of a repository is kept: by its key, whatever its URL. */
export interface ItemPlace {
  /** Takes the place of the request, where stored responses are looked up. */
  readonly url: string
  /** Takes the place of the rule for the URL. */
  readonly rule: CompiledRule
  item(body: Uint8Array): StoredItem
}

/** The method of what is asked for by key: no request has it. */
const byKey = 'repository'

/** The tag that all responses of a repository hang on. */
export function repositoryTag(name: string): string {
  return `${byKey} ${name}`
}

/** The repositories of a cache, as the flow of a call needs them. */
export class RepositoryPlaces {
  readonly rules: RepositoryRules
  readonly #cacheRules: ReadonlyMap<string, CompiledRule>

  /** Throws a `ConfigError` that names the repository at fault. */
  constructor(options: Readonly<Record<string, RepositoryOptions>> = {}) {
    this.rules = compileRepositories(options)
    this.#cacheRules = new Map(
      this.rules.map(({ name, ttl }) => {
        const { match } = options[name]!
        return [name, { match, ttl, tags: [repositoryTag(name)], pattern: urlPattern(match)! }]
      }),
    )
  }

  /** `undefined` for a request that is of no repository. */
  of(asked: Asked): ItemPlace | undefined {
    const isReading = asked.method === 'GET' || asked.method === 'HEAD'
    if (this.rules.length === 0 || !isReading) return undefined
    const place = placeOf(this.rules, requestOf(asked))
    return place && this.at(place.rule, place.key)
  }

  at(rule: RepositoryRule, key: RepositoryKey): ItemPlace {
    const { name: repository } = rule
    return {
      url: urlOf(repository, key),
      rule: this.#cacheRules.get(repository)!,
      item: (body) => ({
        repository,
        key: key.map((part) => part ?? null),
        name: nameIn(rule, body),
      }),
    }
  }

  named(name: string): RepositoryRule {
    return this.rules.find((rule) => rule.name === name)!
  }

  /** Whether a request is for several responses of a repository. */
  isBatch(asked: Asked): boolean {
    if (asked.method !== 'GET' || this.rules.every(({ batch }) => !batch)) return false
    const request = requestOf(asked)
    return this.rules.some(({ batch }) => batch?.read(request) !== undefined)
  }
}

/** What is asked for at a place, with these header fields. */
export function askedAt({ url }: Pick<ItemPlace, 'url'>, headers: Asked['headers']): Asked {
  return { method: byKey, url, headers }
}

/** As a URL that nothing can be cut off from. */
function urlOf(name: string, key: RepositoryKey): string {
  return encodeURIComponent(JSON.stringify([name, ...key.map((part) => part ?? null)]))
}

function nameIn(rule: RepositoryRule, body: Uint8Array): string | undefined {
  try {
    return rule.nameOf(rule.payload.parse(body))
  } catch {
    return undefined
  }
}

/** What repositories' rules are asked about. */
export function requestOf(asked: Asked): Request {
  if (asked instanceof Request) return asked
  const { method, url, headers } = asked
  return new Request(url, headers instanceof Headers ? { method, headers } : { method })
}
