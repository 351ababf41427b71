import { readlink, symlink, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../../errors.ts'
import { isDead, newOwner, ownerText, parseOwner } from './owner.ts'
import type { LockOwner } from './owner.ts'

/** What the names of locks end with. */
export const lockSuffix = '.lock'

const longestPauseMs = 10
/** So long one process may hand a lock from caller to caller, while others wait. */
const longestHeldMs = 50

/** How long locks are waited for, and what is known about who else can take them. */
export interface FileLockOptions {
  timeoutMs: number
  /** Nobody but this host can reach the folder. */
  ownHost: boolean
  /** Waiting ends when it says so. */
  isClosed(): boolean
}

/**
 * Locks between the processes of one host. A lock is a symbolic link that leads nowhere: its text
 * names the owner, and making it is one step, so that there is never a lock of an unknown owner.
 * It is held until its owner deletes it, however slow that is, or has ended.
 *
 * Why no two can hold one: the lock of an ended owner is deleted under a lock of its own, named
 * after the token in it, after a second look has found that token still there. Tokens are used
 * once. So while one deletes, that lock cannot turn into another: its owner has ended, and
 * everybody else who saw it waits, looks again and finds another token, or none. The second lock
 * is one like any other: if its owner ends too, it is taken over in the same way.
 */
export class FileLocks {
  readonly #options: FileLockOptions

  constructor(options: FileLockOptions) {
    this.#options = options
  }

  /**
   * Runs `operation` while no other process or caller runs one under the same `path`. Throws a
   * `StoreUnavailableError` when that takes too long.
   */
  async hold<T>(path: string, operation: () => Promise<T>): Promise<T> {
    const giveUpAt = performance.now() + this.#options.timeoutMs
    return inTurn(path, async (line) => {
      if (line.heldSince === undefined) await this.#take(path, giveUpAt)
      line.heldSince ??= performance.now()
      try {
        return await operation()
      } finally {
        // The next in line can have it as it is, unless others have waited for long.
        if (line.length === 1 || performance.now() - line.heldSince > longestHeldMs) {
          line.heldSince = undefined
          await remove(path)
        }
      }
    })
  }

  /** Takes away a lock whose owner has ended, and tells whether there was one. */
  async bury(path: string): Promise<boolean> {
    const owner = await ownerOf(path)
    if (!owner || !isDead(owner, this.#options.ownHost)) return false
    await this.#bury(path, owner, performance.now() + this.#options.timeoutMs)
    return true
  }

  async #take(path: string, giveUpAt: number): Promise<void> {
    for (let attempt = 1; !(await make(path)); attempt += 1) {
      const owner = await ownerOf(path)
      if (owner && isDead(owner, this.#options.ownHost)) await this.#bury(path, owner, giveUpAt)
      if (this.#options.isClosed()) throw new StoreUnavailableError('it has been closed')
      if (performance.now() >= giveUpAt) throw heldTooLong(path)
      await sleep(Math.random() * Math.min(2 ** attempt, longestPauseMs))
    }
  }

  async #bury(path: string, { token }: LockOwner, giveUpAt: number): Promise<void> {
    const second = join(dirname(path), token + lockSuffix)
    await this.#take(second, giveUpAt)
    try {
      if ((await ownerOf(path))?.token === token) await remove(path)
    } finally {
      await remove(second)
    }
  }
}

async function make(path: string): Promise<boolean> {
  try {
    await symlink(ownerText(newOwner()), path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** `undefined` when nobody has it any more, or what is there is no lock of ours. */
async function ownerOf(path: string): Promise<LockOwner | undefined> {
  try {
    return parseOwner(await readlink(path))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EINVAL') return undefined
    throw error
  }
}

async function remove(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    // The folder may have been emptied by hand.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function heldTooLong(path: string): StoreUnavailableError {
  return new StoreUnavailableError(
    `another process, container or host holds the lock ${path}; if none is at work there, delete it`,
  )
}

/** The callers of this process under one path, the one who is at work among them. */
interface Line {
  length: number
  last: Promise<void>
  /** When this process took the lock; `undefined` when it has not. */
  heldSince: number | undefined
}

const lines = new Map<string, Line>()

/** The callers of one process stand in line, so that they need not poll. */
async function inTurn<T>(path: string, operation: (line: Line) => Promise<T>): Promise<T> {
  const line = lines.get(path) ?? { length: 0, last: Promise.resolve(), heldSince: undefined }
  lines.set(path, line)
  const before = line.last
  let done = () => {}
  line.last = new Promise((resolve) => (done = resolve))
  line.length += 1
  try {
    await before
    return await operation(line)
  } finally {
    line.length -= 1
    if (line.length === 0) lines.delete(path)
    done()
  }
}
