import { type SessionData, Store as SessionStore } from 'express-session'
import type { Store } from '../../src/stores/store.ts'

/** Sessions of express-session that processes share; the last one who writes wins, as with connect-redis. */
export class StoredSessions extends SessionStore {
  readonly #store: Store

  constructor(store: Store) {
    super()
    this.#store = store
  }

  override get(id: string, done: (error?: unknown, row?: SessionData | null) => void): void {
    this.#store.get(keyOf(id)).then(
      (found) => done(undefined, found ? (JSON.parse(textOf(found.value)) as SessionData) : null),
      (error: unknown) => done(error),
    )
  }

  override set(id: string, row: SessionData, done: (error?: unknown) => void = () => {}): void {
    this.#store.set(keyOf(id), Buffer.from(JSON.stringify(row))).then(() => done(), done)
  }

  override destroy(id: string, done: (error?: unknown) => void = () => {}): void {
    this.#store.delete(keyOf(id)).then(() => done(), done)
  }
}

function keyOf(id: string): string {
  return `session:${Buffer.from(id).toString('hex')}`
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString()
}
