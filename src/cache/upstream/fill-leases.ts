import { hash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../stores/store.ts'
import { type Call, hitForMiss, isLasting, type Outcome } from './collapsing.ts'

/** Seconds, except `poll`. */
const times = {
  /** A lease ends so long after its holder was last heard of. */
  lease: 1,
  renewal: 0.3,
  /** Nobody waits for another process for longer. */
  wait: 2,
  /** Milliseconds between two looks: the shortest, and the longest. */
  poll: [25, 250],
} as const

const held = new Uint8Array([1])
const apart = new Uint8Array([2])

/** What fills an entry, and how it is found once another process has filled it. */
export interface Fill<T> {
  /** What is stored and may be served; `undefined` when there is nothing. */
  find: () => Promise<Outcome<T> | undefined>
  /** Calls upstream, and has stored what came when it resolves. */
  call: Call<T>
}

/**
 * Makes one upstream call of equal ones at the same time, over all processes that share a store.
 *
 * Who fills an entry holds a lease in the store, beside the entry; it is renewed while the call goes
 * on and ends a second after its holder died. The others look for the entry for two seconds at most
 * and then call themselves. What cannot be shared leaves a mark in the lease's place, which
 * releases all who wait, together, and keeps the next ones from waiting. A store that fails is
 * passed by.
 */
export class FillLeases {
  readonly #store: Store
  readonly #namespace: string
  readonly #hardLimit: number

  /** `hardLimit`: seconds after which nobody holds a lease any more, whatever the call does. */
  constructor(store: Store, namespace: string, hardLimit: number) {
    this.#store = store
    this.#namespace = namespace
    this.#hardLimit = hardLimit
  }

  /** Rejects with the reason of `signal`, or as `call` does. */
  async fetch<T>(key: string, signal: AbortSignal | undefined, fill: Fill<T>): Promise<Outcome<T>> {
    const place = `${this.#namespace}:fill:${hash('sha256', key, 'hex')}`
    const giveUpAt = performance.now() + times.wait * 1000
    for (let looks = 0; performance.now() < giveUpAt; looks += 1) {
      const standing = await this.#take(place, looks === 0)
      if (standing === 'apart') break
      if (standing !== 'held') return this.#fill(standing, signal, fill)
      await pause(looks, signal)
    }
    return fill.call(signal)
  }

  /** Gives the lease, or who has it; `apart` where nobody is to wait, or the store cannot say. */
  async #take(place: string, isFirst: boolean): Promise<FillLease | 'held' | 'apart'> {
    try {
      // Mostly there is none.
      const found = isFirst ? undefined : await this.#store.get(place)
      if (found) return standingOf(found.value)
      const ttl = times.lease
      const version = await this.#store.compareAndSwap(place, undefined, held, { ttl })
      if (version !== undefined) {
        return new FillLease(this.#store, { place, version, endsAfter: this.#hardLimit })
      }
      const other = await this.#store.get(place)
      return other ? standingOf(other.value) : 'held'
    } catch {
      return 'apart'
    }
  }

  async #fill<T>(
    lease: FillLease,
    signal: AbortSignal | undefined,
    { find, call }: Fill<T>,
  ): Promise<Outcome<T>> {
    let outcome: Outcome<T> | undefined
    try {
      // Another process may have filled it, and given its lease back, since we looked.
      outcome = (await find()) ?? (await call(signal))
      return outcome
    } finally {
      lease.end(outcome !== undefined && !outcome.shared && isLasting(outcome.response))
    }
  }
}

/** What a store returns may be anything: what is no mark counts as held, which ends by itself. */
function standingOf(value: Uint8Array): 'held' | 'apart' {
  return Buffer.compare(value, apart) === 0 ? 'apart' : 'held'
}

/** The right to fill an entry, kept up until it is ended. */
class FillLease {
  readonly #store: Store
  readonly #place: string
  readonly #renewals: NodeJS.Timeout
  readonly #endsAt: number
  /** `undefined` once it is lost. */
  #version: Promise<string | undefined>

  constructor(
    store: Store,
    { place, version, endsAfter }: { place: string; version: string; endsAfter: number },
  ) {
    this.#store = store
    this.#place = place
    this.#version = Promise.resolve(version)
    this.#endsAt = performance.now() + endsAfter * 1000
    this.#renewals = setInterval(() => this.#renew(), times.renewal * 1000).unref()
  }

  /** Gives it back, in the background; `isApart` leaves the mark that nobody is to wait. */
  end(isApart: boolean): void {
    clearInterval(this.#renewals)
    this.#replace(async (version) => {
      if (!isApart) await this.#store.compareAndDelete(this.#place, version)
      else await this.#store.compareAndSwap(this.#place, version, apart, { ttl: hitForMiss })
      return undefined
    })
  }

  #renew(): void {
    if (performance.now() > this.#endsAt) return clearInterval(this.#renewals)
    const ttl = times.lease
    this.#replace((version) => this.#store.compareAndSwap(this.#place, version, held, { ttl }))
  }

  /** One step after the other: each needs the version that the one before has left. */
  #replace(step: (version: string) => Promise<string | undefined>): void {
    const next = this.#version.then((version) =>
      version === undefined ? undefined : step(version),
    )
    this.#version = next.catch(() => undefined)
  }
}

/** Longer from look to look, and never the same for all who wait. */
async function pause(looks: number, signal: AbortSignal | undefined): Promise<void> {
  const [shortest, longest] = times.poll
  const most = Math.min(longest, shortest * 2 ** (looks + 1))
  const ms = shortest + Math.random() * (most - shortest)
  await sleep(ms, undefined, { signal }).catch(() => signal?.throwIfAborted())
}
