import { RetiredSecretError } from '../errors.ts'
import type { KeyRing } from '../key-ring.ts'
import { Recent } from '../recent.ts'
import { decodeRecord, encodeRecord, type TokenRecord } from './token-record.ts'

const purpose = 'token record'
const mostRemembered = 1_000
const longestRemembered = 8_192

/**
 * Token records as the store holds them: sealed for their key, so that a record moved to another
 * key, or tampered with, is none.
 *
 * What was opened last is remembered by its sealed bytes, for opening is most of what a request
 * with a valid token costs. The store is still asked each time: other bytes are opened anew.
 */
export class SealedRecords {
  readonly #keyRing: KeyRing
  readonly #opened = new Recent<{ bytes: Uint8Array; record: TokenRecord }>(mostRemembered)

  constructor(keyRing: KeyRing) {
    this.#keyRing = keyRing
  }

  seal(key: string, record: TokenRecord): Uint8Array {
    return this.#keyRing.seal(purpose, key, encodeRecord(key, record))
  }

  /**
   * `undefined` for what is no record of this key. Throws a `RetiredSecretError` for what another
   * secret has sealed: in a rolling change of secrets that may be a good record.
   */
  open(key: string, bytes: Uint8Array): TokenRecord | undefined {
    const known = this.#opened.get(key)
    if (known && Buffer.compare(known.bytes, bytes) === 0) return known.record
    const opened = this.#keyRing.open(purpose, key, bytes)
    if (!opened.ok && opened.reason === 'unknown-key') throw new RetiredSecretError()
    const record = opened.ok ? decodeRecord(key, opened.value) : undefined
    if (record && bytes.byteLength <= longestRemembered) {
      this.#opened.set(key, { bytes: Uint8Array.from(bytes), record })
    }
    return record
  }

  forget(key: string): void {
    this.#opened.delete(key)
  }
}
