import type { TokenRecord } from './token-record.ts'
import type { FoundRecord, TokenRecords } from './token-records.ts'

/** A use is written down when this part of the limit has passed since the last one that was. */
const grain = 1 / 10

/** Ends a session's grant that nobody has used for so many seconds. */
export class IdleLimit {
  readonly #records: TokenRecords
  readonly #limit: number

  constructor(records: TokenRecords, seconds: number) {
    this.#records = records
    this.#limit = seconds * 1000
  }

  isOver({ record }: FoundRecord): boolean {
    return idleFor(record) > this.#limit
  }

  /** Writes down that it is in use, in the background and seldom: most requests write nothing. */
  note(found: FoundRecord, background: (work: Promise<unknown>) => void): void {
    if (idleFor(found.record) < this.#limit * grain) return
    background(this.#records.update(found, { ...found.record, usedAt: Date.now() }))
  }
}

function idleFor({ usedAt, authorizedAt, proofHash }: TokenRecord): number {
  return proofHash === undefined ? 0 : Date.now() - (usedAt ?? authorizedAt)
}
