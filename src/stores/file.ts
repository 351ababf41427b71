import { addToDigits } from './counter.ts'
import { encodeEntry, maxValueBytes } from './file/entry.ts'
import { EntryFiles } from './file/files.ts'
import type { LockedEntry } from './file/locked-entry.ts'
import { fileOptions, fileSettings } from './file/options.ts'
import type { FileSettings, FileStoreOptions } from './file/options.ts'
import { checkAmount, checkKey, checkPrefix, checkValue, lifetime } from './limits.ts'
import type { Location } from './location.ts'
import { each } from './many-keys.ts'
import type { SetOptions, Store, StoredValue } from './store.ts'
import { newVersion } from './version.ts'

export { fileOptions }
export type { FileStoreOptions, Location }

/**
 * Keeps each value in a file of its own, below a folder that the processes of one host share. It is
 * made at the first use, for its owner only. `source` is its path, a `file:` URL or options;
 * `options` win over what it says.
 *
 * A write replaces the whole file, so that a crash leaves the old value or the new one. Writers of
 * one key wait for each other's lock; that of a process that has ended is taken over at once, that
 * of a slow one never. In containers that share the folder but not their pids, and on a network
 * file system, the lock of one that has been killed stays until somebody deletes it: writes of its
 * key are a `store_unavailable` that says so. (On a network file system a read may also come from
 * before another host's write: there `reach` is still one host.)
 *
 * It is not bounded: what has no ttl stays until it is deleted.
 *
 * Throws a `ConfigError` for a bad option, and at the first use for a folder within a shared one,
 * such as /tmp, that is not this user's alone.
 */
export function fileStore(
  source: string | URL | FileStoreOptions,
  options: FileStoreOptions = {},
): Store {
  return new FileStore(fileSettings(source, options))
}

class FileStore implements Store {
  readonly reach = 'host'
  readonly durable: boolean
  readonly maxValueBytes = maxValueBytes
  readonly #files: EntryFiles

  constructor(settings: FileSettings) {
    this.durable = settings.durable
    this.#files = new EntryFiles(settings)
  }

  async get(key: string): Promise<StoredValue | undefined> {
    checkKey(key)
    const entry = await this.#files.read(key)
    return entry && { value: entry.value, version: entry.version }
  }

  async set(key: string, value: Uint8Array, options?: SetOptions): Promise<void> {
    const { bytes, lives } = this.#encode(key, value, options)
    await this.#files.change(key, (file) => file.put(bytes, lives))
  }

  async delete(key: string): Promise<boolean> {
    checkKey(key)
    return this.#files.change(key, remove)
  }

  async compareAndSwap(
    key: string,
    version: string | undefined,
    value: Uint8Array,
    options?: SetOptions,
  ): Promise<string | undefined> {
    const { bytes, lives, next } = this.#encode(key, value, options)
    return this.#files.change(key, async (file) => {
      if ((await file.live())?.version !== version) return undefined
      await file.put(bytes, lives)
      return next
    })
  }

  async compareAndDelete(key: string, version: string): Promise<boolean> {
    checkKey(key)
    return this.#files.change(key, async (file) => {
      const isThere = (await file.live())?.version === version
      if (isThere) await file.remove()
      return isThere
    })
  }

  async *keys(prefix: string): AsyncGenerator<string, void, undefined> {
    checkPrefix(prefix)
    for await (const heads of this.#files.heads()) {
      for (const { key, expiresAt } of heads) {
        if (key.startsWith(prefix) && expiresAt > Date.now()) yield key
      }
    }
  }

  async clear(prefix: string): Promise<void> {
    checkPrefix(prefix)
    for await (const heads of this.#files.heads()) {
      const own = heads.filter(({ key }) => key.startsWith(prefix))
      await each(own, ({ key }) => this.#files.change(key, remove))
    }
  }

  async getMany(keys: readonly string[]): Promise<Array<StoredValue | undefined>> {
    keys.forEach(checkKey)
    return each([...keys], (key) => this.get(key))
  }

  async setMany(
    entries: ReadonlyArray<readonly [key: string, value: Uint8Array]>,
    options?: SetOptions,
  ): Promise<void> {
    // The last one of equal keys stays.
    const last = new Map(
      entries.map(([key, value]) => [key, this.#encode(key, value, options)] as const),
    )
    await each([...last], ([key, { bytes, lives }]) =>
      this.#files.change(key, (file) => file.put(bytes, lives)),
    )
  }

  async deleteMany(keys: readonly string[]): Promise<number> {
    keys.forEach(checkKey)
    const deleted = await each([...new Set(keys)], (key) => this.delete(key))
    return deleted.filter(Boolean).length
  }

  async increment(key: string, by: number, options?: SetOptions): Promise<number> {
    checkKey(key)
    checkAmount(by)
    const lives = lifetime(options?.ttl)
    return this.#files.change(key, async (file) => {
      const found = await file.live()
      const sum = addToDigits(found?.value, by)
      const counter = { key, version: newVersion(), expiresAt: 0, value: Buffer.from(String(sum)) }
      if (found) await file.rewrite({ ...counter, expiresAt: found.expiresAt })
      else await file.put(encodeEntry(counter), lives)
      return sum
    })
  }

  async ttl(key: string): Promise<number | undefined> {
    checkKey(key)
    const entry = await this.#files.read(key)
    return entry && (entry.expiresAt - Date.now()) / 1000
  }

  async expire(key: string, ttl: number): Promise<boolean> {
    checkKey(key)
    const lives = lifetime(ttl)
    return this.#files.change(key, async (file) => {
      const found = await file.live()
      if (found) await file.put(encodeEntry(found), lives)
      return found !== undefined
    })
  }

  async close(): Promise<void> {
    await this.#files.close()
  }

  /** The value is copied: it is written later, and the caller may change its buffer. */
  #encode(
    key: string,
    value: Uint8Array,
    options: SetOptions | undefined,
  ): { bytes: Buffer; lives: number; next: string } {
    checkKey(key)
    checkValue(value, this.maxValueBytes)
    const [lives, next] = [lifetime(options?.ttl), newVersion()]
    return { bytes: encodeEntry({ key, version: next, expiresAt: 0, value }), lives, next }
  }
}

async function remove(file: LockedEntry): Promise<boolean> {
  const isThere = (await file.live()) !== undefined
  await file.remove()
  return isThere
}
