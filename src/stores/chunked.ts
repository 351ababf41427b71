import { ConfigError } from '../errors.ts'
import { chunkKeys, isChunkKey } from './chunked/chunk-keys.ts'
import {
  describeChunks,
  inlineHead,
  joinChunks,
  leastChunkBytes,
  readHead,
  splitHead,
} from './chunked/head.ts'
import type { Chunks } from './chunked/head.ts'
import { checkCount, checkKey, checkValue, lifetime } from './limits.ts'
import { deleteMany, each, getMany, setMany } from './many-keys.ts'
import { bound } from './optional-operations.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'

/** How {@link chunked} splits. */
export interface ChunkedOptions {
  /** Bytes of the largest value that has to be taken. Defaults to 64 MiB. */
  maxBytes?: number | undefined
  /** Bytes of one chunk, 1,024 or more. Defaults to what the store takes, and cannot be more. */
  chunkBytes?: number | undefined
}

/** How many chunks, or heads, are read at a time. */
const atATime = 16

/** A value that is replaced while it is being read is looked for again, this often. */
const readAttempts = 3

/**
 * Lets a store keep values beyond its `maxValueBytes`, in chunks. One that takes `maxBytes` by itself
 * is given back as it is.
 *
 * The chunks of each write have keys of their own and are written first, the head that names them
 * last: a reader finds one whole value, and a value with a chunk missing counts as absent. Versions
 * are the head's, so that comparisons are as atomic as the store's own. Before a `set` the head is
 * read, to find the chunks that have to go; those of a write that crashed, or was overtaken by
 * another at the same moment, go with their ttl.
 *
 * There is no `increment`, because a counter has no head. Throws a `ConfigError` for sizes that are
 * none.
 */
export function chunked(store: Store, options: ChunkedOptions = {}): Store {
  const { maxBytes = 64 * 2 ** 20, chunkBytes } = options
  checkCount('chunked: maxBytes', maxBytes)
  if (chunkBytes === undefined && store.maxValueBytes >= maxBytes) return store
  return new ChunkedStore(store, maxBytes, Math.min(chunkBytes ?? Infinity, store.maxValueBytes))
}

class ChunkedStore implements Store {
  declare readonly keys?: Required<Store>['keys']
  declare readonly clear?: Required<Store>['clear']
  declare readonly ttl?: Required<Store>['ttl']
  declare readonly expire?: Required<Store>['expire']
  declare readonly notices?: Required<Store>['notices']
  readonly maxValueBytes: number
  readonly #store: Store
  readonly #chunkBytes: number

  constructor(store: Store, maxBytes: number, chunkBytes: number) {
    this.#store = store
    this.#chunkBytes = checkChunkBytes(chunkBytes)
    this.maxValueBytes = Math.max(maxBytes, this.#inlineBytes)
    const { keys, clear, ttl, expire, notices } = bound(store)
    if (keys) this.keys = (prefix) => withoutChunks(keys(prefix))
    if (clear) this.clear = (prefix) => this.#clear(prefix, clear)
    if (ttl) this.ttl = ttl
    if (notices) this.notices = notices
    if (expire) this.expire = (key, seconds) => this.#expire(key, seconds, expire)
  }

  get reach(): Store['reach'] {
    return this.#store.reach
  }

  get durable(): boolean {
    return this.#store.durable
  }

  async get(key: string): Promise<StoredValue | undefined> {
    let former: string | undefined
    for (let attempt = 0; attempt < readAttempts; attempt += 1) {
      const head = await this.#store.get(key)
      // The same head again: its chunks will not come back.
      if (!head || head.version === former) return undefined
      const value = await this.#valueOf(key, head)
      if (value) return { value, version: head.version }
      former = head.version
    }
    return undefined
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    const heads = await getMany(this.#store, keys)
    return each(
      keys.map((key, index) => ({ key, head: heads[index] })),
      async ({ key, head }) => {
        const value = head && (await this.#valueOf(key, head))
        // What was replaced meanwhile is looked for again.
        return value ? { value, version: head.version } : head && this.get(key)
      },
    )
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const copy = this.#copy(key, value, options)
    const former = this.#chunksOf(await this.#store.get(key))
    const { head } = await this.#write(key, copy, options)
    await this.#store.set(key, head, options)
    await this.#drop(key, former)
  }

  async delete(key: string): Promise<boolean> {
    const former = this.#chunksOf(await this.#store.get(key))
    const deleted = await this.#store.delete(key)
    await this.#drop(key, former)
    return deleted
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const copy = this.#copy(key, value, options)
    const former = await this.#store.get(key)
    if (former?.version !== version && !(await this.#countsAsAbsent(key, version, former))) {
      return undefined
    }
    const { head, chunks } = await this.#write(key, copy, options)
    const swapped = await this.#store.compareAndSwap(key, former?.version, head, options)
    await this.#drop(key, swapped === undefined ? chunks : this.#chunksOf(former))
    return swapped
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    const former = await this.#store.get(key)
    const deleted = await this.#store.compareAndDelete(key, version)
    if (deleted) await this.#drop(key, this.#chunksOf(former))
    return deleted
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  /** One byte tells that the value is not split. */
  get #inlineBytes(): number {
    return this.#chunkBytes - 1
  }

  #copy(key: string, value: Uint8Array, options: SetOptions | undefined): Uint8Array {
    checkKey(key)
    checkValue(value, this.maxValueBytes)
    lifetime(options?.ttl)
    return new Uint8Array(value)
  }

  /** Writes the chunks there have to be, and gives the head that is to be written after them. */
  async #write(
    key: string,
    value: Uint8Array,
    options: SetOptions | undefined,
  ): Promise<{ head: Uint8Array; chunks?: Chunks }> {
    if (value.byteLength <= this.#inlineBytes) return { head: inlineHead(value) }
    const chunks = describeChunks(value, this.#chunkBytes)
    const parts = chunkKeys(key, chunks).map((name, index) => {
      const start = index * this.#chunkBytes
      return [name, value.subarray(start, start + this.#chunkBytes)] as const
    })
    await setMany(this.#store, parts, options)
    return { head: splitHead(chunks), chunks }
  }

  async #valueOf(key: string, { value }: StoredValue): Promise<Uint8Array | undefined> {
    const head = readHead(value, this.maxValueBytes)
    if (!head || 'value' in head) return head?.value
    return this.#join(key, head.chunks)
  }

  /** A few at a time: what is missing, or more than it should be, is not read on. */
  async #join(key: string, chunks: Chunks): Promise<Uint8Array | undefined> {
    const parts: Uint8Array[] = []
    let left = chunks.bytes
    const names = chunkKeys(key, chunks)
    for (let at = 0; at < names.length; at += atATime) {
      for (const part of await getMany(this.#store, names.slice(at, at + atATime))) {
        left -= part?.value.byteLength ?? Infinity
        if (!part || left < 0) return undefined
        parts.push(part.value)
      }
    }
    return joinChunks(chunks, parts)
  }

  /** Where keys cannot be listed, chunks that are cleared without their first segment go with their ttl. */
  async #clear(prefix: string, clear: Required<Store>['clear']): Promise<void> {
    let some: string[] = []
    for await (const key of this.keys?.(prefix) ?? []) {
      some.push(key)
      if (some.length === atATime) await this.#dropAll(some.splice(0))
    }
    await this.#dropAll(some)
    await clear(prefix)
  }

  async #dropAll(keys: readonly string[]): Promise<void> {
    const heads = await getMany(this.#store, keys)
    await Promise.all(keys.map((key, index) => this.#drop(key, this.#chunksOf(heads[index]))))
  }

  /** What `get` cannot put together can be created anew. */
  async #countsAsAbsent(
    key: string,
    version: string | undefined,
    former: StoredValue | undefined,
  ): Promise<boolean> {
    return version === undefined && former !== undefined && !(await this.#valueOf(key, former))
  }

  #chunksOf(found: StoredValue | undefined): Chunks | undefined {
    const head = found && readHead(found.value, this.maxValueBytes)
    return head && 'chunks' in head ? head.chunks : undefined
  }

  async #drop(key: string, chunks: Chunks | undefined): Promise<void> {
    if (chunks) await deleteMany(this.#store, chunkKeys(key, chunks))
  }

  async #expire(key: string, ttl: number, expire: Required<Store>['expire']): Promise<boolean> {
    checkKey(key)
    if (lifetime(ttl) === 0) return this.delete(key)
    const chunks = this.#chunksOf(await this.#store.get(key))
    if (chunks) await each(chunkKeys(key, chunks), (name) => expire(name, ttl))
    return expire(key, ttl)
  }
}

function checkChunkBytes(bytes: number): number {
  if (bytes >= leastChunkBytes) return bytes
  throw new ConfigError(`chunked: chunkBytes must be ${leastChunkBytes} or more.`)
}

async function* withoutChunks(keys: AsyncIterable<string>): AsyncGenerator<string, void> {
  for await (const key of keys) if (!isChunkKey(key)) yield key
}
