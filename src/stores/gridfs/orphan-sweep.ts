import { reading } from '../mongodb/client.ts'
import type { MongoCollection } from '../mongodb/client.ts'

/** Far longer than any write takes between its file and its document. */
const minimumAgeMs = 3_600_000n

/** Every so many writes this many files are looked at, so that sweeping keeps up with writing. */
const writesPerSweep = 8
const filesPerSweep = 32

interface FileEntry {
  _id: string
  filename: unknown
  old: unknown
}

/**
 * Removes files that no document refers to, once they are old: what a crash in the middle of a write
 * has left, and what belonged to a value that the server removed when it had expired. It goes round
 * through all files by their ids, a few at a time, and tells their age by the server's clock.
 */
export class OrphanSweep {
  readonly #heads: MongoCollection
  readonly #files: MongoCollection
  readonly #remove: (ids: readonly string[]) => Promise<void>
  #writes = 0
  #last = ''

  constructor(
    heads: MongoCollection,
    files: MongoCollection,
    remove: (ids: readonly string[]) => Promise<void>,
  ) {
    this.#heads = heads
    this.#files = files
    this.#remove = remove
  }

  /** Called with each write. A sweep that fails is made up for by a later one. */
  async some(): Promise<void> {
    this.#writes += 1
    if (this.#writes % writesPerSweep !== 1) return
    await this.#next().catch(() => {})
  }

  async #next(): Promise<void> {
    const age = { $subtract: ['$$NOW', '$uploadDate'] }
    const files = (await this.#files
      .find(
        { _id: { $gt: this.#last } },
        {
          ...reading,
          projection: { filename: 1, old: { $gt: [age, minimumAgeMs] } },
          sort: { _id: 1 },
          limit: filesPerSweep,
        },
      )
      .toArray()) as FileEntry[]
    this.#last = files.length < filesPerSweep ? '' : (files.at(-1)?._id ?? '')
    const orphans = await this.#orphansAmong(files.filter(({ old }) => old === true))
    if (orphans.length > 0) await this.#remove(orphans)
  }

  async #orphansAmong(files: readonly FileEntry[]): Promise<string[]> {
    const ids = files.map(({ _id }) => _id)
    if (ids.length === 0) return []
    const keys = files.map(({ filename }) => filename)
    const filter = { _id: { $in: keys }, version: { $in: ids } }
    const options = { ...reading, projection: { version: 1 } }
    const heads = (await this.#heads.find(filter, options).toArray()) as Array<{ version: string }>
    const referred = new Set(heads.map(({ version }) => version))
    return ids.filter((id) => !referred.has(id))
  }
}
