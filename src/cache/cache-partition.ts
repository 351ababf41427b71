import type { Partition } from './stored/partition.ts'
import type { Repositories } from './repositories/repositories.ts'
import type { Repository } from './repositories/repository.ts'

/**
 * One partition of a response cache, for the operations that name one, and the repositories in it.
 * What is printed of it does not hold its key.
 */
export class CachePartition implements Partition {
  /** For calls about several requests. */
  readonly repositories: Repositories
  readonly #partition: Partition

  /** Made by `cachedFetch().partition()` and `req.api.<provider>.cachePartition()`. */
  constructor(partition: Partition, repositories: Repositories) {
    this.#partition = partition
    this.repositories = repositories
  }

  /** Names the partition in keys; tells nothing of whom it belongs to. */
  get id(): string {
    return this.#partition.id
  }

  /** What keys of this partition have in common. */
  get name(): string {
    return this.#partition.name
  }

  /** What its entries are sealed with outside the process. */
  get key(): Uint8Array {
    return this.#partition.key
  }

  /** Whether they are. */
  get sealed(): boolean {
    return this.#partition.sealed
  }

  /** Throws a `ConfigError` for a name that there is not. */
  repository<P = unknown>(name: string): Repository<P> {
    return this.repositories.get<P>(name)
  }
}
