/** Whom an API counts when it answers 429: all users of the app together, or each grant by itself. */
export type RateLimitedBy = 'client' | 'grant'

/** Seconds: then one call may look whether it is over, whatever was asked for. */
const longest = 3600

/** So many grants are remembered; each is forgotten at its time. */
const mostGrants = 10_000

/**
 * Until when an API does not want to be called (RFC 6585 section 4), as far as this process knows:
 * who calls all the same is often made to wait longer.
 */
export class Cooldowns {
  readonly #by: RateLimitedBy
  /** On the clock of `performance.now()`, which does not jump. */
  readonly #endsAt = new Map<string, number>()

  constructor(by: RateLimitedBy) {
    this.#by = by
  }

  /** The seconds that are left for a grant; 0 when it may call. */
  left(grantId: string): number {
    const endsAt = this.#endsAt.get(this.#keyOf(grantId)) ?? 0
    return Math.max(0, endsAt - performance.now()) / 1000
  }

  /** A shorter one does not end one that is under way. */
  begin(grantId: string, seconds: number): void {
    if (this.#endsAt.size >= mostGrants) this.#forget()
    const key = this.#keyOf(grantId)
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
