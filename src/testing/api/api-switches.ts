import { STATUS_CODES } from 'node:http'
import { ApiError, rateLimitMessage } from './api-error.ts'
import type { RateLimit } from './api-rate-limit.ts'
import type { RawReply } from '../server/raw-reply.ts'

/** A request that the test API got. */
export interface ApiRequest {
  readonly method: string
  /** Such as `/v1/me`, without the query. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** Whose access token came with it; `undefined` when none that is good did. */
  readonly userId: string | undefined
  /** Instant of arrival, epoch ms. */
  readonly at: number
}

/** What goes wrong at the test API. Set its properties at any time; requests from then on see it. */
export interface ApiSwitches {
  /** Seconds before each reply. Default 0. */
  delay: number
  /** A status that every request gets, with Spotify's error body. Default none. */
  status: number | undefined
  /** `Retry-After` of the forced status, word for word. Default none. */
  retryAfter: number | string | undefined
  /** What one app may send before it gets 429 and a `Retry-After`. Default the API's option. */
  rateLimit: RateLimit | undefined
  /** Gives a raw reply instead of the usual one; `undefined` for the usual one. Default none. */
  reply: ((request: ApiRequest) => RawReply | undefined) | undefined
  /**
   * `resets-mid-body` resets the connection after half of the body, `truncates` announces a longer
   * body than it sends, `hangs` never answers. Default `works`.
   */
  behaviour: 'works' | 'resets-mid-body' | 'truncates' | 'hangs'
}

/** The switches of an API at which nothing goes wrong. */
export function workingApi(rateLimit?: RateLimit): ApiSwitches {
  return {
    delay: 0,
    status: undefined,
    retryAfter: undefined,
    rateLimit,
    reply: undefined,
    behaviour: 'works',
  }
}

/** The reply that the switches force on a request; `undefined` when they leave it alone. */
export function forcedReply(switches: ApiSwitches, seen: ApiRequest): RawReply | undefined {
  const { reply, status, retryAfter } = switches
  if (status === undefined) return reply?.(seen)
  const message = status === 429 ? rateLimitMessage : (STATUS_CODES[status] ?? 'Forced')
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  return new ApiError(status, message, headers).reply()
}
