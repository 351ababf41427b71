import { missingScope, normalizeScope } from '../oauth/scope.ts'
import type { CookieJar } from '../sessions/cookie-jar.ts'

const suffix = '.last'
/** Seconds within which nobody needs the same login twice. */
const memory = 10
/** Characters of a list of scopes: it is a part of a cookie. */
const longest = 1_000

/** How the last login of a browser ended. */
export interface LoginEnd {
  how: 'done' | 'failed'
  /** The scopes that were asked for and not granted. */
  refused: readonly string[]
}

/** Remembers for a moment that this browser has come back from a login. */
export function markFinished(jar: CookieJar, provider: string, { how, refused }: LoginEnd): void {
  const list = refused.join(' ').slice(0, longest)
  const scopes = list === '' ? '' : `.${Buffer.from(list).toString('base64url')}`
  jar.set(suffix, `${provider}.${how}${scopes}`, memory)
}

/** Forgets it: after a logout, logging in again is no loop. */
export function forgetFinished(jar: CookieJar): void {
  if (jar.get(suffix) !== undefined) jar.delete(suffix)
}

/** Has this browser just come back from a login at that provider, and with what? */
export function justFinished(jar: CookieJar, provider: string): LoginEnd | undefined {
  const [name, how, scopes = ''] = jar.get(suffix)?.split('.') ?? []
  if (name !== provider || (how !== 'done' && how !== 'failed')) return undefined
  return { how, refused: normalizeScope(Buffer.from(scopes, 'base64url').toString()) }
}

/** Would the same login be asked for again that has just ended without this scope? */
export function hasJustRefused({ how, refused }: LoginEnd, scope: readonly string[]): boolean {
  return how === 'failed' || missingScope(refused, scope).length < scope.length
}
