import { createHash } from 'node:crypto'
import { lstatSync, readdirSync } from 'node:fs'
import { chmod, mkdir, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { StoreUnavailableError } from '../../errors.ts'
import { makePrivateFolder } from '../location.ts'
import { syncFolder } from './write.ts'

/**
 * File systems that only this host can reach (statfs(2)): ext2 to 4, XFS, Btrfs, tmpfs, ramfs,
 * overlay, ZFS, F2FS, bcachefs; on macOS APFS and HFS+. Any other may be of several hosts.
 */
const localTypes = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x858458f6, 0x794c7630, 0x2fc12fc1, 0xf2f52010,
  0xca451a4e,
])
const localTypesOfMacos = new Set([0x1a, 0x11])

const pathsAtATime = 128

/**
 * Where the files of a store are: `root/aa/<hash of the key>`, so that no key becomes part of a
 * path. Folders are for their owner only, whatever the umask is.
 */
export class EntryFolder {
  readonly #root: string
  readonly #fsync: boolean
  readonly #shards = new Set<string>()

  constructor(root: string, fsync: boolean) {
    this.#root = root
    this.#fsync = fsync
  }

  /** Makes it, and tells whether nobody but this host can reach it. */
  async open(): Promise<{ ownHost: boolean }> {
    await makePrivateFolder('fileStore', this.#root)
    if (this.#fsync) await syncFolder(dirname(this.#root))
    const { type } = await statfs(this.#root)
    const local = process.platform === 'darwin' ? localTypesOfMacos : localTypes
    return { ownHost: local.has(type >>> 0) }
  }

  pathOf(key: string): string {
    const hash = createHash('sha256').update(key).digest('hex')
    return join(this.#root, hash.slice(0, 2), hash)
  }

  /**
   * Tells whether the folder of a path is there. Throws a `StoreUnavailableError` for a symbolic
   * link in its place.
   */
  hasShard(path: string): boolean {
    const shard = dirname(path)
    if (this.#shards.has(shard)) return true
    const found = lstatSync(shard, { throwIfNoEntry: false })
    if (!found) return false
    if (!found.isDirectory()) throw notAFolder(shard)
    this.#shards.add(shard)
    return true
  }

  /** Makes the folder of a path, where it is not there. */
  async makeShard(path: string): Promise<void> {
    if (this.hasShard(path)) return
    const shard = dirname(path)
    try {
      await mkdir(shard, 0o700)
      await chmod(shard, 0o700)
      if (this.#fsync) await syncFolder(this.#root)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }

  /** Looks for all folders anew, because somebody has deleted some. */
  forget(): void {
    this.#shards.clear()
  }

  /** The paths of all files, some at a time, with a turn for others between. */
  async *files(): AsyncGenerator<string[], void, undefined> {
    let some: string[] = []
    for (const shard of namesIn(this.#root)) {
      const folder = join(this.#root, shard)
      if (!/^[0-9a-f]{2}$/.test(shard) || !this.hasShard(join(folder, '_'))) continue
      for (const name of namesIn(folder)) {
        if (some.push(join(folder, name)) < pathsAtATime) continue
        yield some
        some = []
        await nextTurn()
      }
    }
    yield some
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** Tells whether a path is that of an entry, not of something beside. */
export function isEntryPath(path: string): boolean {
  return /[\\/][0-9a-f]{64}$/.test(path)
}

function notAFolder(path: string): StoreUnavailableError {
  return new StoreUnavailableError(`${path} must be a folder, not a link or a file`)
}
