import { DynamodbConnection } from './dynamodb/connection.ts'
import type { DynamodbClient } from './dynamodb/connection.ts'
import { dynamodbFailure } from './dynamodb/failure.ts'
import { DynamodbItems } from './dynamodb/items.ts'
import { Partitions } from './dynamodb/partitions.ts'
import { dynamodbSettings } from './dynamodb/settings.ts'
import type {
  DynamodbCredentials,
  DynamodbSettings,
  DynamodbSource,
  DynamodbStoreOptions,
} from './dynamodb/settings.ts'
import { checkAmount, checkedWrite, checkKey, checkPrefix, lifetime } from './limits.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'
import { newVersion } from './version.ts'

export { isDynamodbClient } from './dynamodb/settings.ts'
export type { DynamodbClient, DynamodbCredentials, DynamodbSource, DynamodbStoreOptions }

/** An item takes 400 KB; the key, the version and the names need up to 2 KB of that. */
const maxValueBytes = 398 * 2 ** 10

/**
 * Keeps everything in a DynamoDB table (the driver is `@aws-sdk/client-dynamodb` 3): one item for
 * each key, under the partition key `namespace` (text) and the sort key `key` (text), read
 * consistently and written by conditions.
 *
 * DynamoDB tells no time, so that values end by this process's clock; keep the clocks of all
 * processes in step. Its TTL on the attribute `expires` only removes, days later, what has ended.
 *
 * The client that a URL or options make fails fast (see the options) and sends nothing twice but what
 * DynamoDB had no capacity for: a write whose outcome is unknown is a `StoreUnavailableError`.
 *
 * A `DynamoDBClient` is taken too: it stays its owner's to close, and its time-outs are the owner's.
 * Make it with `maxAttempts: 1`. By default it repeats writes whose outcome is unknown, over what
 * others have written in between: what a comparison or a counter can tell of that is an error then
 * (and counting takes a call more), but `set` and `delete` may be applied twice.
 *
 * Throws a `ConfigError` for a bad option, and at the first use when the SDK is not installed or the
 * table is not there.
 */
export function dynamodbStore(source: DynamodbSource, options: DynamodbStoreOptions = {}): Store {
  return new DynamodbStore(dynamodbSettings(source, options))
}

class DynamodbStore implements Store {
  readonly reach = 'cluster'
  readonly durable = true
  readonly maxValueBytes = maxValueBytes
  readonly #connection: DynamodbConnection
  readonly #table: string
  readonly #partitions: Partitions

  constructor(settings: DynamodbSettings) {
    this.#connection = new DynamodbConnection(settings)
    this.#table = settings.table
    this.#partitions = new Partitions(settings.namespace, settings.partitions)
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkKey(key)
    return this.#run((items) => items.get(key))
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const { copy, lives } = checkedWrite(key, value, options, this.maxValueBytes)
    await this.#run<unknown>((items) =>
      lives === 0 ? items.delete(key) : items.set(key, copy, lives),
    )
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key)
    return this.#run((items) => items.delete(key))
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const { copy, lives } = checkedWrite(key, value, options, this.maxValueBytes)
    return this.#run(async (items) => {
      if (lives === 0) return (await gone(items, key, version)) ? newVersion() : undefined
      return version === undefined
        ? items.create(key, copy, lives)
        : items.replace(key, version, copy, lives)
    })
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    checkKey(key)
    return this.#run((items) => items.delete(key, version))
  }

  async close(): Promise<void> {
    await this.#connection.close()
  }

  async *keys(prefix: string): AsyncIterable<string> {
    checkPrefix(prefix)
    const items = await this.#run(async (open) => open)
    try {
      yield* items.keys(prefix)
    } catch (error) {
      throw dynamodbFailure(error)
    }
  }

  async clear(prefix: string): Promise<void> {
    checkPrefix(prefix)
    await this.#run((items) => items.clear(prefix))
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    const wanted = checkedKeys(keys)
    return this.#run((items) => items.getMany(wanted))
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    options?: SetOptions,
  ): Promise<void> {
    const lives = lifetime(options?.ttl)
    const copies = entries.map(([key, value]) => {
      return [key, checkedWrite(key, value, options, this.maxValueBytes).copy] as const
    })
    // BatchWriteItem refuses a key that comes twice.
    const last = new Map(copies)
    if (lives === 0) await this.deleteMany([...last.keys()])
    else await this.#run((items) => items.setMany([...last], lives))
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    const wanted = checkedKeys(keys)
    return this.#run((items) => items.deleteMany(wanted))
  }

  async increment(key: string, by: number, options?: SetOptions): Promise<number> {
    checkKey(key)
    checkAmount(by)
    const lives = lifetime(options?.ttl)
    return this.#run((items) => items.increment(key, by, lives))
  }

  async ttl(key: string): Promise<number | undefined> {
    checkKey(key)
    const left = await this.#run((items) => items.remaining(key))
    return left === undefined ? undefined : left / 1000
  }

  async expire(key: string, ttl: number): Promise<boolean> {
    checkKey(key)
    const lives = lifetime(ttl)
    return this.#run((items) => (lives === 0 ? items.delete(key) : items.expire(key, lives)))
  }

  async #run<T>(operation: (items: DynamodbItems) => Promise<T>): Promise<T> {
    try {
      const open = await this.#connection.open()
      return await operation(new DynamodbItems(open, this.#table, this.#partitions))
    } catch (error) {
      throw dynamodbFailure(error)
    }
  }
}

/** What a write that is to leave nothing needs: that the condition holds, and nothing afterwards. */
async function gone(
  items: DynamodbItems,
  key: string,
  version: string | undefined,
): Promise<boolean> {
  if (version !== undefined) return items.delete(key, version)
  return (await items.get(key)) === undefined
}

function checkedKeys(keys: readonly string[]): readonly string[] {
  for (const key of keys) checkKey(key)
  return [...keys]
}
