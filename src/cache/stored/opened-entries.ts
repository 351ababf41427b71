import { isUtf8 } from 'node:buffer'
import { LRUCache } from 'lru-cache'
import type { StoredValue } from '../../stores/store.ts'
import { bufferOf } from '../../buffer-of.ts'
import type { StoredEntry } from './stored-entry.ts'

/** Bytes of what is remembered opened, in each cache. */
const mostBytes = 16 * 2 ** 20

/** A longer entry is opened each time: the time goes into its body anyway. */
const longestBytes = 2 ** 20

/** What objects and keys take beside the texts in them. */
const overheadBytes = 1_024

/** An entry's key, and the id of the partition that it was opened for. */
export interface OpenedFor {
  readonly key: string
  readonly partition: string
}

interface Opened {
  readonly partition: string
  readonly version: string
  readonly value: Uint8Array
  readonly entry: StoredEntry
}

/**
 * Entries as they were opened last, so that a hit does not check, unseal or parse what another one
 * did. Each is good for the very bytes that it was opened from.
 */
export class OpenedEntries {
  readonly #opened = new LRUCache<string, Opened>({ maxSize: mostBytes })

  /** The entry that is in these bytes, where they are known. */
  get({ key, partition }: OpenedFor, { value, version }: StoredValue): StoredEntry | undefined {
    const opened = this.#opened.get(key)
    if (opened?.version !== version || opened.partition !== partition) return undefined
    const isSame = opened.value === value || Buffer.compare(opened.value, value) === 0
    return isSame ? opened.entry : undefined
  }

  /** Opens an entry (empty where it cannot be), and remembers it; `value` must never change. */
  open(
    { key, partition }: OpenedFor,
    { value, version }: StoredValue,
    read: (value: Uint8Array) => StoredEntry,
  ): StoredEntry {
    const opened = read(value)
    if (opened.length === 0 || value.byteLength > longestBytes) return opened
    const entry = opened.map((response) => ({ ...response, text: textOf(response.body) }))
    const size = entry.reduce((sum, one) => sum + sizeOf(one.text), overheadBytes)
    this.#opened.set(
      key,
      { partition, value, version, entry },
      { size: size + value.byteLength * 2 },
    )
    return entry
  }
}

/** Text is cheaper to make a `Response` of, or to parse, than its bytes. */
function textOf(body: Uint8Array): string | undefined {
  return isUtf8(body) ? bufferOf(body).toString() : undefined
}

/** Of a text in memory, where it takes two bytes a character. */
function sizeOf(text = ''): number {
  return text.length * 2
}
