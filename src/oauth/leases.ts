import { randomBytes } from 'node:crypto'
import { Recent } from '../recent.ts'
import type { Store } from '../stores/store.ts'
import { Lease, leaseTtl } from './lease.ts'
import { decodeLease, encodeLease, type LeaseEntry } from './lease-entry.ts'
import { type Sight, type Standing, standingOf } from './lease-standing.ts'
import { Presentation, thisInstant } from './presentation.ts'
import { sha256 } from './token-record.ts'

/** Seconds. */
export interface LeaseTimes {
  /** A token request with its reply. */
  readonly token: number
  /** A whole refresh: getting on its way, the token request, keeping what came. */
  readonly lease: number
}

/** Since when a version has been there, and when it was last seen. */
interface Watch {
  version: string
  since: number
  seenAt: number
}

/** Of what a lease has beside the token request, this part is for getting on its way. */
const partBeforeSending = 5 / 12

/** A lease as it was seen: what stands in its place, under which version, for how long. */
export interface SeenLease extends Sight {
  readonly key: string
  /** `undefined` where nothing stands. */
  readonly version: string | undefined
}

/**
 * Leases, one for each token record: over all processes only their holder presents the record's
 * refresh token. An entry in the store, always written by comparison, says who that is.
 */
export class Leases {
  readonly times: LeaseTimes
  readonly #store: Store
  readonly #watched = new Recent<Watch>(10_000)
  /** Owners of this process that have sent nothing, and never will. */
  readonly #idle = new Recent<true>(1_000)

  constructor(store: Store, times: LeaseTimes) {
    this.#store = store
    this.times = times
  }

  /** What stands at the place of a record's lease. */
  async look(recordKey: string): Promise<SeenLease> {
    const key = `${recordKey}:lease`
    const stored = await this.#store.get(key).catch((error: unknown) => {
      // Who holds it cannot store its tokens now either.
      this.#watched.delete(key)
      throw error
    })
    if (!stored) return { key, version: undefined, entry: undefined, watched: Infinity }
    const { version, value } = stored
    return { key, version, entry: decodeLease(value), watched: this.#watchedFor(key, version) }
  }

  /** What that means for who wants to present this token. */
  standing({ version, entry, watched }: SeenLease, refreshToken: string): Standing {
    const token = sha256(refreshToken)
    if (version === undefined) return { is: 'free', failures: 0, again: false }
    const isLeft = entry?.phase === 'taken' && this.#idle.get(entry.owner)
    if (isLeft && entry.token === token) {
      return { is: 'free', failures: entry.failures, again: entry.again }
    }
    return standingOf({ entry, watched }, token, this.times.lease)
  }

  /** Takes a lease that was seen to be free; `undefined` when somebody was faster. */
  async take(
    seen: SeenLease,
    refreshToken: string,
    { failures, again }: Pick<LeaseEntry, 'failures' | 'again'>,
  ): Promise<Lease | undefined> {
    const { token, lease } = this.times
    const owner = randomBytes(12).toString('base64url')
    const about = { owner, token: sha256(refreshToken), lease, failures, again }
    const entry: LeaseEntry = { ...about, phase: 'taken' }
    const presented = new Presentation(thisInstant(), (lease - token) * partBeforeSending)
    // A write that fails may have taken place: what it left would keep everybody waiting.
    this.#idle.set(owner, true)
    const ttl = leaseTtl
    const version = await this.#store.compareAndSwap(seen.key, seen.version, encodeLease(entry), {
      ttl,
    })
    this.#idle.delete(owner)
    if (version === undefined) return undefined
    return new Lease({ store: this.#store, key: seen.key, version, entry }, presented)
  }

  /** Tells that an owner of ours has sent nothing and never will. */
  abandon(lease: Lease): void {
    this.#idle.set(lease.owner, true)
  }

  /** Milliseconds between two looks of who watches: two seconds, or a tenth of a short lease. */
  get #closeLook(): number {
    return Math.min(2, this.times.lease / 10) * 1000
  }

  /** Milliseconds that count of a time in which nobody looked. */
  get #unwatched(): number {
    return this.times.lease * 1000 - this.#closeLook
  }

  #watchedFor(key: string, version: string): number {
    const now = performance.now()
    const seen = this.#watched.get(key)
    const isSame = seen?.version === version
    // Who has not looked for a while may have missed an outage, after which the holder comes first.
    const atMost = isSame && now - seen.seenAt > this.#closeLook ? this.#unwatched : Infinity
    const since = isSame ? Math.max(seen.since, now - atMost) : now
    this.#watched.set(key, { version, since, seenAt: now })
    return (now - since) / 1000
  }
}
