/** How many requests one app may send, all its users together. */
export interface RateLimit {
  /** As many in any period of that length; 1 or more. */
  readonly requests: number
  /** The length of the period in seconds; Spotify's is 30. */
  readonly per: number
}

/** Returns the limit when it makes sense; else throws a `RangeError`. */
export function checkedRateLimit(limit: RateLimit): RateLimit {
  const { requests, per } = limit
  if (Number.isInteger(requests) && requests > 0 && Number.isFinite(per) && per > 0) return limit
  throw new RangeError('rateLimit needs a whole number of requests, and seconds in per, above 0.')
}

/** What each app has sent, by client id. */
export class AppRequests {
  readonly #sentAt = new Map<string, number[]>()

  /** Counts a request; gives the seconds to wait instead when the app has to. */
  count(clientId: string, limit: RateLimit): number | undefined {
    const { requests, per } = checkedRateLimit(limit)
    const now = Date.now()
    const sentAt = (this.#sentAt.get(clientId) ?? []).filter((at) => at + per * 1000 > now)
    const inTheWay = sentAt.at(-requests)
    if (inTheWay !== undefined) return Math.ceil((inTheWay + per * 1000 - now) / 1000)
    this.#sentAt.set(clientId, [...sentAt, now])
    return undefined
  }

  reset(): void {
    this.#sentAt.clear()
  }
}
