import { channel } from 'node:diagnostics_channel'
import type { ReauthReason } from './errors.ts'

/** The fields that each event has beside `type`. No field holds a token; grants are named by a hash. */
export interface EventFields {
  /** A user has logged in at a provider, or connected it. */
  login: { provider: string; grant: string; scope: readonly string[] }
  /**
   * A login came back and was refused; `code` and `reason` are those of the error. `reference` stands
   * on the page that the visitor sees.
   */
  login_failed: { provider: string; code: string; reason: string | undefined; reference: string }
  /** A grant was ended by logout or disconnect. */
  logout: { provider: string; grant: string }
  /** A refresh token is about to be presented. */
  refresh_started: { provider: string; grant: string }
  /** A refresh token was presented and new tokens are stored; `duration` in seconds. */
  refresh: { provider: string; grant: string; duration: number }
  /** Tokens were due for a refresh, and another process had been faster. */
  refresh_shared: { provider: string; grant: string }
  /** A refresh has worked though nobody knows the outcome of the one before it. */
  refresh_recovered: { provider: string; grant: string }
  /** A refresh failed for now; `code` is that of the error. The tokens are kept. */
  refresh_failed: { provider: string; grant: string; code: string }
  /** A grant has ended at the provider: only a new login helps. */
  reauth_required: { provider: string; grant: string; reason: ReauthReason }
  /** Another process held the lease of a refresh, for `duration` seconds since it was asked for. */
  lease_wait: { provider: string; grant: string; duration: number }
  /** A process stood still for so long that others may have taken its lease. */
  lease_lost: { provider: string; grant: string }
  /** The provider refuses a refresh token that may have been presented before. */
  reuse_suspected: { provider: string; grant: string }
  /**
   * The upstream API asked for patience (429, 503), or failed as the provider's `retry` names it: the
   * call is made again after `wait` seconds, or not, because that is too long or too often, or the call
   * changes something.
   */
  throttled: {
    provider: string
    grant: string
    method: string
    url: string
    status: number
    wait: number
    retried: boolean
  }
  /** The upstream API was called, a stored response served, or neither was possible; `duration` in seconds. */
  upstream: {
    provider: string
    grant: string
    method: string
    /** Path and query names; the values of the query are left out. */
    url: string
    /** `undefined` when there was no reply. */
    status: number | undefined
    /** Why there was no reply: the code of the error, `network` when it is none of ours. */
    code: string | undefined
    /** The reply's Cache-Status (RFC 9211), when a response cache is in use. */
    cacheStatus: string | undefined
    duration: number
  }
}

/** What has happened: one of {@link EventFields}, told apart by `type`. */
export type Happening = {
  [Type in keyof EventFields]: { type: Type } & EventFields[Type]
}[keyof EventFields]

/** An event: what has happened, and when (`at`, epoch ms). */
export type BehalfEvent = Happening & { at: number }

/** Receives every event; what it throws is ignored. */
export type EventListener = (event: BehalfEvent) => void

/** Tells the option `onEvent` and the `diagnostics_channel` named `behalf:<type>`. */
export function emit(listener: EventListener | undefined, happening: Happening): void {
  publish<Happening>(listener, happening)
}

/** As {@link emit}, for events of another kind. */
export function publish<Some extends { readonly type: string }>(
  listener: ((event: Some & { at: number }) => void) | undefined,
  happening: Some,
): void {
  const event = { ...happening, at: Date.now() }
  const diagnostics = channel(`behalf:${event.type}`)
  if (diagnostics.hasSubscribers) diagnostics.publish(event)
  try {
    listener?.(event)
  } catch {
    // A listener only watches: what it breaks must not break the request.
  }
}
