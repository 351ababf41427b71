import { randomBytes } from 'node:crypto'
import type { Notices } from '../store.ts'
import { decodeDropped, type Dropped, encodeDropped, everyKey } from './dropped.ts'

/** So many keys wait for a connection; with more, everything is told to be dropped. */
const mostWaiting = 1_000

/** Tells other processes what to drop. What could not be told waits for the next occasion. */
export class Announcer {
  readonly #notices: Notices
  readonly #self = randomBytes(9).toString('base64url')
  #waiting: Dropped | undefined

  constructor(notices: Notices) {
    this.#notices = notices
  }

  /** Resolves when it was sent, or has to wait. */
  async tell(dropped: Dropped): Promise<void> {
    const both = joined(this.#waiting, dropped)
    this.#waiting = undefined
    try {
      await this.#notices.send(encodeDropped(this.#self, both))
    } catch {
      this.#waiting = joined(this.#waiting, both)
    }
  }

  /** Sends what has waited. */
  async tellAgain(): Promise<void> {
    if (this.#waiting) await this.tell({ keys: [] })
  }

  /** What a notice says; `undefined` where it is one of ours. */
  read(notice: string): Dropped | undefined {
    return decodeDropped(this.#self, notice)
  }
}

function joined(waiting: Dropped | undefined, dropped: Dropped): Dropped {
  if (!waiting) return dropped
  if ('prefix' in waiting || 'prefix' in dropped) return everyKey
  const keys = [...new Set([...waiting.keys, ...dropped.keys])]
  return keys.length > mostWaiting ? everyKey : { keys }
}
