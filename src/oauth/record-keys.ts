import { hash } from 'node:crypto'
import { Recent } from '../recent.ts'
import type { GrantOwner } from './grant-owner.ts'

/** Names the records of one namespace in the store. */
export class RecordKeys {
  /** What all of them begin with. */
  readonly prefix: string
  readonly #made = new Recent<string>(1_000)

  constructor(namespace: string) {
    this.prefix = `${namespace}:grant:`
  }

  /**
   * The key of an owner's record.
   *
   * JSON of a tuple is injective. The last two places are for a tenant and for further accounts at
   * one provider; the first account is '', so that it is found with one read.
   */
  of(owner: Pick<GrantOwner, 'kind' | 'id'>, provider: string): string {
    const tuple = JSON.stringify(['grant', owner.kind, owner.id, provider, '', ''])
    return this.#made.getOrMake(tuple, () => this.prefix + hash('sha256', tuple, 'hex'))
  }
}

/** Is it a record's? What is kept beside one, such as its lease, has a longer key. */
export function isRecordKey(key: string): boolean {
  return /:grant:[0-9a-f]{64}$/.test(key)
}
