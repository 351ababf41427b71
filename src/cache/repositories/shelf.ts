import type { RepositoryKey } from './repository-key.ts'

/** A stored response of a repository. */
export interface Shelved {
  key: RepositoryKey
  name: string | undefined
  /** Epoch ms. */
  storedAt: number
  /** Until when it may be reused, epoch ms. */
  freshUntil: number
  /** A response of one's own, each time. */
  response(): Response
}

/** What is to be stored. */
export interface ToShelve {
  key: RepositoryKey
  name: string | undefined
  /** Its headers have a say in whether, and for how long, it is stored. */
  response: Response
  /** Seconds, by the repository's rule. */
  ttl: number
}

/**
 * Where a repository's responses are: the cache of one partition. What it is asked for many it
 * answers in order. Only `forget` and `list` reject: as the store does, and where it cannot list.
 */
export interface Shelf {
  /** What is stored, fresh or expired. */
  find(
    repository: string,
    keys: readonly RepositoryKey[],
  ): Promise<ReadonlyArray<Shelved | undefined>>
  /** Tells what was stored. */
  keep(repository: string, items: readonly ToShelve[]): Promise<readonly boolean[]>
  /** Tells what there was. */
  forget(repository: string, keys: readonly RepositoryKey[]): Promise<readonly boolean[]>
  list(repository: string): AsyncIterable<Shelved>
}
