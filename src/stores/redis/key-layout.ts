import { isUtf8 } from 'node:buffer'
import type { StoredValue } from '../store.ts'
import { refusal } from './connection.ts'
import type { RedisConnection, RedisNode } from './connection.ts'
import {
  RedisLayout,
  batchSize,
  inBatches,
  milliseconds,
  pageSize,
  patternFor,
  sweepSize,
} from './layout.ts'
import type { RecordPlace } from './layout.ts'
import { checkOf, hasDeadline, makeRecord, readRecord } from './record.ts'
import { keyScripts } from './scripts.ts'

/**
 * A Redis key `namespace:key` for each record, which Redis itself expires.
 *
 * With `droppable`, the server may drop what has a ttl before its time (`volatile-*`). What
 * `compareAndSwap` and `increment` write has none there, but a deadline, and is swept away later.
 */
export class KeyLayout extends RedisLayout {
  readonly #prefix: string
  readonly #droppable: boolean
  #sweep = { master: 0, cursor: '0' }

  constructor(connection: RedisConnection, namespace: string, droppable: boolean) {
    super(connection, keyScripts)
    this.#prefix = `${namespace}:`
    this.#droppable = droppable
  }

  override place(key: string): RecordPlace {
    const redisKey = this.#prefix + key
    return { redisKey, check: checkOf(redisKey), argument: this.#droppable ? '1' : '0' }
  }

  override async get(key: string): Promise<StoredValue | undefined> {
    const place = this.place(key)
    if (this.#droppable) return this.getByScript(place)
    const { redisKey } = place
    let reply: unknown
    try {
      reply = await this.connection.call(redisKey, 'get', [redisKey])
    } catch (error) {
      // A list, a hash or the like is nothing that we have written.
      if (refusal(error) === 'WRONGTYPE') return undefined
      throw error
    }
    // Also here: the server's policy may have been another when it was written.
    return hasDeadline(reply) ? this.getByScript(place) : readRecord(reply, place.check)
  }

  override async set(key: string, value: Uint8Array, lives: number): Promise<void> {
    const { redisKey, check } = this.place(key)
    if (lives === 0) {
      await this.connection.call(redisKey, 'unlink', [redisKey])
      return
    }
    const record = makeRecord(check, value)
    const ttl = milliseconds(lives)
    const expiry = ttl === '-1' ? [] : ['PX', ttl]
    await this.connection.call(redisKey, 'set', [redisKey, record, ...expiry])
  }

  override async delete(key: string): Promise<boolean> {
    if (this.#droppable) return this.deleteByScript(key)
    return (await this.#unlink(this.#prefix + key)) > 0
  }

  override async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    if (this.connection.clustered) return inBatches(keys, (key) => this.get(key))
    const found: Array<StoredValue | undefined> = []
    for (let at = 0; at < keys.length; at += batchSize) {
      found.push(...(await this.#getBatch(keys.slice(at, at + batchSize))))
    }
    return found
  }

  override async deleteMany(keys: readonly string[]): Promise<number> {
    const distinct = [...new Set(keys)]
    if (this.#droppable) {
      const deleted = await inBatches(distinct, (key) => this.deleteByScript(key))
      return deleted.filter(Boolean).length
    }
    return this.#unlinkMany(distinct.map((key) => this.#prefix + key))
  }

  override async *pages(prefix: string): AsyncGenerator<string[], void, undefined> {
    for await (const redisKeys of this.#found(prefix)) yield this.#living(redisKeys)
  }

  override async clear(prefix: string): Promise<void> {
    for await (const redisKeys of this.#found(prefix)) await this.#unlinkMany(redisKeys)
  }

  override async sweep(): Promise<void> {
    if (!this.#droppable) return
    const masters = await this.connection.masters()
    const master = masters[this.#sweep.master % masters.length]
    if (!master) return
    const step = { cursor: this.#sweep.cursor, pattern: this.#pattern(''), count: sweepSize }
    const { found, cursor } = await this.#scan(master, step)
    await this.#living(found)
    this.#sweep = { master: this.#sweep.master + (cursor === '0' ? 1 : 0), cursor }
  }

  async #getBatch(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    const places = keys.map((key) => this.place(key))
    const redisKeys = places.map(({ redisKey }) => redisKey)
    const replies = (await this.connection.call(redisKeys[0]!, 'mget', redisKeys)) as unknown[]
    return Promise.all(
      places.map(async (place, index) =>
        hasDeadline(replies[index])
          ? this.getByScript(place)
          : readRecord(replies[index], place.check),
      ),
    )
  }

  async #unlinkMany(redisKeys: readonly string[]): Promise<number> {
    let count = 0
    if (this.connection.clustered) {
      for (const one of await inBatches(redisKeys, (key) => this.#unlink(key))) count += one
      return count
    }
    for (let at = 0; at < redisKeys.length; at += batchSize) {
      count += await this.#unlink(...redisKeys.slice(at, at + batchSize))
    }
    return count
  }

  async #unlink(...redisKeys: string[]): Promise<number> {
    return Number(await this.connection.call(redisKeys[0]!, 'unlink', redisKeys))
  }

  async *#found(prefix: string): AsyncGenerator<string[], void, undefined> {
    const pattern = this.#pattern(prefix)
    for (const master of await this.connection.masters()) {
      let cursor = '0'
      do {
        const page = await this.#scan(master, { cursor, pattern })
        yield page.found
        cursor = page.cursor
      } while (cursor !== '0')
    }
  }

  #pattern(prefix: string): string {
    return patternFor(this.connection.keyPrefix + this.#prefix + prefix)
  }

  /** Gives Redis keys as the commands of this client take them. */
  async #scan(
    master: RedisNode,
    step: { cursor: string; pattern: string; count?: number },
  ): Promise<{ cursor: string; found: string[] }> {
    const { pattern, count = pageSize } = step
    const args = [step.cursor, 'MATCH', pattern, 'COUNT', String(count)]
    const [cursor, found] = (await master.call('scan', args)) as [unknown, Buffer[]]
    const { length } = this.connection.keyPrefix
    const keys = found.filter(isUtf8).map((key) => key.toString().slice(length))
    return { cursor: String(cursor), found: keys }
  }

  /** Where records have deadlines, looking at one also removes it when that has passed. */
  async #living(redisKeys: readonly string[]): Promise<string[]> {
    const keys = redisKeys.map((key) => key.slice(this.#prefix.length))
    if (!this.#droppable) return keys
    const left = await Promise.all(keys.map((key) => this.ttl(key)))
    return keys.filter((_, index) => left[index] !== undefined)
  }
}
