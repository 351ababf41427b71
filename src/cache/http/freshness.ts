import { deltaSeconds } from './cache-control.ts'
import { heuristicLifetime } from './heuristic.ts'
import { parseHttpDate } from './http-date.ts'
import type { CacheKind, Received } from './received.ts'

/** Seconds for which a reply is fresh as it says itself (RFC 9111 section 4.2.1); `undefined` if it does not. */
export function explicitLifetime(reply: Received, kind: CacheKind): number | undefined {
  const { directives, headers, receivedAt } = reply
  const shared = kind === 'shared' ? deltaSeconds(directives, 's-maxage') : undefined
  const lifetime = shared ?? deltaSeconds(directives, 'max-age')
  if (lifetime !== undefined) return lifetime
  if (!headers.has('expires')) return undefined
  // Section 5.3: what is no date, such as 0, is in the past.
  const expires = parseHttpDate(headers.get('expires'))
  if (expires === undefined) return 0
  const date = parseHttpDate(headers.get('date')) ?? receivedAt
  return Math.max(0, (expires - date) / 1000)
}

/** Seconds for which a reply is fresh, by what it says or else by a guess. */
export function freshnessLifetime(reply: Received, kind: CacheKind): number {
  return explicitLifetime(reply, kind) ?? heuristicLifetime(reply)
}
