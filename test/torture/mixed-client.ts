import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../src/stores/store.ts'
import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { now } from './clock.ts'

/** What one client did, and what it saw that cannot be. */
export interface MixedRecord {
  operations: number
  /** By counter, the sum of what was added and acknowledged. */
  counted: Record<string, number>
  /** When a lease was held: from its being given until its release was asked for, or its end. */
  held: Array<{ lease: string; from: number; to: number }>
  wrong: string[]
}

/** Leases that are given up without a release end by themselves, after this many ms. */
const abandonedMs = 150
/** A clock that counts whole milliseconds may end a lease this much early. */
const toleranceMs = 2

/** Calls of every kind on keys that other clients use at the same time. */
export class MixedClient {
  readonly #store: Store
  readonly #name: string
  readonly #prefix: string
  readonly #random: SeededRandom
  readonly record: MixedRecord = { operations: 0, counted: {}, held: [], wrong: [] }
  #written = 0

  constructor(store: Store, options: { name: string; prefix: string; random: SeededRandom }) {
    this.#store = store
    this.#name = options.name
    this.#prefix = options.prefix
    this.#random = options.random
  }

  async run(operations: number, progress: () => void): Promise<void> {
    for (let done = 0; done < operations; done += 1) {
      try {
        await this.#one()
      } catch (error) {
        this.record.wrong.push(`${this.#name}: ${String(error)}`)
        if (this.record.wrong.length > 20) return
      }
      this.record.operations += 1
      if (done % 100 === 0) progress()
    }
  }

  async #one(): Promise<void> {
    const kind = this.#random.next()
    if (kind < 0.3) await this.#read()
    else if (kind < 0.5) await this.#write()
    else if (kind < 0.6) await this.#readMany()
    else if (kind < 0.65) await this.#remove()
    else if (kind < 0.8) await this.#count()
    else if (kind < 0.9) await this.#countByComparing()
    else await this.#hold()
  }

  async #read(): Promise<void> {
    const key = this.#key('value')
    this.#check(key, (await this.#store.get(key))?.value)
  }

  async #readMany(): Promise<void> {
    const keys = Array.from({ length: 5 }, () => this.#key('value'))
    const found = (await this.#store.getMany?.(keys)) ?? []
    for (const [index, entry] of found.entries()) this.#check(keys[index] ?? '', entry?.value)
  }

  async #write(): Promise<void> {
    const key = this.#key('value')
    this.#written += 1
    const filler = String(this.#written).repeat(this.#random.between(1, 400))
    await this.#store.set(key, Buffer.from(`${key}|${this.#name}|${this.#written}|${filler}`), {
      ttl: this.#random.next() < 0.2 ? 0.05 : 600,
    })
  }

  async #remove(): Promise<void> {
    const key = this.#key('value')
    if (this.#random.next() < 0.5) await this.#store.delete(key)
    else {
      const found = await this.#store.get(key)
      if (found) await this.#store.compareAndDelete(key, found.version)
    }
  }

  async #count(): Promise<void> {
    if (!this.#store.increment) return this.#countByComparing()
    const counter = this.#key('counter')
    const by = this.#random.between(-3, 10)
    await this.#store.increment(counter, by)
    this.#add(counter, by)
  }

  async #countByComparing(): Promise<void> {
    const counter = this.#key('compared')
    const found = await this.#store.get(counter)
    const next = Buffer.from(String(Number(found ? Buffer.from(found.value) : 0) + 1))
    if (await this.#store.compareAndSwap(counter, found?.version, next)) this.#add(counter, 1)
  }

  async #hold(): Promise<void> {
    const lease = this.#key('lease')
    const abandoned = this.#random.next() < 0.1
    const askedAt = now()
    const ttl = abandoned ? abandonedMs / 1000 : 30
    const version = await this.#store.compareAndSwap(lease, undefined, Buffer.from(this.#name), {
      ttl,
    })
    if (version === undefined) return
    const from = now()
    if (abandoned) {
      this.record.held.push({ lease, from, to: askedAt + abandonedMs - toleranceMs })
      return
    }
    if (this.#random.next() < 0.5) await sleep(this.#random.next() * 2)
    this.record.held.push({ lease, from, to: now() })
    const released = await this.#store.compareAndDelete(lease, version)
    if (!released) this.record.wrong.push(`${lease} was lost while it was held`)
  }

  /** A value says which key it is of, and is whole. */
  #check(key: string, value: Uint8Array | undefined): void {
    if (!value) return
    const [of, , number = '', filler = ''] = Buffer.from(value).toString().split('|')
    if (of === key && number !== '' && filler.replaceAll(number, '') === '') return
    this.record.wrong.push(`${key} gave ${Buffer.from(value).toString().slice(0, 80)}`)
  }

  #add(counter: string, by: number): void {
    this.record.counted[counter] = (this.record.counted[counter] ?? 0) + by
  }

  #key(kind: string): string {
    return `${this.#prefix}:${kind}:${this.#random.between(0, kind === 'value' ? 19 : 3)}`
  }
}
