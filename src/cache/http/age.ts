import { parseHttpDate } from './http-date.ts'
import type { Fields, Received } from './received.ts'

/** RFC 9111 section 1.2.2: longer than any cache looks back. */
const oldest = 2 ** 31

/**
 * The seconds that the reply has spent in caches before, as they say (section 5.1). What is no number,
 * or several, is taken for the highest age, so that the reply counts as stale.
 */
export function ageValue(headers: Fields): number {
  const age = headers.get('age')
  if (age === null) return 0
  return /^\d+$/.test(age) ? Math.min(Number(age), oldest) : oldest
}

/** The age of a reply when it came, in seconds (section 4.2.3). */
export function initialAge({ headers, requestedAt, receivedAt }: Received): number {
  const date = parseHttpDate(headers.get('date')) ?? receivedAt
  const apparent = Math.max(0, receivedAt - date) / 1000
  const delay = Math.max(0, receivedAt - requestedAt) / 1000
  return Math.min(Math.max(apparent, ageValue(headers) + delay), oldest)
}

/** The age of a stored response now, in seconds; a clock that was set back makes nothing younger. */
export function currentAge(
  stored: { readonly initialAge: number; readonly receivedAt: number },
  now: number,
): number {
  return stored.initialAge + Math.max(0, now - stored.receivedAt) / 1000
}
