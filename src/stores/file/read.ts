import { closeSync, constants, fstatSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { decodeEntry, decodeHead, maxHeadBytes } from './entry.ts'
import type { Entry, EntryHead } from './entry.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
/** A symbolic link is not followed, and a pipe not waited for. */
const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK

/** What open and read say where there is no file, or a folder, link, pipe or socket instead. */
const noFile = new Set('ENOENT ELOOP EMLINK ENOTDIR EISDIR ENXIO EAGAIN ESPIPE'.split(' '))

/** One read is enough for most values. */
const chunk = Buffer.allocUnsafeSlow(64 * 1024)
const readOn = promisify(read)

/**
 * Reads the entry in a file; `undefined` where there is none, or it is damaged or too large.
 *
 * A small one is read at once, in an eighth of the time that a thread of the pool would take. What
 * is beyond the first 64 KiB of a large one is read by those.
 */
export async function readEntry(path: string): Promise<Entry | undefined> {
  const file = openFile(path)
  if (file === undefined) return undefined
  try {
    const bytesRead = readStart(file, chunk)
    if (bytesRead === chunk.byteLength) return await readLarge(file, Buffer.from(chunk))
    const entry = decodeEntry(chunk.subarray(0, bytesRead))
    return entry && { ...entry, value: new Uint8Array(entry.value) }
  } finally {
    closeSync(file)
  }
}

/** The head is looked at before memory is taken: what lies there may be anybody's. */
async function readLarge(file: number, start: Buffer): Promise<Entry | undefined> {
  const { size } = fstatSync(file)
  if (!decodeHead(start, size)) return undefined
  const whole = Buffer.allocUnsafeSlow(size)
  for (let at = start.copy(whole); at < size;) {
    const { bytesRead } = await readOn(file, whole, at, size - at, at)
    if (bytesRead === 0) return undefined
    at += bytesRead
  }
  const entry = decodeEntry(whole)
  return entry && { ...entry, value: new Uint8Array(whole.buffer, size - entry.value.byteLength) }
}

/** Reads the head alone; the value may still be damaged. */
export function readHead(path: string): EntryHead | undefined {
  const file = openFile(path)
  if (file === undefined) return undefined
  try {
    const start = chunk.subarray(0, maxHeadBytes)
    return decodeHead(start.subarray(0, readStart(file, start)), fstatSync(file).size)
  } finally {
    closeSync(file)
  }
}

function openFile(path: string): number | undefined {
  try {
    return openSync(path, flags)
  } catch (error) {
    return whereNoFile(error, undefined)
  }
}

function readStart(file: number, buffer: Buffer): number {
  try {
    return readSync(file, buffer, 0, buffer.byteLength, 0)
  } catch (error) {
    return whereNoFile(error, 0)
  }
}

function whereNoFile<T>(error: unknown, result: T): T {
  if (noFile.has((error as NodeJS.ErrnoException).code ?? '')) return result
  throw error
}
