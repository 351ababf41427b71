import { CookieTokens } from './cookie-tokens.ts'
import { type GetIronSession, IronTokens } from './iron-tokens.ts'
import type { TokensInRequest } from './token-place.ts'

/**
 * Keeps token records in express-session's session, sealed, as spotipy's Flask and Django handlers
 * do: for the option `tokenStore`. The option `store` then says which copy is the newest, and keeps
 * that until the session has it. Jobs and webhooks do not find these grants.
 */
export function inSession(): TokensInRequest {
  return { name: 'inSession()', needsSession: true, open: ({ session }) => session.tokens }
}

/**
 * Keeps token records in the browser, sealed, in as many cookies as they need, 7,000 bytes in all:
 * for the option `tokenStore`. As {@link inSession} otherwise.
 */
export function sealedCookie(): TokensInRequest {
  return { name: 'sealedCookie()', needsSession: false, open: ({ jar }) => new CookieTokens(jar) }
}

/**
 * Keeps token records in a cookie of iron-session (8, or 9), with the app's own function and
 * options: `ironSession(getIronSession, sessionOptions)`. It is a cookie beside the app's, with
 * `.behalf` after its name. As {@link inSession} otherwise.
 */
export function ironSession<Options extends { cookieName: string }>(
  getIronSession: GetIronSession<Options>,
  options: Options,
): TokensInRequest {
  return {
    name: 'ironSession()',
    needsSession: false,
    open: ({ jar }) => new IronTokens(jar, getIronSession, options),
  }
}
