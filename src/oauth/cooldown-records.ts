import { hash } from 'node:crypto'
import type { Store } from '../stores/store.ts'

/** Seconds. */
const longest = 900

/**
 * The cooldowns that all processes of an app share, in its store. A record says for how long; that it
 * is still there says that the time is not over, by the store's own clock. Nobody waits for a store
 * that fails: it knows of no cooldown.
 */
export class CooldownRecords {
  readonly #store: Store
  readonly #namespace: string

  constructor(store: Store, namespace: string) {
    this.#store = store
    this.#namespace = namespace
  }

  /** Whether other processes can see what is written here. */
  get areShared(): boolean {
    return this.#store.reach !== 'process'
  }

  /** The seconds that are left; 0 where there is no cooldown. `whose` names what is limited. */
  async left(whose: readonly string[]): Promise<number> {
    try {
      return await this.#left(this.#keyOf(whose))
    } catch {
      return 0
    }
  }

  /** `seconds` are cut to 15 minutes. A shorter one does not take the place of a longer one. */
  async begin(whose: readonly string[], seconds: number): Promise<void> {
    const key = this.#keyOf(whose)
    const ttl = Math.min(seconds, longest)
    try {
      if ((await this.#left(key)) >= ttl) return
      await this.#store.set(key, Buffer.from(String(Math.ceil(ttl))), { ttl })
    } catch {
      // The others learn it by a 429 of their own.
    }
  }

  async #left(key: string): Promise<number> {
    const found = await this.#store.get(key)
    const seconds = found && secondsIn(found.value)
    if (seconds === undefined) return 0
    const left = this.#store.ttl ? await this.#store.ttl(key) : seconds
    return Math.max(0, Math.min(seconds, left ?? 0))
  }

  #keyOf(whose: readonly string[]): string {
    return `${this.#namespace}:cooldown:${hash('sha256', JSON.stringify(whose), 'hex')}`
  }
}

/** `undefined` for what was not written here. */
function secondsIn(value: Uint8Array): number | undefined {
  const text = value.byteLength <= 3 ? Buffer.from(value).toString('latin1') : ''
  return /^\d{1,3}$/.test(text) && Number(text) <= longest ? Number(text) : undefined
}
