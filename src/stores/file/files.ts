import { StoreUnavailableError } from '../../errors.ts'
import { storeFailure } from '../failure.ts'
import type { Entry, EntryHead } from './entry.ts'
import { EntryFolder, isEntryPath } from './folder.ts'
import { FileLocks, lockSuffix } from './lock.ts'
import { entryAt, LockedEntry } from './locked-entry.ts'
import type { FileSettings } from './options.ts'
import { readHead } from './read.ts'
import { Sweep } from './sweep.ts'
import { removeFile } from './write.ts'

const writesPerSweep = 16

/** All files of one store: opened at the first use, locked for each change, swept, closed. */
export class EntryFiles {
  readonly #settings: FileSettings
  readonly #folder: EntryFolder
  readonly #running = new Set<Promise<unknown>>()
  #opening: Promise<void> | undefined
  #open: { locks: FileLocks; sweep: Sweep } | undefined
  #sweeping = false
  #writes = 0
  #closed = false

  constructor(settings: FileSettings) {
    this.#settings = settings
    this.#folder = new EntryFolder(settings.root, settings.fsync)
  }

  /** What is there now. An expired file is deleted some time after. */
  async read(key: string): Promise<Entry | undefined> {
    return this.#run(async () => {
      const path = this.#folder.pathOf(key)
      if (!this.#folder.hasShard(path)) return undefined
      const entry = await entryAt(path, key)
      if (!entry || entry.expiresAt > Date.now()) return entry
      this.#inBackground(() => this.#removeExpired(path))
      return undefined
    })
  }

  /** Runs `change` while nobody else writes under this key. */
  async change<T>(key: string, change: (file: LockedEntry) => Promise<T>): Promise<T> {
    return this.#run(async ({ locks }) => {
      const path = this.#folder.pathOf(key)
      const file = new LockedEntry(path, key, this.#settings.fsync)
      const result = await this.#withFolder(path, () =>
        locks.hold(path + lockSuffix, () => change(file)),
      )
      this.#writes += 1
      if (this.#writes % writesPerSweep === 0) this.#sweepSome()
      return result
    })
  }

  /** The heads of all whole entries, some at a time. */
  async *heads(): AsyncGenerator<EntryHead[], void, undefined> {
    const files = this.#folder.files()
    for (;;) {
      const heads = await this.#run(async () => {
        const { done, value } = await files.next()
        return done ? undefined : value.filter(isEntryPath).map((path) => this.#headAt(path))
      })
      if (!heads) return
      yield heads.filter((head) => head !== undefined)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#running)
  }

  #headAt(path: string): EntryHead | undefined {
    const head = readHead(path)
    return head && this.#folder.pathOf(head.key) === path ? head : undefined
  }

  async #run<T>(operation: (open: { locks: FileLocks }) => Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreUnavailableError('it has been closed')
    const running = this.#opened().then(operation)
    this.#running.add(running)
    try {
      return await running
    } catch (error) {
      throw storeFailure('file store', error)
    } finally {
      this.#running.delete(running)
    }
  }

  async #opened(): Promise<{ locks: FileLocks; sweep: Sweep }> {
    if (!this.#open) {
      this.#opening ??= this.#openOnce().finally(() => (this.#opening = undefined))
      await this.#opening
    }
    return this.#open!
  }

  async #openOnce(): Promise<void> {
    const { ownHost } = await this.#folder.open()
    const timeoutMs = this.#settings.lockTimeoutMs
    const locks = new FileLocks({ timeoutMs, ownHost, isClosed: () => this.#closed })
    const sweep = new Sweep(this.#folder, locks, (path) => this.#removeExpired(path))
    this.#open = { locks, sweep }
    this.#sweepSome()
  }

  /** Once again with new folders, when somebody has deleted them: then nothing has been written. */
  async #withFolder<T>(path: string, operation: () => Promise<T>): Promise<T> {
    try {
      await this.#folder.makeShard(path)
      return await operation()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.#folder.forget()
      await this.#folder.open()
      await this.#folder.makeShard(path)
      return operation()
    }
  }

  async #removeExpired(path: string): Promise<void> {
    const isExpired = () => (readHead(path)?.expiresAt ?? Infinity) <= Date.now()
    if (!isExpired()) return
    await this.#open?.locks.hold(path + lockSuffix, async () => {
      if (isExpired()) await removeFile(path, false)
    })
  }

  #sweepSome(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    this.#inBackground(async () => {
      await this.#open?.sweep.step().finally(() => (this.#sweeping = false))
    })
  }

  /** Nobody waits for clearing away, and nobody is told when it fails: it is tried again later. */
  #inBackground(work: () => Promise<void>): void {
    const running = work().catch(() => {})
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
  }
}
