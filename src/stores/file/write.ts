import { randomUUID } from 'node:crypto'
import { closeSync, fchmodSync, fstatSync, fsync, open, openSync, write } from 'node:fs'
import { rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

/** What the names of files end with that are being written. */
export const temporarySuffix = '.tmp'

const mode = 0o600

/** What may wait for the disk is left to the threads of the pool, the rest is done at once. */
const [openFile, writeOn, syncFile] = [promisify(open), promisify(write), promisify(fsync)]

/**
 * Puts `bytes` under `path` in one step: whoever reads finds what was there before or all of this,
 * also after a crash, and with `durably` after a power cut too.
 */
export async function writeWhole(path: string, bytes: Buffer, durably: boolean): Promise<void> {
  const temporary = `${path}.${randomUUID()}${temporarySuffix}`
  try {
    await writeNew(temporary, bytes, durably)
    await rename(temporary, path)
  } catch (error) {
    await removeFile(temporary, false).catch(() => {})
    throw error
  }
  if (durably) await syncFolder(dirname(path))
}

async function writeNew(path: string, bytes: Buffer, durably: boolean): Promise<void> {
  const file = await openFile(path, 'wx', mode)
  try {
    // The umask may have taken some of it away.
    if ((fstatSync(file).mode & 0o777) !== mode) fchmodSync(file, mode)
    for (let at = 0; at < bytes.byteLength;) {
      at += (await writeOn(file, bytes, at, bytes.byteLength - at)).bytesWritten
    }
    if (durably) await syncFile(file)
  } finally {
    closeSync(file)
  }
}

/** Deletes a file, if it is there. */
export async function removeFile(path: string, durably: boolean): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (durably) await syncFolder(dirname(path))
}

/** Makes the names in a folder survive a power cut. */
export async function syncFolder(path: string): Promise<void> {
  // Windows keeps them by itself and opens no folder.
  if (process.platform === 'win32') return
  const folder = openSync(path, 'r')
  try {
    await syncFile(folder)
  } catch (error) {
    // Some file systems have no such thing.
    if (!['EINVAL', 'ENOTSUP'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    closeSync(folder)
  }
}
