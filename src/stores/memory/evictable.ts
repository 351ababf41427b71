import { LRUCache } from 'lru-cache'
import { ConfigError } from '../../errors.ts'
import { checkCount } from '../limits.ts'
import { Counted, Shares } from './shares.ts'

/** How much is kept in memory. */
export interface EvictableOptions {
  /** Bytes of values; the least recently used go first. Defaults to 64 MiB. */
  maxBytes?: number | undefined
  /** Number of values, at most 10,000,000. Defaults to 10,000. */
  maxEntries?: number | undefined
  /**
   * The part of both that one partition may hold once there is no room left, from 0 to 1; what it
   * has beyond goes before anything of the others. A key's partition is all before its last `:`,
   * which for stored responses is one grant's. Defaults to 0.25.
   */
  partitionShare?: number | undefined
}

/** Where an entry is; what is written anew stays in its slot. */
class Slot<Entry> extends Counted {
  entry: Entry

  constructor(key: string, entry: Entry) {
    super(key)
    this.entry = entry
  }
}

/**
 * Entries that may go before their time: bounded, and shared out between partitions. Throws a
 * `ConfigError` for bounds that are not positive integers, and a share beyond 0 to 1; `name` is whose
 * they are.
 */
export class Evictable<Entry> {
  readonly maxBytes: number
  readonly #slots: LRUCache<string, Slot<Entry>>
  readonly #shares: Shares

  constructor(name: string, options: EvictableOptions) {
    const { maxBytes = 64 * 2 ** 20, maxEntries = 10_000, partitionShare = 0.25 } = options
    this.maxBytes = checkCount(`${name}: maxBytes`, maxBytes)
    checkEntries(name, maxEntries)
    const share = checkShare(name, partitionShare)
    this.#shares = new Shares({ maxBytes, maxEntries, share })
    this.#slots = new LRUCache({ max: maxEntries, dispose: (slot) => this.#shares.remove(slot) })
  }

  /** Counts as a use. */
  get(key: string): Entry | undefined {
    const slot = this.#slots.get(key)
    if (!slot) return undefined
    this.#shares.use(slot)
    return slot.entry
  }

  /** `bytes`: what it counts for. */
  set(key: string, entry: Entry, bytes: number): void {
    const slot = this.#slots.peek(key) ?? new Slot(key, entry)
    slot.entry = entry
    // An empty value takes room too.
    const excess = this.#shares.count(slot, bytes || 1)
    for (const other of excess) this.#slots.delete(other.key)
    this.#slots.set(key, slot)
    while (this.#shares.areExceeded) this.#slots.pop()
  }

  delete(key: string): void {
    this.#slots.delete(key)
  }

  keys(): Iterable<string> {
    return this.#slots.keys()
  }
}

/** Room for all of them is made at once: for too many, that would end the process. */
const mostEntries = 10_000_000

function checkEntries(name: string, maxEntries: number): void {
  if (checkCount(`${name}: maxEntries`, maxEntries) <= mostEntries) return
  throw new ConfigError(`${name}: maxEntries must be at most ${mostEntries}.`)
}

function checkShare(name: string, share: number): number {
  if (typeof share === 'number' && share > 0 && share <= 1) return share
  throw new ConfigError(`${name}: partitionShare must be more than 0 and at most 1.`)
}
