import { lstat } from 'node:fs/promises'
import { each } from '../many-keys.ts'
import { isEntryPath } from './folder.ts'
import type { EntryFolder } from './folder.ts'
import { lockSuffix } from './lock.ts'
import type { FileLocks } from './lock.ts'
import { removeFile, temporarySuffix } from './write.ts'

/** So that no step takes long. */
const filesPerStep = 64
/** What is younger may be in use. */
const leftAfterMs = 60_000

/**
 * Clears away what nobody asks for any more, a little at each step: what has expired, and the
 * temporary files and locks of processes that have ended.
 */
export class Sweep {
  readonly #folder: EntryFolder
  readonly #locks: FileLocks
  readonly #removeExpired: (path: string) => Promise<void>
  #rest: AsyncGenerator<string[], void, undefined> | undefined
  #pending: string[] = []

  constructor(
    folder: EntryFolder,
    locks: FileLocks,
    removeExpired: (path: string) => Promise<void>,
  ) {
    this.#folder = folder
    this.#locks = locks
    this.#removeExpired = removeExpired
  }

  /** Goes on where the last step stopped. */
  async step(): Promise<void> {
    this.#rest ??= this.#folder.files()
    while (this.#pending.length < filesPerStep) {
      const { done, value } = await this.#rest.next()
      if (done) {
        this.#rest = undefined
        break
      }
      this.#pending.push(...value)
    }
    await each(this.#pending.splice(0, filesPerStep), (path) => this.#look(path))
  }

  async #look(path: string): Promise<void> {
    if (isEntryPath(path)) return this.#removeExpired(path)
    const [temporary, lock] = [path.endsWith(temporarySuffix), path.endsWith(lockSuffix)]
    if (!(temporary || lock) || !(await isLeft(path))) return
    if (temporary) await removeFile(path, false)
    else await this.#locks.bury(path)
  }
}

async function isLeft(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).mtimeMs < Date.now() - leftAfterMs
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
