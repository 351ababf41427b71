import { processState } from '../process-state.ts'
import { Recent } from '../recent.ts'
import type { Provider } from './provider.ts'
import { type HeldAccessToken, sha256 } from './token-record.ts'
import type { TokenSet } from './token-set.ts'

/** Milliseconds that two clocks may differ before it is worth a word. */
const tolerance = 10_000

/** When a refresh token ends, where its reply says so or its provider limits its life; epoch ms. */
export function refreshEnd(
  { definition: { refreshTokenLifetime } }: Pick<Provider, 'definition'>,
  { refreshToken, refreshExpiresAt }: TokenSet,
  authorizedAt: number,
): number | undefined {
  if (refreshToken === undefined) return undefined
  if (refreshExpiresAt !== undefined || refreshTokenLifetime === undefined) return refreshExpiresAt
  return authorizedAt + refreshTokenLifetime * 1000
}

/** When this process first saw tokens that are dated later than its clock, on one that is never set. */
const firstSeen = processState('tokens of later', () => new Recent<number>(1_000))
const warned = processState('clock warning', () => ({ given: false }))

/**
 * Milliseconds until the access token expires; `Infinity` when the provider did not say. Tokens that
 * another process has dated in this one's future live for no longer than they do there.
 */
export function timeLeft(tokens: HeldAccessToken): number {
  if (tokens.expiresAt === undefined) return Infinity
  const now = Date.now()
  if (tokens.receivedAt <= now + tolerance) return tokens.expiresAt - now
  warnOfClocks(tokens.receivedAt - now)
  return lifetime(tokens) - knownFor(tokens)
}

/**
 * From how many milliseconds left on a refresh begins: the smaller of 60 s and 20 % of the lifetime,
 * jittered so that processes do not meet.
 */
export function refreshAhead(tokens: HeldAccessToken): number {
  return Math.min(60_000, 0.2 * lifetime(tokens)) * (0.8 + 0.2 * Math.random())
}

/** With fewer milliseconds than this a token may expire on its way: the caller waits for the next one. */
export function tooShort(tokens: HeldAccessToken): number {
  return Math.min(5_000, 0.05 * lifetime(tokens))
}

/**
 * The milliseconds that have to be left for a caller who needs so many seconds; no new token could
 * have more than nearly all of its lifetime.
 */
export function needed(tokens: HeldAccessToken, minValidity: number): number {
  return Math.min(minValidity * 1000, 0.9 * lifetime(tokens))
}

function lifetime(tokens: HeldAccessToken): number {
  return (tokens.expiresAt ?? Infinity) - tokens.receivedAt
}

function knownFor({ accessToken }: HeldAccessToken): number {
  const name = sha256(accessToken)
  const now = performance.now()
  const since = firstSeen.get(name)
  if (since === undefined) firstSeen.set(name, now)
  return now - (since ?? now)
}

function warnOfClocks(ahead: number): void {
  if (warned.given) return
  warned.given = true
  process.emitWarning(
    `The clocks of two processes differ by ${Math.round(ahead / 1000)} s: tokens were received in this one's future. Each may refresh them once more than needed; set the clocks (NTP).`,
    { type: 'BehalfWarning', code: 'BEHALF_CLOCKS_DIFFER' },
  )
}
