import { setTimeout as sleep } from 'node:timers/promises'
import {
  BehalfError,
  ClientMisconfiguredError,
  ProviderUnavailableError,
  type ReauthReason,
  StoreUnavailableError,
} from '../errors.ts'
import { emit, type EventFields, type EventListener, type Happening } from '../events.ts'
import { processState } from '../process-state.ts'
import { aftermathOf } from './aftermath.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { keepTokens, persistently } from './kept-tokens.ts'
import type { Lease } from './lease.ts'
import type { Leases, SeenLease } from './leases.ts'
import type { Standing } from './lease-standing.ts'
import { InvalidGrant } from './rebuilt-error.ts'
import { isSameGrant, spentBy, stillHas, whyOver } from './refreshable.ts'
import { grantHash, sha256, type TokenRecord } from './token-record.ts'
import type { FoundRecord, TokenRecords } from './token-records.ts'
import type { TokenSet } from './token-set.ts'
import { within } from './within.ts'
import { heldFor, mainToken, slotOf, type TokenTarget } from './token-target.ts'

const lost: ReauthReason & 'rotation-lost' = 'rotation-lost'

/** What is left of a grant after a refresh; `undefined` when a logout came in between. */
export type Refreshed = FoundRecord | undefined

/** What a provider refuses of a request for a token in particular (RFC 6749 section 5.2, RFC 8707). */
const ofTarget = new Set(['invalid_scope', 'invalid_target', 'invalid_request'])

/** Milliseconds between two looks of who waits for another process, and how much they differ. */
const pollMs = 20
const pollJitterMs = 40
/** Seconds that a lease is waited for beyond its length, so that it can be seen to end. */
const waitBeyond = 3
/** Milliseconds after which a record is read again before a refusal is believed. */
const doubts = [0, 150, 500]

/**
 * Presents refresh tokens, each of them once over all processes that share a store: in a process
 * whoever comes while a refresh is under way shares its outcome, between processes a lease says who
 * may, and its holder looks at the record again before it does.
 */
export class Refresher {
  readonly #server: AuthorizationServer
  readonly #records: TokenRecords
  readonly #leases: Leases
  readonly #listener: EventListener | undefined
  readonly #background: (work: Promise<unknown>) => void
  readonly #flights = processState('refreshes', () => new Map<string, Promise<Refreshed>>())
  /** New tokens that the store has not taken yet, by the grants they are for. */
  readonly #keeping = processState('tokens to keep', () => new Map<string, Promise<Refreshed>>())

  constructor(
    server: AuthorizationServer,
    records: TokenRecords,
    leases: Leases,
    listener: EventListener | undefined,
    background: (work: Promise<unknown>) => void,
  ) {
    this.#server = server
    this.#records = records
    this.#leases = leases
    this.#listener = listener
    this.#background = background
  }

  /**
   * Replaces the token that was found for a target, unless somebody has done so already. A grant that
   * the provider has ended comes back as such. Throws when the provider or the store is unavailable.
   */
  refresh(found: FoundRecord, target: TokenTarget = mainToken): Promise<Refreshed> {
    const name = flightOf(found, target)
    const flight = this.#flights.get(name)
    if (flight) return flight
    const started = this.#refresh(found, target).catch((error: unknown) => {
      const code = error instanceof BehalfError ? error.code : 'unexpected_response'
      this.#tell('refresh_failed', found, { code })
      throw error
    })
    this.#flights.set(name, started)
    this.#background(started.finally(() => this.#flights.delete(name)))
    return started
  }

  /** Has somebody in this process begun to replace this token? */
  isUnderWay(found: FoundRecord, target: TokenTarget): boolean {
    return this.#flights.has(flightOf(found, target))
  }

  /**
   * The grant's record with its lease, so that nobody refreshes it meanwhile; waits for whoever does.
   * `undefined` when the grant is gone. Throws when that takes too long, or has just failed.
   */
  async hold(found: FoundRecord): Promise<{ current: FoundRecord; lease: Lease } | undefined> {
    const startedAt = performance.now()
    for (;;) {
      const seen = await this.#leases.look(found.key)
      const current = await this.#records.reread(found)
      if (!isSameGrant(current, found)) return undefined
      const lease = await this.#take(seen, current, startedAt)
      if (lease) {
        const still = await this.#records.reread(found)
        if (still?.version === current.version) return { current, lease }
        await this.letGo(lease)
      }
      await sleep(pollMs + pollJitterMs * Math.random())
    }
  }

  /** Gives back a lease under which nothing was sent. */
  async letGo(lease: Lease): Promise<void> {
    this.#leases.abandon(lease)
    await lease.giveBack()
  }

  async #refresh(found: FoundRecord, target: TokenTarget): Promise<Refreshed> {
    const startedAt = performance.now()
    const waited = () => (performance.now() - startedAt) / 1000
    for (let round = 1; ; round += 1) {
      const keeping = this.#keeping.get(found.record.grantId)
      if (keeping) await this.#inTime(keeping)
      // In this order: a lease that is about another refresh token than the record, is over.
      const seen = await this.#leases.look(found.key)
      const current = await this.#records.reread(found)
      if (!stillHas(current, found, target)) {
        if (round > 1) this.#tell('lease_wait', found, { duration: waited() })
        if (isSameGrant(current, found)) this.#tell('refresh_shared', found, {})
        return current
      }
      const over = whyOver(current.record)
      if (over) return this.#end(current, over)
      const lease = await this.#take(seen, current, startedAt)
      const outcome = lease && (await this.#present(lease, found, target, spentBy(current.record)))
      if (outcome) return outcome.refreshed
      await sleep(pollMs + pollJitterMs * Math.random())
    }
  }

  /** The lease that was seen, if it can be had; throws while everybody has to pause. */
  async #take(
    seen: SeenLease,
    { record }: FoundRecord,
    startedAt: number,
  ): Promise<Lease | undefined> {
    const token = spentBy(record)
    const standing = this.#leases.standing(seen, token)
    if (standing.is === 'closed') throw this.#closed(standing)
    if (standing.is === 'free') return this.#leases.take(seen, token, standing)
    this.#checkPatience(startedAt)
    return undefined
  }

  /** Under the lease; `undefined` when it turned out that somebody else was faster. */
  async #present(
    lease: Lease,
    found: FoundRecord,
    target: TokenTarget,
    token: string,
  ): Promise<{ refreshed: Refreshed } | undefined> {
    try {
      const current = await this.#records.reread(found)
      if (stillHas(current, found, target) && spentBy(current.record) === token) {
        this.#tell('refresh_started', found, {})
        const reply = await this.#ask(current.record, target, lease).catch(nothingWhenRefused)
        if (reply === undefined) {
          const ending = this.#refused(lease, current)
          this.#background(ending)
          return { refreshed: await this.#inTime(ending) }
        }
        return { refreshed: await this.#keep(lease, current, reply, target) }
      }
    } catch (error) {
      if (lease.presented.missed) this.#tell('lease_lost', found, {})
      else throw await this.#left(lease, error, slotOf(found.record, target))
    }
    await this.letGo(lease)
    return undefined
  }

  #ask(record: TokenRecord, target: TokenTarget, { presented }: Lease): Promise<TokenSet> {
    return record.isApp
      ? this.#server.clientCredentials(target, record.dpopKey)
      : this.#server.refresh(spentBy(record), target, presented, record.dpopKey)
  }

  /** The tokens are stored before anybody uses them (TK-04), and the lease is ours until they are. */
  async #keep(
    lease: Lease,
    spent: FoundRecord,
    tokens: TokenSet,
    target: TokenTarget,
  ): Promise<Refreshed> {
    const keeping = keepTokens(this.#records, spent, tokens, target).then(async (kept) => {
      await lease.release()
      if (kept.isOurs) {
        this.#tell('refresh', spent, { duration: lease.age })
        if (lease.again) this.#tell('refresh_recovered', spent, {})
      } else if (kept.found?.record.grantId === spent.record.grantId) {
        this.#tell('lease_lost', spent, {})
      } else await this.#server.revoke(tokens).catch(() => {})
      return kept.found
    })
    const { grantId } = spent.record
    this.#keeping.set(grantId, keeping)
    this.#background(keeping.finally(() => this.#keeping.delete(grantId)))
    return this.#inTime(keeping)
  }

  /** What the store has not taken by then goes on without those who wait for it. */
  #inTime<T>(work: Promise<T>): Promise<T> {
    const { lease, token } = this.#leases.times
    const late = new StoreUnavailableError('there is news of a refresh that it does not take yet')
    return within(work, lease - token, late)
  }

  /** A refusal is believed when the record stays as it is: another process may be storing tokens. */
  async #refused(lease: Lease, refused: FoundRecord): Promise<Refreshed> {
    let last = refused
    for (const pause of doubts) {
      await sleep(pause)
      const current = await persistently(() => this.#records.reread(refused))
      if (
        stillHas(current, refused, mainToken) &&
        spentBy(current.record) === spentBy(refused.record)
      ) {
        last = current
        continue
      }
      const left = await this.#doubt(current, refused)
      await lease.release()
      if (isSameGrant(left, refused)) this.#tell('refresh_recovered', refused, {})
      return left
    }
    if (lease.again) this.#tell('reuse_suspected', refused, {})
    const isLost = lease.again || last.record.revived === true
    const ended = await this.#end(refused, isLost ? lost : 'revoked')
    await lease.release()
    return ended
  }

  /**
   * Others have stored tokens for what was refused: the provider has seen it twice, and may have
   * revoked what it gave for it. If that has been found out already, this is why.
   */
  async #doubt(current: Refreshed, refused: FoundRecord): Promise<Refreshed> {
    if (current?.record.grantId !== refused.record.grantId) return current
    const { ended } = current.record
    if (ended !== undefined && ended !== 'revoked') return current
    const news: Partial<TokenRecord> = ended === undefined ? { revived: true } : { ended: lost }
    const record = { ...current.record, ...news }
    const version = await this.#records.update(current, record).catch(() => undefined)
    return version === undefined ? current : { ...current, version, record }
  }

  /** Leaves word for all processes of an attempt that brought no tokens; gives its error. */
  async #left(lease: Lease, error: unknown, slot: string | undefined): Promise<unknown> {
    const { progress } = lease.presented
    if (progress === 'unsent') this.#leases.abandon(lease)
    // A scope or a resource that is refused says nothing about the grant's other tokens.
    const isOfSlot = error instanceof ClientMisconfiguredError && ofTarget.has(error.error)
    if (slot !== undefined && isOfSlot) await lease.release()
    else if (!(error instanceof StoreUnavailableError)) {
      await lease.leave(aftermathOf(error, lease, this.#leases.times.token))
    } else if (progress === 'unsent') await lease.giveBack()
    return error
  }

  /** Ends the grant of the tokens that were found, unless it has others by now. */
  async #end(found: FoundRecord, reason: ReauthReason): Promise<Refreshed> {
    let current: Refreshed = found
    while (stillHas(current, found, mainToken)) {
      const { receivedAt } = current.record.tokens
      const tokens = { accessToken: '', receivedAt }
      const record = { ...current.record, tokens, further: undefined, ended: reason }
      const before: FoundRecord = current
      const version = await persistently(() => this.#records.update(before, record))
      if (version !== undefined) {
        this.#tell('reauth_required', found, { reason })
        return { ...current, version, record }
      }
      current = await persistently(() => this.#records.reread(found))
    }
    return current
  }

  /** Who waits for another process does not wait for ever; asked after a look, as time may have stood still. */
  #checkPatience(startedAt: number): void {
    const waited = (performance.now() - startedAt) / 1000
    if (waited <= this.#leases.times.lease + waitBeyond) return
    const { name } = this.#server.provider
    throw new ProviderUnavailableError(name, 'another process is refreshing still')
  }

  #closed({ wait, refusal }: Standing & { is: 'closed' }): BehalfError {
    const { name } = this.#server.provider
    if (refusal !== undefined) return new ClientMisconfiguredError(name, refusal)
    return new ProviderUnavailableError(name, 'the last attempt to refresh has failed', wait)
  }

  #tell<Type extends RefreshEvent>(
    type: Type,
    { record }: FoundRecord,
    fields: Omit<EventFields[Type], 'provider' | 'grant'>,
  ): void {
    const about = { provider: record.provider, grant: grantHash(record) }
    emit(this.#listener, { type, ...about, ...fields } as Happening)
  }
}

type RefreshEvent = Extract<
  Happening['type'],
  `refresh${string}` | `lease_${string}` | 'reauth_required' | 'reuse_suspected'
>

function flightOf({ record }: FoundRecord, target: TokenTarget): string {
  const held = heldFor(record, target)
  return [record.grantId, slotOf(record, target), sha256(held?.accessToken ?? '')].join(' ')
}

/** `undefined` for a refresh token that is refused; throws whatever else went wrong. */
function nothingWhenRefused(error: unknown): undefined {
  if (!(error instanceof InvalidGrant)) throw error
}
