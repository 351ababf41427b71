import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IronSession } from './iron-tokens.ts'

/** Opens the session of a request. */
export type OpenIronSession = (req: IncomingMessage, res: ServerResponse) => Promise<IronSession>

/** A place for token records that each request brings along: its session, or its cookies. */
export type RequestPlaceKind =
  | { kind: 'session' }
  | { kind: 'cookie' }
  | { kind: 'iron'; open: OpenIronSession }

/** The value of the option `tokenStore` that this module's functions make. */
export class RequestPlace {
  readonly where: RequestPlaceKind

  /** Made by {@link inSession}, {@link ironSession} and {@link sealedCookie}. */
  constructor(where: RequestPlaceKind) {
    this.where = where
  }
}

/**
 * Keeps token records in express-session's session, sealed, as spotipy's Flask and Django handlers
 * do: for the option `tokenStore`. The option `store` then only coordinates. Jobs and webhooks do
 * not find these grants.
 */
export function inSession(): RequestPlace {
  return new RequestPlace({ kind: 'session' })
}

/**
 * Keeps token records in a session of iron-session, which the app opens with its own options:
 * `ironSession((req, res) => getIronSession(req, res, options))`. As {@link inSession} otherwise.
 */
export function ironSession(open: OpenIronSession): RequestPlace {
  return new RequestPlace({ kind: 'iron', open })
}

/**
 * Keeps token records in the browser, sealed, in as many cookies as they need (three at most). As
 * {@link inSession} otherwise.
 */
export function sealedCookie(): RequestPlace {
  return new RequestPlace({ kind: 'cookie' })
}
