import { CallsUnderWay } from '../calls-under-way.ts'
import { checkAmount, checkedWrite, checkKey, checkPrefix, lifetime } from '../limits.ts'
import type { SetOptions, Store, StoredValue } from '../store.ts'
import { newVersion } from '../version.ts'
import type { Bodies } from './bodies.ts'
import type { MongoConnection, OpenCollection } from './connection.ts'
import { MongoDocuments } from './documents.ts'
import { mongoFailure } from './failure.ts'

/** What a {@link MongoStore} is put together from. */
export interface MongoStoreParts {
  connection: MongoConnection
  maxValueBytes: number
  /** Where large values are kept; without it every value is in its document. */
  bodies?: ((collection: OpenCollection) => Promise<Bodies>) | undefined
}

/** Small enough for one message, whatever the keys are. */
const keysPerCommand = 1_000

/** A store of documents, and of bodies beside them where it is given a place for these. */
export class MongoStore implements Store {
  readonly reach = 'cluster'
  readonly durable = true
  readonly maxValueBytes: number
  readonly #connection: MongoConnection
  readonly #makeBodies: MongoStoreParts['bodies']
  readonly #calls = new CallsUnderWay()
  #documents: Promise<MongoDocuments> | undefined

  constructor({ connection, maxValueBytes, bodies }: MongoStoreParts) {
    this.#connection = connection
    this.maxValueBytes = maxValueBytes
    this.#makeBodies = bodies
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkKey(key)
    return this.#run((documents) => documents.get(key))
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const { copy, lives } = checkedWrite(key, value, options, this.maxValueBytes)
    await this.#run<unknown>((documents) =>
      lives === 0 ? documents.delete(key) : documents.set(key, copy, lives),
    )
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key)
    return this.#run((documents) => documents.delete(key))
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const { copy, lives } = checkedWrite(key, value, options, this.maxValueBytes)
    return this.#run(async (documents) => {
      if (lives === 0) return (await gone(documents, key, version)) ? newVersion() : undefined
      return version === undefined
        ? documents.create(key, copy, lives)
        : documents.replace(key, version, copy, lives)
    })
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    checkKey(key)
    return this.#run((documents) => documents.delete(key, version))
  }

  /** Lets what was begun come to its end first: a client that closes interrupts it. */
  async close(): Promise<void> {
    await this.#calls.close(() => this.#connection.close())
  }

  async *keys(prefix: string): AsyncIterable<string> {
    checkPrefix(prefix)
    const documents = await this.#run(async (open) => open)
    try {
      yield* documents.keys(prefix)
    } catch (error) {
      throw mongoFailure(error)
    }
  }

  async clear(prefix: string): Promise<void> {
    checkPrefix(prefix)
    return this.#run((documents) => documents.clear(prefix))
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    const wanted = checkedKeys(keys)
    return this.#run(async (documents) => {
      const found: Array<StoredValue | undefined> = []
      for (const some of batches(wanted)) found.push(...(await documents.getMany(some)))
      return found
    })
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    options?: SetOptions,
  ): Promise<void> {
    const lives = lifetime(options?.ttl)
    const copies = entries.map(([key, value]) => {
      return [key, checkedWrite(key, value, options, this.maxValueBytes).copy] as const
    })
    const last = new Map(copies)
    if (lives === 0) await this.deleteMany([...last.keys()])
    else if (last.size > 0) await this.#run((documents) => documents.setMany([...last], lives))
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    const wanted = checkedKeys(keys)
    return this.#run(async (documents) => {
      let count = 0
      for (const some of batches(wanted)) count += await documents.deleteMany(some)
      return count
    })
  }

  async increment(key: string, by: number, options?: SetOptions): Promise<number> {
    checkKey(key)
    checkAmount(by)
    const lives = lifetime(options?.ttl)
    return this.#run((documents) => documents.increment(key, by, lives))
  }

  async ttl(key: string): Promise<number | undefined> {
    checkKey(key)
    const left = await this.#run((documents) => documents.remaining(key))
    return left === undefined ? undefined : left / 1000
  }

  async expire(key: string, ttl: number): Promise<boolean> {
    checkKey(key)
    const lives = lifetime(ttl)
    return this.#run((documents) =>
      lives === 0 ? documents.delete(key) : documents.expire(key, lives),
    )
  }

  async #run<T>(operation: (documents: MongoDocuments) => Promise<T>): Promise<T> {
    this.#calls.begin()
    try {
      const collection = await this.#connection.open()
      return await operation(await (this.#documents ??= this.#make(collection)))
    } catch (error) {
      throw mongoFailure(error)
    } finally {
      this.#calls.end()
    }
  }

  async #make(collection: OpenCollection): Promise<MongoDocuments> {
    try {
      return new MongoDocuments(collection(), await this.#makeBodies?.(collection))
    } catch (error) {
      this.#documents = undefined
      throw error
    }
  }
}

/** What a write that is to leave nothing needs: that the condition holds, and nothing afterwards. */
async function gone(
  documents: MongoDocuments,
  key: string,
  version: string | undefined,
): Promise<boolean> {
  if (version !== undefined) return documents.delete(key, version)
  return (await documents.get(key)) === undefined
}

function checkedKeys(keys: readonly string[]): readonly string[] {
  for (const key of keys) checkKey(key)
  return [...keys]
}

function* batches(keys: readonly string[]): Iterable<readonly string[]> {
  for (let at = 0; at < keys.length; at += keysPerCommand) yield keys.slice(at, at + keysPerCommand)
}
