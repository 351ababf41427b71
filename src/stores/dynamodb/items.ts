import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../../errors.ts'
import { notCountable } from '../counter.ts'
import { each } from '../many-keys.ts'
import type { StoredValue } from '../store.ts'
import { newVersion } from '../version.ts'
import { readBatches, writeBatches } from './batches.ts'
import type { WriteRequest } from './batches.ts'
import type { DynamodbOperation, OpenConnection, Send } from './connection.ts'
import { addition, canAdd } from './counter.ts'
import { attemptsOf, isRefused, unknownOutcome } from './failure.ts'
import { absent, live, liveVersion, parameters } from './condition.ts'
import type { Expression } from './condition.ts'
import { expiryItem, readItem, remaining, valueItem } from './item.ts'
import type { Item } from './item.ts'
import { keyQuery, queryKeys } from './key-query.ts'
import type { Partitions } from './partitions.ts'

const maxAdditions = 20
const longestPauseMs = 1000

/**
 * The operations of a store on one table. Each write decides in one call on one item, so that it is
 * atomic; `lives` is in milliseconds and more than 0, `Infinity` for ever.
 */
export class DynamodbItems {
  readonly #send: Send
  readonly #repeats: boolean
  readonly #table: string
  readonly #partitions: Partitions

  constructor({ send, repeats }: OpenConnection, table: string, partitions: Partitions) {
    this.#send = send
    this.#repeats = repeats
    this.#table = table
    this.#partitions = partitions
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return readItem(await this.#item(key), key)
  }

  async set(key: string, value: Uint8Array, lives: number): Promise<void> {
    const item = { ...this.#key(key), ...valueItem(newVersion(), value, lives) }
    await this.#send('PutItem', { TableName: this.#table, Item: item })
  }

  async create(key: string, value: Uint8Array, lives: number): Promise<string | undefined> {
    const put = await this.#put(key, value, lives, absent())
    if (put && this.#repeats && put.attempts > 1) return this.#takeBack(key, put.version)
    return put?.version
  }

  async replace(
    key: string,
    version: string,
    value: Uint8Array,
    lives: number,
  ): Promise<string | undefined> {
    return (await this.#put(key, value, lives, liveVersion(version)))?.version
  }

  /** Tells whether there was a live one, of that version if one is given. */
  async delete(key: string, version?: string): Promise<boolean> {
    const condition = version === undefined ? live() : liveVersion(version)
    const input = { TableName: this.#table, Key: this.#key(key), ...parameters(condition) }
    return (await this.#unlessRefused('DeleteItem', input)) !== undefined
  }

  async *keys(prefix: string): AsyncIterable<string> {
    for (const partition of this.#partitions.all) yield* this.#keysOf(partition, prefix, true)
  }

  async clear(prefix: string): Promise<void> {
    for (const partition of this.#partitions.all) {
      const requests: WriteRequest[] = []
      for await (const key of this.#keysOf(partition, prefix, false)) {
        requests.push({ DeleteRequest: { Key: this.#key(key) } })
      }
      await writeBatches(this.#send, this.#table, requests)
    }
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    const wanted = [...new Set(keys)].map((key) => this.#key(key))
    const items = await readBatches(this.#send, this.#table, wanted)
    const byKey = new Map(items.map((item) => [item['key']?.S, item]))
    return keys.map((key) => readItem(byKey.get(key), key))
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    lives: number,
  ): Promise<void> {
    const requests = entries.map(([key, value]) => {
      const item = { ...this.#key(key), ...valueItem(newVersion(), value, lives) }
      return { PutRequest: { Item: item } }
    })
    await writeBatches(this.#send, this.#table, requests)
  }

  /** One by one: a batch would not tell which of them were there. */
  async deleteMany(keys: readonly string[]): Promise<number> {
    const deleted = await each([...new Set(keys)], (key) => this.delete(key))
    return deleted.filter(Boolean).length
  }

  /** Adds where there is an integer, else begins at 0; whoever is second in that adds. */
  async increment(key: string, by: number, lives: number): Promise<number> {
    let seen = this.#repeats ? await this.#countable(key, by) : undefined
    for (let tries = 0; tries < maxAdditions; tries += 1) {
      const sum = await this.#count(key, by, { lives, seen })
      if (sum !== undefined) return sum
      // Of those who add to what they have read only one succeeds at a time.
      if (this.#repeats) await sleep(Math.random() * Math.min(longestPauseMs, 10 * 2 ** tries))
      seen = await this.#countable(key, by)
    }
    throw new StoreUnavailableError('too many processes count the same key')
  }

  /** In milliseconds. */
  async remaining(key: string): Promise<number | undefined> {
    const item = await this.#item(key)
    return item && readItem(item, key) ? remaining(item) : undefined
  }

  async expire(key: string, lives: number): Promise<boolean> {
    const { expiresAt, expires } = expiryItem(lives)
    const condition = live()
    const input = {
      TableName: this.#table,
      Key: this.#key(key),
      UpdateExpression: expiresAt
        ? 'SET #expiresAt = :expiresAt, #expires = :expires'
        : 'REMOVE #expiresAt, #expires',
      ...parameters({
        text: condition.text,
        names: { ...condition.names, '#expires': 'expires' },
        values: {
          ...condition.values,
          ...(expiresAt && expires ? { ':expiresAt': expiresAt, ':expires': expires } : {}),
        },
      }),
    }
    return (await this.#unlessRefused('UpdateItem', input)) !== undefined
  }

  async #item(key: string): Promise<Item | undefined> {
    const input = { TableName: this.#table, Key: this.#key(key), ConsistentRead: true }
    return (await this.#send<{ Item?: Item }>('GetItem', input)).Item
  }

  async #put(
    key: string,
    value: Uint8Array,
    lives: number,
    condition: Expression,
  ): Promise<{ version: string; attempts: number } | undefined> {
    const version = newVersion()
    const item = { ...this.#key(key), ...valueItem(version, value, lives) }
    const input = { TableName: this.#table, Item: item, ...parameters(condition) }
    const reply = await this.#unlessRefused('PutItem', input, { key, version })
    return reply && { version, attempts: attemptsOf(reply) }
  }

  /**
   * An attempt before the one that succeeded may have been applied too, and deleted since, as by a
   * logout: then what was made again must go.
   */
  async #takeBack(key: string, version: string): Promise<never> {
    await this.delete(key, version)
    throw unknownOutcome()
  }

  /** The version of what is there; throws where `by` cannot be added to it. */
  async #countable(key: string, by: number): Promise<string | undefined> {
    const item = await this.#item(key)
    const present = readItem(item, key)
    if (present && !canAdd(item?.['value']?.N, by)) throw notCountable()
    return present?.version
  }

  /** A client that repeats writes adds only to what was seen, so that it cannot add twice. */
  async #count(
    key: string,
    by: number,
    { lives, seen }: { lives: number; seen: string | undefined },
  ): Promise<number | undefined> {
    const begins = this.#repeats && seen === undefined
    const sum = begins ? undefined : await this.#add(key, by, this.#repeats ? seen : undefined)
    if (sum !== undefined || (this.#repeats && !begins)) return sum
    const digits = Buffer.from(String(by))
    return (await this.create(key, digits, lives)) === undefined ? undefined : by
  }

  async #add(key: string, by: number, seen: string | undefined): Promise<number | undefined> {
    const version = newVersion()
    const input = { TableName: this.#table, Key: this.#key(key), ...addition(version, by, seen) }
    const reply = await this.#unlessRefused('UpdateItem', input, { key, version })
    return reply && Number(reply.Attributes?.['value']?.N)
  }

  /**
   * Gives the reply, nothing where the condition of the operation does not hold. After several
   * attempts of the SDK it may be the first of them that made it so: then the item has our version,
   * or nobody knows.
   */
  async #unlessRefused(
    operation: DynamodbOperation,
    input: object,
    written?: { key: string; version: string },
  ): Promise<WriteReply | undefined> {
    try {
      return await this.#send<WriteReply>(operation, input)
    } catch (error) {
      if (!isRefused(error)) throw error
      if (!this.#repeats || attemptsOf(error) === 1) return undefined
      const item = written && (await this.#item(written.key))
      if (!item || item['version']?.S !== written.version) throw unknownOutcome()
      return { Attributes: item }
    }
  }

  #keysOf(partition: string, prefix: string, onlyLive: boolean): AsyncIterable<string> {
    return queryKeys(this.#send, this.#table, keyQuery(partition, prefix, onlyLive))
  }

  #key(key: string): Item {
    return { namespace: { S: this.#partitions.of(key) }, key: { S: key } }
  }
}

interface WriteReply {
  Attributes?: Item
}
