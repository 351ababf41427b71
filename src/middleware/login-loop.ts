import type { CookieJar } from '../sessions/cookie-jar.ts'

const suffix = '.last'
/** Seconds within which nobody needs the same login twice. */
const memory = 10

/** How the last login of a browser ended. */
export type LoginEnd = 'done' | 'failed'

/** Remembers for a moment that this browser has come back from a login. */
export function markFinished(jar: CookieJar, provider: string, end: LoginEnd): void {
  jar.set(suffix, `${provider}.${end}`, memory)
}

/** Forgets it: after a logout, logging in again is no loop. */
export function forgetFinished(jar: CookieJar): void {
  if (jar.get(suffix) !== undefined) jar.delete(suffix)
}

/** Has this browser just come back from a login at that provider, and with what? */
export function justFinished(jar: CookieJar, provider: string): LoginEnd | undefined {
  const last = jar.get(suffix)
  return (['done', 'failed'] as const).find((end) => last === `${provider}.${end}`)
}
