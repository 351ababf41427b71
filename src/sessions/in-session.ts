/** The value of the option `tokenStore` that {@link inSession} makes. */
export class InSession {
  readonly place = 'session'
}

/**
 * Keeps token records in express-session's session, sealed, as spotipy's Flask and Django handlers
 * do: for the option `tokenStore`. The option `store` then only coordinates. Jobs and webhooks do
 * not find these grants.
 */
export function inSession(): InSession {
  return new InSession()
}
