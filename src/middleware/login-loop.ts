import type { CookieJar } from '../sessions/cookie-jar.ts'

const suffix = '.done'
/** Seconds within which nobody needs the same login twice. */
const memory = 10

/** Remembers for a moment that this browser has finished a login. */
export function markFinished(jar: CookieJar, provider: string): void {
  jar.set(suffix, provider, memory)
}

/** Forgets it: after a logout, logging in again is no loop. */
export function forgetFinished(jar: CookieJar): void {
  if (jar.get(suffix) !== undefined) jar.delete(suffix)
}

/** Has this browser just finished a login at that provider? */
export function hasJustFinished(jar: CookieJar, provider: string): boolean {
  return jar.get(suffix) === provider
}
