import type { RawReply } from './raw-reply.ts'

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
  /** Gives a raw reply instead of the usual one; `undefined` for the usual one. Default none. */
  reply: ((request: ApiRequest) => RawReply | undefined) | undefined
  /**
   * `resets-mid-body` resets the connection after half of the body, `truncates` announces a longer
   * body than it sends, `hangs` never answers. Default `works`.
   */
  behaviour: 'works' | 'resets-mid-body' | 'truncates' | 'hangs'
}

/** The switches of an API at which nothing goes wrong. */
export function workingApi(): ApiSwitches {
  return {
    delay: 0,
    status: undefined,
    retryAfter: undefined,
    reply: undefined,
    behaviour: 'works',
  }
}
