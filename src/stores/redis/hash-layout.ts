import { isUtf8 } from 'node:buffer'
import type { StoredValue } from '../store.ts'
import type { RedisConnection } from './connection.ts'
import { RedisLayout, batchSize, inBatches, pageSize, patternFor, sweepSize } from './layout.ts'
import type { RecordPlace } from './layout.ts'
import { checkOf, readRecord } from './record.ts'
import { hashGetMany, hashScan, hashScripts } from './scripts.ts'

/**
 * One hash named like the namespace, a field for each record. Fields have no ttl (before Redis 7.4):
 * every record has a deadline, which is looked at by the server's clock, and is swept away later.
 */
export class HashLayout extends RedisLayout {
  readonly #hash: string
  #sweepCursor = '0'

  constructor(connection: RedisConnection, namespace: string) {
    super(connection, hashScripts)
    this.#hash = namespace
  }

  override place(key: string): RecordPlace {
    return { redisKey: this.#hash, check: this.#check(key), argument: key }
  }

  override get(key: string): Promise<StoredValue | undefined> {
    return this.getByScript(this.place(key))
  }

  override set(key: string, value: Uint8Array, lives: number): Promise<void> {
    return this.setByScript(key, value, lives)
  }

  override delete(key: string): Promise<boolean> {
    return this.deleteByScript(key)
  }

  override async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    const found: Array<StoredValue | undefined> = []
    for (let at = 0; at < keys.length; at += batchSize) {
      const batch = keys.slice(at, at + batchSize)
      const replies = await hashGetMany.run(this.connection, this.#hash, batch)
      for (const [index, reply] of (replies as unknown[]).entries()) {
        found.push(readRecord(reply, this.#check(batch[index] ?? '')))
      }
    }
    return found
  }

  override async deleteMany(keys: readonly string[]): Promise<number> {
    const deleted = await inBatches([...new Set(keys)], (key) => this.deleteByScript(key))
    return deleted.filter(Boolean).length
  }

  override async *pages(prefix: string): AsyncGenerator<string[], void, undefined> {
    for await (const fields of this.#fields(prefix)) {
      yield fields.filter(isUtf8).map((field) => field.toString())
    }
  }

  override async clear(prefix: string): Promise<void> {
    if (prefix === '') {
      await this.connection.call(this.#hash, 'unlink', [this.#hash])
      return
    }
    for await (const fields of this.#fields(prefix)) {
      for (let at = 0; at < fields.length; at += batchSize) {
        const batch = fields.slice(at, at + batchSize)
        await this.connection.call(this.#hash, 'hdel', [this.#hash, ...batch])
      }
    }
  }

  override async sweep(): Promise<void> {
    this.#sweepCursor = (await this.#scan(this.#sweepCursor, '*', sweepSize)).cursor
  }

  #check(key: string): number {
    return checkOf(`${this.#hash}:${key}`)
  }

  async *#fields(prefix: string): AsyncGenerator<Buffer[], void, undefined> {
    let cursor = '0'
    do {
      const page = await this.#scan(cursor, patternFor(prefix), pageSize)
      yield page.fields
      cursor = page.cursor
    } while (cursor !== '0')
  }

  async #scan(
    from: string,
    pattern: string,
    count: number,
  ): Promise<{ cursor: string; fields: Buffer[] }> {
    const args = [from, pattern, String(count)]
    const reply = await hashScan.run(this.connection, this.#hash, args)
    const [cursor, fields] = reply as [unknown, Buffer[]]
    return { cursor: String(cursor), fields }
  }
}
