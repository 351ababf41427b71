import type { Store } from '../stores/store.ts'
import { encodeLease, type LeaseEntry } from './lease-entry.ts'
import type { Presentation } from './presentation.ts'

/** Seconds that an entry is kept: longer than clocks are apart. */
export const leaseTtl = 24 * 3600

/** How an attempt that brought no tokens is left behind. */
export interface Aftermath {
  phase: 'unknown' | 'cooling'
  /** The provider may have accepted the token all the same. */
  again: boolean
  /** Seconds in which nobody asks. */
  pause: number
  refusal?: string | undefined
}

/** Where a lease stands in the store. */
interface LeasePlace {
  readonly store: Store
  readonly key: string
  readonly version: string
  readonly entry: LeaseEntry
}

/**
 * The right to present one refresh token once. Giving it back changes nothing for whoever has taken
 * it over meanwhile; a store that cannot be told will end it by time.
 */
export class Lease {
  readonly #place: LeasePlace
  readonly #takenAt = performance.now()
  readonly presented: Presentation

  constructor(place: LeasePlace, presented: Presentation) {
    this.#place = place
    this.presented = presented
  }

  get owner(): string {
    return this.#place.entry.owner
  }

  /** The token may have been presented before, with an outcome that nobody knows. */
  get again(): boolean {
    return this.#place.entry.again
  }

  get failures(): number {
    return this.#place.entry.failures
  }

  /** Seconds since it was taken. */
  get age(): number {
    return (performance.now() - this.#takenAt) / 1000
  }

  async release(): Promise<void> {
    const { store, key, version } = this.#place
    await store.compareAndDelete(key, version).catch(() => {})
  }

  /** Gives it back unused: what was known of attempts before it stays known. */
  async giveBack(): Promise<void> {
    const { store, key, version, entry } = this.#place
    if (!entry.again && entry.failures === 0) return this.release()
    const left: LeaseEntry = { ...entry, phase: 'cooling', notBefore: undefined, pause: undefined }
    const ttl = leaseTtl
    await store.compareAndSwap(key, version, encodeLease(left), { ttl }).catch(() => {})
  }

  /** Leaves word for all processes. */
  async leave({ phase, again, pause, refusal }: Aftermath): Promise<void> {
    const { store, key, version, entry } = this.#place
    const failures = entry.failures + 1
    const notBefore = Math.floor(Date.now() + pause * 1000)
    const left: LeaseEntry = { ...entry, phase, again, failures, pause, notBefore, refusal }
    const ttl = leaseTtl
    await store.compareAndSwap(key, version, encodeLease(left), { ttl }).catch(() => {})
  }
}
