import { timingSafeEqual } from 'node:crypto'
import { RetiredSecretError, UnsupportedOperationError } from '../errors.ts'
import type { KeyRing } from '../key-ring.ts'
import type { Store } from '../stores/store.ts'
import { GrantMarks } from './grant-marks.ts'
import type { GrantOwner } from './grant-owner.ts'
import type { RecordHome } from './record-home.ts'
import { isRecordKey, RecordKeys } from './record-keys.ts'
import { SealedRecords } from './sealed-records.ts'
import { type Subject, SubjectIndex } from './subject-index.ts'
import { sha256, type TokenRecord } from './token-record.ts'

/** Where a record lies. */
export interface RecordPlace {
  home: RecordHome
  key: string
}

/** A record as it was read: where it lies and under which version. */
export interface FoundRecord extends RecordPlace {
  version: string
  record: TokenRecord
}

/**
 * Reads and writes token records. A record that exists is only ever replaced under the version
 * that was read; one that was deleted by a logout is therefore never brought back by a late write.
 */
export class TokenRecords {
  readonly marks: GrantMarks
  readonly #store: RecordHome
  readonly #sealed: SealedRecords
  readonly #subjects: SubjectIndex
  readonly #keys: RecordKeys

  /** `subjects`: where the index is, when not in `store`. */
  constructor(
    store: Store,
    keyRing: KeyRing,
    namespace: string,
    subjects: SubjectIndex = new SubjectIndex(store, namespace),
  ) {
    this.marks = new GrantMarks(store)
    this.#store = store
    this.#sealed = new SealedRecords(keyRing)
    this.#keys = new RecordKeys(namespace)
    this.#subjects = subjects
  }

  /** One store read. A record of another session, or past its end, is not found. */
  async read(owner: GrantOwner, provider: string): Promise<FoundRecord | undefined> {
    const found = await this.reread(this.#place(owner, provider))
    return found && belongsTo(found.record, owner) && isAlive(found) ? found : undefined
  }

  /** What a subject has granted, by whichever user or session: what can be used first, then the newest. */
  async ofSubject(provider: string, subject: string): Promise<FoundRecord[]> {
    const found = await this.#indexed({ provider, subject })
    return found.filter(({ record }) => isOf(record, provider, subject))
  }

  /**
   * The grants of sessions here that a logout at the provider means: of its subject, as ID tokens
   * name it, or of its session (`sid`). `failure`: one of them could not be read, and may be one too.
   */
  async sessionsOf(whose: Subject): Promise<{ found: FoundRecord[]; failure: Error | undefined }> {
    const { found, failure } = await this.#lookedUp(whose)
    const isMeant = ({ record }: FoundRecord) =>
      record.provider === whose.provider &&
      record.user === undefined &&
      ('sid' in whose ? record.sid : (record.idSubject ?? record.profile.subject)) ===
        ('sid' in whose ? whose.sid : whose.subject)
    return {
      found: found.filter(isMeant),
      failure: failure instanceof RetiredSecretError ? undefined : failure,
    }
  }

  async #indexed(whose: Subject): Promise<FoundRecord[]> {
    const { found, failure } = await this.#lookedUp(whose)
    // One record that nobody can read does not hide the others; alone it may be a good one.
    if (failure !== undefined && found.length === 0) throw failure
    return found.toSorted((one, other) => rank(other) - rank(one))
  }

  async #lookedUp(whose: Subject): Promise<{ found: FoundRecord[]; failure: Error | undefined }> {
    const keys = await this.#subjects.keysOf(whose)
    const home = this.#store
    const read = await Promise.allSettled(keys.map((key) => this.reread({ home, key })))
    const found = read
      .flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []))
      .filter(isAlive)
    const failures = read.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []))
    const failure = failures.find((one) => !(one instanceof RetiredSecretError)) ?? failures[0]
    return { found, failure }
  }

  /** Every grant there is. Throws an `UnsupportedOperationError` where the store cannot list. */
  async *all(): AsyncGenerator<FoundRecord, void, undefined> {
    if (!this.#store.keys) {
      throw new UnsupportedOperationError('a list of all grants', 'its backend cannot list keys')
    }
    for await (const key of this.#store.keys(this.#keys.prefix)) {
      if (!isRecordKey(key)) continue
      const found = await this.reread({ home: this.#store, key }).catch(nothingWhenRetired)
      if (found && isAlive(found)) yield found
    }
  }

  /** As `read`, for who begins anew: what a retired secret has sealed is not there. */
  async readable(owner: GrantOwner, provider: string): Promise<FoundRecord | undefined> {
    return this.read(owner, provider).catch(nothingWhenRetired)
  }

  /** The record under that name, whichever login of the session it is bound to: for who ends it. */
  named(owner: GrantOwner, provider: string): Promise<FoundRecord | undefined> {
    return this.reread(this.#place(owner, provider))
  }

  /** The record at a place, whoever asks. */
  async reread({ home, key }: RecordPlace): Promise<FoundRecord | undefined> {
    const stored = await home.get(key)
    if (!stored) this.#sealed.forget(key)
    const record = stored && this.#open(home, key, stored.value)
    if (!record) return undefined
    const { version, isOutdated } = stored
    return { home, key, version, record: isOutdated ? outdated(record) : record }
  }

  /**
   * What a visitor brings along can be anybody's, so that a secret which is not known (any more)
   * means a new login; what the store has is not given up so lightly.
   */
  #open(home: RecordHome, key: string, value: Uint8Array): TokenRecord | undefined {
    try {
      return this.#sealed.open(key, value)
    } catch (error) {
      return home.request ? nothingWhenRetired(error) : raise(error)
    }
  }

  /** Puts a new grant in place of whatever was there. */
  async replace(owner: GrantOwner, provider: string, record: TokenRecord): Promise<void> {
    const place = this.#place(owner, provider)
    const former = await this.reread(place).catch(nothingWhenRetired)
    const bound = boundTo(owner, record)
    await this.#enter(place, bound)
    let written: string | undefined
    while (written === undefined) {
      const there = await place.home.get(place.key)
      written = await this.#write(place, there?.version, bound)
    }
    if (former && !isOf(former.record, provider, record.profile.subject)) await this.#leave(former)
  }

  /** Puts a grant where there is none, and gives what is there then. */
  async add(owner: GrantOwner, provider: string, record: TokenRecord): Promise<FoundRecord> {
    const place = this.#place(owner, provider)
    const { home, key } = place
    const bound = boundTo(owner, record)
    for (;;) {
      const stored = await home.get(key)
      const there = stored && this.#open(home, key, stored.value)
      if (stored && there) return { home, key, version: stored.version, record: there }
      await this.#enter(place, bound)
      // What cannot be read counts as absent; what came since it was looked at does not.
      const version = await this.#write(place, stored?.version, bound)
      if (version !== undefined) return { home, key, version, record: bound }
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
    return this.#write(found, found.version, record)
  }

  /** Takes the record away, unless someone else wrote or deleted it. */
  take(found: FoundRecord): Promise<boolean> {
    this.#sealed.forget(found.key)
    return found.home.compareAndDelete(found.key, found.version)
  }

  /**
   * Ends the grant that was found, however its record is rewritten meanwhile, and gives the record
   * as it was last; `undefined` when somebody else has ended it. A newer grant stays.
   */
  async end(found: FoundRecord): Promise<FoundRecord | undefined> {
    let current: FoundRecord | undefined = found
    while (current?.record.grantId === found.record.grantId) {
      if (await this.take(current)) {
        await this.#leave(current)
        return current
      }
      current = await this.reread(found)
    }
    return undefined
  }

  /** Deletes whatever is there, also what nobody can read. */
  async forget(owner: GrantOwner, provider: string): Promise<void> {
    const { home, key } = this.#place(owner, provider)
    this.#sealed.forget(key)
    await home.delete(key)
  }

  /** What only requests bring along is found by nobody else. */
  async #enter({ home, key }: RecordPlace, record: TokenRecord): Promise<void> {
    if (home.request) return
    const entry = { key, endsAt: record.endsAt }
    const added = subjectsOf(record).map((whose) => this.#subjects.add(whose, entry))
    const pushedOut = new Set((await Promise.all(added)).flat())
    // Where logouts begin at the provider, a session that none of them would find must not live.
    if (record.idSubject === undefined) return
    await Promise.all([...pushedOut].map((one) => this.#endSession(one)))
  }

  async #endSession(key: string): Promise<void> {
    const found = await this.reread({ home: this.#store, key }).catch(nothingWhenRetired)
    if (found && found.record.user === undefined) await this.end(found)
  }

  async #leave({ home, key, record }: FoundRecord): Promise<void> {
    if (home.request) return
    const left = subjectsOf(record).map((whose) => this.#subjects.remove(whose, key))
    await Promise.allSettled(left)
  }

  #write({ home, key }: RecordPlace, version: string | undefined, record: TokenRecord) {
    const ttl = record.endsAt === undefined ? undefined : (record.endsAt - Date.now()) / 1000
    return home.compareAndSwap(key, version, this.#sealed.seal(key, record), { ttl })
  }

  #place(owner: GrantOwner, provider: string): RecordPlace {
    const home = (owner.kind === 'session' ? owner.home : undefined) ?? this.#store
    return { home, key: this.keyOf(owner, provider) }
  }

  /** The key of an owner's record, whether or not there is one. */
  keyOf(owner: GrantOwner, provider: string): string {
    return this.#keys.of(owner, provider)
  }
}

function boundTo(owner: GrantOwner, record: TokenRecord): TokenRecord {
  if (owner.kind === 'session') return { ...record, proofHash: sha256(owner.proof) }
  return owner.kind === 'user' ? { ...record, user: owner.id } : record
}

/** A logout at the provider ends what belongs to sessions, so that users' grants need no `sid`. */
function subjectsOf({ provider, profile, sid, isApp, user, idSubject }: TokenRecord): Subject[] {
  if (isApp) return []
  const subject = { provider, subject: profile.subject }
  if (user !== undefined) return [subject]
  return [
    subject,
    ...(idSubject === undefined || idSubject === profile.subject
      ? []
      : [{ provider, subject: idSubject }]),
    ...(sid === undefined ? [] : [{ provider, sid }]),
  ]
}

/** Ended ones come last. */
function rank({ record }: FoundRecord): number {
  return record.ended ? -1 / record.authorizedAt : record.authorizedAt
}

function isAlive({ record }: FoundRecord): boolean {
  return (record.endsAt ?? Infinity) > Date.now()
}

function isOf(record: TokenRecord, provider: string, subject: string): boolean {
  return record.provider === provider && record.profile.subject === subject
}

/** What it held has been replaced where this copy was not: it is spent, and its successor elsewhere. */
function outdated(record: TokenRecord): TokenRecord {
  if (record.ended) return record
  const { receivedAt } = record.tokens
  const tokens = { accessToken: '', receivedAt }
  return { ...record, tokens, further: undefined, ended: 'rotation-lost' }
}

function raise(error: unknown): never {
  throw error
}

function nothingWhenRetired(error: unknown): undefined {
  if (!(error instanceof RetiredSecretError)) throw error
}

/** A session's record opens only to the proof it was bound to; the login before it no longer has it. */
function belongsTo(record: TokenRecord, owner: GrantOwner): boolean {
  if (owner.kind !== 'session') return record.proofHash === undefined
  const [ours, theirs] = [sha256(owner.proof), record.proofHash ?? '']
  return ours.length === theirs.length && timingSafeEqual(Buffer.from(ours), Buffer.from(theirs))
}
