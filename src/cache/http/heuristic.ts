import { parseHttpDate } from './http-date.ts'
import type { Received } from './received.ts'

/** RFC 9110 section 15.1: the statuses that may be reused without being told to. */
const cacheable = new Set([200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501])

/** Of the time since the last change (RFC 9111 section 4.2.2), and a day at most. */
const part = 0.1
const longest = 24 * 3600

/** May the status be stored although no header says for how long it is fresh? */
export function isHeuristicallyCacheable({ status, directives }: Received): boolean {
  return cacheable.has(status) || directives.has('public')
}

/** Seconds for which a reply that does not say is taken for fresh; 0 where nothing can be guessed. */
export function heuristicLifetime(reply: Received): number {
  const modified = parseHttpDate(reply.headers.get('last-modified'))
  if (modified === undefined || !isHeuristicallyCacheable(reply)) return 0
  const date = parseHttpDate(reply.headers.get('date')) ?? reply.receivedAt
  return Math.min(Math.max(0, (date - modified) / 1000) * part, longest)
}
