import type { HeldTokens } from './token-record.ts'

/** Milliseconds until the access token expires; `Infinity` when the provider did not say. */
export function timeLeft(tokens: HeldTokens): number {
  return tokens.expiresAt === undefined ? Infinity : tokens.expiresAt - Date.now()
}

/**
 * From how many milliseconds left on a refresh begins: the smaller of 60 s and 20 % of the lifetime,
 * jittered so that processes do not meet.
 */
export function refreshAhead(tokens: HeldTokens): number {
  return Math.min(60_000, 0.2 * lifetime(tokens)) * (0.8 + 0.2 * Math.random())
}

/** With fewer milliseconds than this a token may expire on its way: the caller waits for the next one. */
export function tooShort(tokens: HeldTokens): number {
  return Math.min(5_000, 0.05 * lifetime(tokens))
}

function lifetime(tokens: HeldTokens): number {
  return (tokens.expiresAt ?? Infinity) - tokens.receivedAt
}
