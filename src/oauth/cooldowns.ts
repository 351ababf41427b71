import { Recent } from '../recent.ts'
import type { CooldownRecords } from './cooldown-records.ts'

/** Whom an API counts when it answers 429: all users of the app together, or each grant by itself. */
export type RateLimitedBy = 'client' | 'grant'

/** Seconds: then one call may look whether it is over, whatever was asked for. */
const longest = 900

/** So many grants are remembered; each is forgotten at its time. */
const mostGrants = 10_000

/** Milliseconds between two looks at what other processes have been told, for one grant or client. */
const lookEvery = 1_000

/** Whose cooldowns they are. */
export interface CooldownSettings {
  /** The provider and the app's client there. */
  client: readonly [provider: string, clientId: string]
  by: RateLimitedBy
  /** What all processes share. */
  records?: CooldownRecords | undefined
}

/**
 * Until when an API does not want to be called (RFC 6585 section 4), as far as this process or,
 * within a second, any other one knows: who calls all the same is often made to wait longer.
 */
export class Cooldowns {
  readonly #client: readonly string[]
  readonly #by: RateLimitedBy
  readonly #records: CooldownRecords | undefined
  /** On the clock of `performance.now()`, which does not jump. */
  readonly #endsAt = new Map<string, number>()
  readonly #looks = new Recent<{ at: number; done: Promise<void> }>(mostGrants)

  constructor({ client, by, records }: CooldownSettings) {
    this.#client = client
    this.#by = by
    this.#records = records?.areShared ? records : undefined
  }

  /** The seconds that are left for a grant; 0 when it may call. Never rejects. */
  async left(grantId: string): Promise<number> {
    const key = this.#keyOf(grantId)
    const known = this.#known(key)
    if (known > 0) return known
    await this.#look(key)
    return this.#known(key)
  }

  /** A shorter one does not end one that is under way. Other processes know when it resolves. */
  async begin(grantId: string, seconds: number): Promise<void> {
    const key = this.#keyOf(grantId)
    const more = Math.min(seconds, longest) - this.#known(key)
    this.#remember(key, seconds)
    // Of many calls that are refused at the same time, one tells the others.
    if (more > 0.5) await this.#records?.begin([...this.#client, key], seconds)
  }

  #known(key: string): number {
    return Math.max(0, (this.#endsAt.get(key) ?? 0) - performance.now()) / 1000
  }

  async #look(key: string): Promise<void> {
    const records = this.#records
    if (!records) return
    const last = this.#looks.get(key)
    if (last && performance.now() - last.at < lookEvery) return last.done
    const found = records.left([...this.#client, key])
    const done = found.then((seconds) => this.#remember(key, seconds))
    this.#looks.set(key, { at: performance.now(), done })
    return done
  }

  #remember(key: string, seconds: number): void {
    if (seconds <= 0) return
    if (this.#endsAt.size >= mostGrants) this.#forget()
    const endsAt = performance.now() + Math.min(seconds, longest) * 1000
    this.#endsAt.set(key, Math.max(endsAt, this.#endsAt.get(key) ?? 0))
  }

  #keyOf(grantId: string): string {
    return this.#by === 'client' ? '' : grantId
  }

  #forget(): void {
    const now = performance.now()
    for (const [key, endsAt] of this.#endsAt) if (endsAt <= now) this.#endsAt.delete(key)
    if (this.#endsAt.size >= mostGrants) this.#endsAt.clear()
  }
}
