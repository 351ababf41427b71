/** A place for token records that each request brings along: its session, or its cookies. */
export class RequestPlace {
  readonly kind: 'session' | 'cookie'

  /** Made by {@link inSession} and {@link sealedCookie}, for the option `tokenStore`. */
  constructor(kind: 'session' | 'cookie') {
    this.kind = kind
  }
}

/**
 * Keeps token records in express-session's session, sealed, as spotipy's Flask and Django handlers
 * do: for the option `tokenStore`. The option `store` then only coordinates. Jobs and webhooks do
 * not find these grants.
 */
export function inSession(): RequestPlace {
  return new RequestPlace('session')
}

/**
 * Keeps token records in the browser, sealed, in as many cookies as they need: for the option
 * `tokenStore`. The option `store` then only coordinates. Jobs and webhooks do not find these
 * grants.
 */
export function sealedCookie(): RequestPlace {
  return new RequestPlace('cookie')
}
