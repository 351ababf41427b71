import { notCountable } from '../counter.ts'
import type { StoredValue } from '../store.ts'
import type { Argument, RedisConnection } from './connection.ts'
import { checkBytes, makeRecord, readRecord, versionBytesOf, versionOf } from './record.ts'
import type { RecordScripts, Script } from './scripts.ts'

/** Where a record is, and how the scripts are told. */
export interface RecordPlace {
  redisKey: string
  check: number
  /** ARGV[2] of the scripts. */
  argument: Argument
}

/** Longer than that is for ever: the sum with the server's clock stays exact, and far from its limits. */
const longestMs = 1e14

/** Commands that are sent before the first reply is waited for. */
export const batchSize = 250

/** Records that are looked at by one step of a listing; the server serves others in between. */
export const pageSize = 250

/** Records that are looked at by one step of a sweep. */
export const sweepSize = 64

/**
 * The operations of a store in one way of laying out its records. Each is atomic: one command, or
 * one script on one key. `lives` is in milliseconds, `Infinity` for ever, 0 for what is not to be
 * stored.
 */
export abstract class RedisLayout {
  readonly connection: RedisConnection
  readonly #scripts: RecordScripts

  constructor(connection: RedisConnection, scripts: RecordScripts) {
    this.connection = connection
    this.#scripts = scripts
  }

  abstract place(key: string): RecordPlace
  abstract get(key: string): Promise<StoredValue | undefined>
  abstract set(key: string, value: Uint8Array, lives: number): Promise<void>
  abstract delete(key: string): Promise<boolean>
  abstract getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>>
  abstract deleteMany(keys: readonly string[]): Promise<number>
  /** The keys that begin with `prefix`, page by page; one may come twice. */
  abstract pages(prefix: string): AsyncGenerator<string[], void, undefined>
  abstract clear(prefix: string): Promise<void>
  /** Removes a few of the records that have expired and that the server does not expire itself. */
  abstract sweep(): Promise<void>

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    lives: number,
  ): Promise<string | undefined> {
    const expected = version === undefined ? '' : versionBytesOf(version)
    if (expected === undefined) return undefined
    const place = this.place(key)
    const record = makeRecord(place.check, value)
    const args = [expected, record, milliseconds(lives)]
    const swapped = await this.run(this.#scripts.compareAndSwap, place, args)
    return isOne(swapped) ? versionOf(record) : undefined
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    const expected = versionBytesOf(version)
    if (!expected) return false
    return isOne(await this.run(this.#scripts.compareAndDelete, this.place(key), [expected]))
  }

  async increment(key: string, by: number, lives: number): Promise<number> {
    const place = this.place(key)
    const empty = makeRecord(place.check, new Uint8Array())
    const args = [String(by), empty, milliseconds(lives)]
    const digits = await this.run(this.#scripts.increment, place, args)
    if (digits === null) throw notCountable()
    return Number(digits)
  }

  async ttl(key: string): Promise<number | undefined> {
    const left = Number(await this.run(this.#scripts.ttl, this.place(key), []))
    if (left === -1) return Infinity
    return left >= 0 ? left / 1000 : undefined
  }

  async expire(key: string, lives: number): Promise<boolean> {
    const args = [milliseconds(lives)]
    return isOne(await this.run(this.#scripts.expire, this.place(key), args))
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    lives: number,
  ): Promise<void> {
    // Of equal keys the last one stays, also where commands go to several servers.
    const last = [...new Map(entries)]
    await inBatches(last, ([key, value]) => this.set(key, value, lives))
  }

  protected async getByScript(place: RecordPlace): Promise<StoredValue | undefined> {
    return readRecord(await this.run(this.#scripts.get, place, []), place.check)
  }

  protected async setByScript(key: string, value: Uint8Array, lives: number): Promise<void> {
    const place = this.place(key)
    const args = [makeRecord(place.check, value), milliseconds(lives)]
    await this.run(this.#scripts.set, place, args)
  }

  protected async deleteByScript(key: string): Promise<boolean> {
    return isOne(await this.run(this.#scripts.delete, this.place(key), []))
  }

  protected run(script: Script, place: RecordPlace, args: readonly Argument[]): Promise<unknown> {
    const { redisKey, check, argument } = place
    return script.run(this.connection, redisKey, [checkBytes(check), argument, ...args])
  }
}

/** Calls for all items, a batch at a time, so that neither side has to buffer all of them. */
export async function inBatches<Item, Result>(
  items: readonly Item[],
  call: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = []
  for (let at = 0; at < items.length; at += batchSize) {
    results.push(...(await Promise.all(items.slice(at, at + batchSize).map(call))))
  }
  return results
}

/** A client that was handed in may give numbers as text (`stringNumbers` of ioredis). */
function isOne(reply: unknown): boolean {
  return Number(reply) === 1
}

/** As Redis takes it: whole milliseconds, -1 for ever. */
export function milliseconds(lives: number): string {
  return lives > longestMs ? '-1' : String(Math.ceil(lives))
}

/** A pattern of SCAN for what begins with exactly `text`. */
export function patternFor(text: string): string {
  return `${text.replace(/[\\*?[\]]/g, '\\$&')}*`
}
