/** When a login was good, and when replies that were made for it were served; see clock.ts. */
export interface LedgerEntry {
  begunAt?: number
  /** From then on it was certainly over. */
  endedAt?: number
  /** Of all calls that were answered with such a reply, when the last one was made. */
  lastAskedAt?: number
  /** And when the first one was answered. */
  firstServedAt?: number
}

/** What one process, or all together, know of logins. */
export type Ledger = Record<string, LedgerEntry>

/** Notes down when logins begin and end, and for which of them replies were served. */
export class CacheLedger {
  readonly entries: Ledger = {}

  begin(login: string, at: number): void {
    this.#of(login).begunAt = at
  }

  end(login: string, at: number): void {
    this.#of(login).endedAt = at
  }

  served(login: string, from: number, to: number): void {
    const entry = this.#of(login)
    entry.lastAskedAt = Math.max(entry.lastAskedAt ?? from, from)
    entry.firstServedAt = Math.min(entry.firstServedAt ?? to, to)
  }

  #of(login: string): LedgerEntry {
    return (this.entries[login] ??= {})
  }
}

/** Puts together what several processes have noted down. */
export function joinLedgers(ledgers: readonly Ledger[]): Ledger {
  const joined: Ledger = {}
  for (const [login, entry] of ledgers.flatMap((ledger) => Object.entries(ledger))) {
    const known = (joined[login] ??= {})
    Object.assign(known, {
      begunAt: entry.begunAt ?? known.begunAt,
      endedAt: entry.endedAt ?? known.endedAt,
      lastAskedAt: Math.max(known.lastAskedAt ?? -Infinity, entry.lastAskedAt ?? -Infinity),
      firstServedAt: Math.min(known.firstServedAt ?? Infinity, entry.firstServedAt ?? Infinity),
    })
  }
  return joined
}

/**
 * Logins whose replies were served before they had begun, or to calls that were made after they had
 * ended. `outlives`: what is kept for a subject may.
 */
export function wrongIn(ledger: Ledger, outlives: boolean): string[] {
  return Object.entries(ledger).flatMap(([login, entry]) => {
    const { begunAt = Infinity, endedAt = Infinity, lastAskedAt = 0, firstServedAt = 0 } = entry
    const wrong: string[] = []
    if (firstServedAt < begunAt) wrong.push(`${login}: a reply before its login`)
    if (lastAskedAt > endedAt && !outlives) wrong.push(`${login}: a reply after its logout`)
    return wrong
  })
}
