import { encodeEntry, stampEntry } from './entry.ts'
import type { Entry } from './entry.ts'
import { readEntry } from './read.ts'
import { removeFile, writeWhole } from './write.ts'

/** What is under `key` in the file at `path`, expired or not. */
export async function entryAt(path: string, key: string): Promise<Entry | undefined> {
  const entry = await readEntry(path)
  return entry?.key === key ? entry : undefined
}

/** The file of one key, while nobody else writes it. */
export class LockedEntry {
  readonly #path: string
  readonly #key: string
  readonly #fsync: boolean

  constructor(path: string, key: string, fsync: boolean) {
    this.#path = path
    this.#key = key
    this.#fsync = fsync
  }

  async live(): Promise<Entry | undefined> {
    const entry = await entryAt(this.#path, this.#key)
    return entry && entry.expiresAt > Date.now() ? entry : undefined
  }

  /** Writes an encoded entry for as many milliseconds as it `lives`; 0 deletes. */
  async put(file: Buffer, lives: number): Promise<void> {
    if (lives === 0) return this.remove()
    stampEntry(file, Date.now() + lives)
    await writeWhole(this.#path, file, this.#fsync)
  }

  async rewrite(entry: Entry): Promise<void> {
    await writeWhole(this.#path, encodeEntry(entry), this.#fsync)
  }

  async remove(): Promise<void> {
    await removeFile(this.#path, this.#fsync)
  }
}
