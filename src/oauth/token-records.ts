import { hash, timingSafeEqual } from 'node:crypto'
import { RetiredSecretError } from '../errors.ts'
import type { KeyRing } from '../key-ring.ts'
import { Recent } from '../recent.ts'
import type { Store } from '../stores/store.ts'
import type { GrantOwner } from './grant-owner.ts'
import { SealedRecords } from './sealed-records.ts'
import { sha256, type TokenRecord } from './token-record.ts'

/** A record as it was read: where it lies and under which version. */
export interface FoundRecord {
  key: string
  version: string
  record: TokenRecord
}

/**
 * Reads and writes token records. A record that exists is only ever replaced under the version
 * that was read; one that was deleted by a logout is therefore never brought back by a late write.
 */
export class TokenRecords {
  readonly #store: Store
  readonly #sealed: SealedRecords
  readonly #namespace: string
  readonly #keys = new Recent<string>(1_000)

  constructor(store: Store, keyRing: KeyRing, namespace: string) {
    this.#store = store
    this.#sealed = new SealedRecords(keyRing)
    this.#namespace = namespace
  }

  /** One store read. A record of another session, or past its end, is not found. */
  async read(owner: GrantOwner, provider: string): Promise<FoundRecord | undefined> {
    const found = await this.reread(this.#key(owner, provider))
    if (!found || !belongsTo(found.record, owner)) return undefined
    return (found.record.endsAt ?? Infinity) > Date.now() ? found : undefined
  }

  /** As `read`, for who begins anew: what a retired secret has sealed is not there. */
  async readable(owner: GrantOwner, provider: string): Promise<FoundRecord | undefined> {
    return this.read(owner, provider).catch(nothingWhenRetired)
  }

  /** The record under that name, whichever login of the session it is bound to: for who ends it. */
  named(owner: GrantOwner, provider: string): Promise<FoundRecord | undefined> {
    return this.reread(this.#key(owner, provider))
  }

  /** The record at a key, whoever asks. */
  async reread(key: string): Promise<FoundRecord | undefined> {
    const stored = await this.#store.get(key)
    if (!stored) this.#sealed.forget(key)
    const record = stored && this.#sealed.open(key, stored.value)
    return record && { key, version: stored.version, record }
  }

  /** Puts a new grant in place of whatever was there. */
  async replace(owner: GrantOwner, provider: string, record: TokenRecord): Promise<void> {
    const key = this.#key(owner, provider)
    const bound = owner.kind === 'session' ? { ...record, proofHash: sha256(owner.proof) } : record
    let written: string | undefined
    while (written === undefined) {
      const there = await this.#store.get(key)
      written = await this.#write(key, there?.version, bound)
    }
  }

  /** Binds a session's record to the proof of its next login; the one before it opens nothing then. */
  async rebind(owner: GrantOwner, provider: string, proof: string): Promise<void> {
    let bound: string | undefined
    while (bound === undefined) {
      const found = await this.read(owner, provider)
      if (!found) return
      bound = await this.update(found, { ...found.record, proofHash: sha256(proof) })
    }
  }

  /** Gives the record's new version, or `undefined` when someone else wrote or deleted it. */
  update(found: FoundRecord, record: TokenRecord): Promise<string | undefined> {
    return this.#write(found.key, found.version, record)
  }

  /** Takes the record away, unless someone else wrote or deleted it. */
  take(found: FoundRecord): Promise<boolean> {
    this.#sealed.forget(found.key)
    return this.#store.compareAndDelete(found.key, found.version)
  }

  /**
   * Ends the grant that was found, however its record is rewritten meanwhile, and gives the record
   * as it was last; `undefined` when somebody else has ended it. A newer grant stays.
   */
  async end(found: FoundRecord): Promise<FoundRecord | undefined> {
    let current: FoundRecord | undefined = found
    while (current?.record.grantId === found.record.grantId) {
      if (await this.take(current)) return current
      current = await this.reread(found.key)
    }
    return undefined
  }

  /** Deletes whatever is there, also what nobody can read. */
  async forget(owner: GrantOwner, provider: string): Promise<void> {
    const key = this.#key(owner, provider)
    this.#sealed.forget(key)
    await this.#store.delete(key)
  }

  #write(key: string, version: string | undefined, record: TokenRecord) {
    const ttl = record.endsAt === undefined ? undefined : (record.endsAt - Date.now()) / 1000
    return this.#store.compareAndSwap(key, version, this.#sealed.seal(key, record), { ttl })
  }

  /**
   * JSON of a tuple is injective. The last two places are for a tenant and for further accounts at
   * one provider; the first account is '', so that it is found with one read.
   */
  #key(owner: GrantOwner, provider: string): string {
    const tuple = JSON.stringify(['grant', owner.kind, owner.id, provider, '', ''])
    let key = this.#keys.get(tuple)
    if (key === undefined) {
      key = `${this.#namespace}:grant:${hash('sha256', tuple, 'hex')}`
      this.#keys.set(tuple, key)
    }
    return key
  }
}

function nothingWhenRetired(error: unknown): undefined {
  if (!(error instanceof RetiredSecretError)) throw error
}

/** A session's record opens only to the proof it was bound to; the login before it no longer has it. */
function belongsTo(record: TokenRecord, owner: GrantOwner): boolean {
  if (owner.kind === 'user') return record.proofHash === undefined
  const [ours, theirs] = [sha256(owner.proof), record.proofHash ?? '']
  return ours.length === theirs.length && timingSafeEqual(Buffer.from(ours), Buffer.from(theirs))
}
