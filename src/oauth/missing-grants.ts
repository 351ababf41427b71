import { Recent } from '../recent.ts'
import { importedRecord, type ImportedTokens } from './imported-tokens.ts'
import type { Provider } from './provider.ts'
import type { FoundRecord, TokenRecords } from './token-records.ts'

/**
 * Asked for tokens that the app has kept elsewhere until now, when a user has no grant here.
 * `undefined`, or nothing, when there are none.
 */
export type OnMissingGrant = (missing: {
  /** The app's own user. */
  user: string
  provider: string
}) => ImportedTokens | undefined | void | Promise<ImportedTokens | undefined | void>

/** Milliseconds for which nobody asks again for a user who has nothing there either. */
const remembered = 60_000

/** Moves grants over as their users come, each of them once. */
export class MissingGrants {
  readonly #provider: Provider
  readonly #records: TokenRecords
  readonly #ask: OnMissingGrant
  readonly #asking = new Map<string, Promise<FoundRecord | undefined>>()
  readonly #without = new Recent<number>(10_000)

  constructor(provider: Provider, records: TokenRecords, ask: OnMissingGrant) {
    this.#provider = provider
    this.#records = records
    this.#ask = ask
  }

  /** The grant that was moved over, if there was one. Throws what the app's function throws. */
  ask(owner: { kind: 'user'; id: string }): Promise<FoundRecord | undefined> {
    const askedAt = this.#without.get(owner.id) ?? -Infinity
    if (performance.now() - askedAt < remembered) return Promise.resolve(undefined)
    const asking = this.#asking.get(owner.id) ?? this.#moveOver(owner)
    this.#asking.set(owner.id, asking)
    return asking.finally(() => this.#asking.delete(owner.id))
  }

  /** What a user has ended here does not come back from elsewhere. */
  settle(owner: { kind: 'user'; id: string }): Promise<void> {
    return this.#records.settle(owner, this.#provider.name)
  }

  async #moveOver(owner: { kind: 'user'; id: string }): Promise<FoundRecord | undefined> {
    const { name } = this.#provider
    if (await this.#records.isSettled(owner, name)) return undefined
    const tokens = await this.#ask({ user: owner.id, provider: name })
    if (!tokens) {
      this.#without.set(owner.id, performance.now())
      return undefined
    }
    await this.settle(owner)
    // Of several processes that ask at once one writes, and the others find what it wrote.
    return this.#records.add(owner, name, importedRecord(this.#provider, tokens))
  }
}
