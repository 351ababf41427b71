import { ConfigError, RepositoryMismatchError } from '../../errors.ts'
import { answerBatch, type BatchReply, type Forward } from './batch.ts'
import { Repository } from './repository.ts'
import { fieldsOf, type RepositoryKey } from './repository-key.ts'
import {
  compileRepository,
  type RepositoryOptions,
  type RepositoryRule,
} from './repository-rule.ts'
import type { Shelf } from './shelf.ts'

/** The rules of all repositories of a cache, in their order. */
export type RepositoryRules = readonly RepositoryRule[]

/** Checks and compiles the rules by name; throws a `ConfigError` that names the one at fault. */
export function compileRepositories(
  options: Readonly<Record<string, RepositoryOptions>>,
): RepositoryRules {
  return Object.entries(options).map(([name, one]) => compileRepository(name, one))
}

/** Which repository a request is of, and its key there. */
export interface RepositoryPlace {
  rule: RepositoryRule
  key: RepositoryKey
}

/** The first repository that takes a request; `undefined` when none does. */
export function placeOf(rules: RepositoryRules, request: Request): RepositoryPlace | undefined {
  for (const rule of rules) {
    const key = rule.keyOf(request)
    if (key) return { rule, key }
  }
  return undefined
}

/**
 * The repositories of a cache, in one partition. Calls for several requests go to one repository:
 * where they are of several, or some of none, nothing is done and a `RepositoryMismatchError` is
 * thrown.
 */
export class Repositories implements Iterable<Repository> {
  readonly #rules: RepositoryRules
  readonly #shelf: Shelf

  constructor(rules: RepositoryRules, shelf: Shelf) {
    this.#rules = rules
    this.#shelf = shelf
  }

  /** Throws a `ConfigError` for a name that there is not. */
  get<P = unknown>(name: string): Repository<P> {
    const rule = this.#rules.find((one) => one.name === name)
    if (rule) return new Repository(rule as unknown as RepositoryRule<P>, this.#shelf)
    const names = this.#rules.map((one) => one.name).join(', ') || 'none'
    throw new ConfigError(`There is no repository of that name. The cache has: ${names}.`)
  }

  /** The repository that a request is of. */
  of(request: Request): Repository | undefined {
    const place = placeOf(this.#rules, request)
    return place && new Repository(place.rule, this.#shelf)
  }

  /** The payloads that are stored for these requests, and fresh. */
  async getMany(requests: readonly Request[]): Promise<unknown[]> {
    const { repository, keys } = this.#together(requests)
    return repository ? repository.getMany(keys) : []
  }

  async saveMany(
    entries: ReadonlyArray<readonly [request: Request, payload: unknown]>,
  ): Promise<readonly boolean[]> {
    const { repository, keys } = this.#together(entries.map(([request]) => request))
    return repository
      ? repository.saveMany(keys.map((key, index) => [key, entries[index]![1]] as const))
      : []
  }

  async deleteMany(requests: readonly Request[]): Promise<readonly boolean[]> {
    const { repository, keys } = this.#together(requests)
    return repository ? repository.deleteMany(keys) : []
  }

  *[Symbol.iterator](): Generator<Repository, void> {
    for (const rule of this.#rules) yield new Repository(rule, this.#shelf)
  }

  /**
   * Answers a request for several items of a repository; `undefined` for one that is none. See
   * {@link answerBatch}.
   */
  async answerBatch(request: Request, forward: Forward): Promise<BatchReply | undefined> {
    for (const rule of this.#rules) {
      const answer = await answerBatch(rule, this.#shelf, request, forward)
      if (answer) return answer
    }
    return undefined
  }

  #together(requests: readonly Request[]): {
    repository: Repository | undefined
    keys: ReadonlyArray<Readonly<Record<string, string>>>
  } {
    const places = requests.map((request) => placeOf(this.#rules, request))
    const [first] = places
    const names = new Set(places.map((place) => place?.rule.name))
    if (names.size > 1 || (requests.length > 0 && !first)) {
      throw new RepositoryMismatchError([...names].filter((name) => name !== undefined))
    }
    const keys = places.map((place) => fieldsOf(place!.rule.fields, place!.key))
    return { repository: first && new Repository(first.rule, this.#shelf), keys }
  }
}
