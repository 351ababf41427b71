import { StoreUnavailableError } from '../errors.ts'
import { Recent } from '../recent.ts'
import { importedRecord, type ImportedTokens } from './imported-tokens.ts'
import type { Provider } from './provider.ts'
import type { FoundRecord, TokenRecords } from './token-records.ts'
import { within } from './within.ts'

/**
 * Asked for tokens that the app has kept elsewhere until now, when a user has no grant here.
 * `undefined`, or nothing, when there are none. Has 10 seconds.
 */
export type OnMissingGrant = (missing: {
  /** The app's own user. */
  user: string
  provider: string
}) => ImportedTokens | undefined | void | Promise<ImportedTokens | undefined | void>

/** Milliseconds for which nobody asks again for a user who has nothing there either. */
const remembered = 60_000
/** Seconds. */
const patience = 10

type User = { kind: 'user'; id: string }

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
  find(owner: User): Promise<FoundRecord | undefined> {
    const askedAt = this.#without.get(owner.id) ?? -Infinity
    if (performance.now() - askedAt < remembered) return Promise.resolve(undefined)
    const asking = this.#asking.get(owner.id)
    if (asking) return asking
    const moving = this.#moveOver(owner).finally(() => this.#asking.delete(owner.id))
    this.#asking.set(owner.id, moving)
    return moving
  }

  /** What a user has ended here does not come back from elsewhere. */
  async noteEnded(owner: User): Promise<void> {
    await this.#records.marks.noteEnded(this.#records.keyOf(owner, this.#provider.name))
  }

  async #moveOver(owner: User): Promise<FoundRecord | undefined> {
    const { name } = this.#provider
    const { marks } = this.#records
    const key = this.#records.keyOf(owner, name)
    if (await marks.noted(key)) return this.#records.read(owner, name)
    const late = new StoreUnavailableError(`onMissingGrant did not answer within ${patience} s`)
    const asked = Promise.resolve(this.#ask({ user: owner.id, provider: name }))
    const tokens = await within(asked, patience, late)
    if (!tokens) {
      this.#without.set(owner.id, performance.now())
      return undefined
    }
    const record = importedRecord(this.#provider, tokens)
    // Of several processes that ask at once one writes, and the others find what it wrote.
    const found = await this.#records.add(owner, name, record)
    if (await marks.noteMoved(key)) return found
    const isEndedMeanwhile = (await marks.noted(key)) === 'ended'
    if (!isEndedMeanwhile || found.record.grantId !== record.grantId) return found
    await this.#records.end(found)
    return undefined
  }
}
