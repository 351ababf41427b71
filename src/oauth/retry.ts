import type { ConfigError } from '../errors.ts'

/** Which of an API's replies lead to another try; only GET and HEAD are ever sent again. */
export interface RetryOptions {
  /** How many times one request is sent again at most, from 0 to 10. Default 2. */
  limit?: number | undefined
  /** After which statuses, each from 400 to 599 and not 401. Default `[429, 503]`. */
  statusCodes?: readonly number[] | undefined
}

/** What {@link retryOf} makes of it. */
export interface Retry {
  readonly limit: number
  readonly statusCodes: ReadonlySet<number>
}

const highestLimit = 10

/** Reads the option `retry`; throws what `complain` makes of a wrong one. */
export function retryOf(
  given: RetryOptions | false | undefined,
  complain: (what: string) => ConfigError,
): Retry {
  if (given === false) return { limit: 0, statusCodes: new Set() }
  const isObject = typeof given === 'object' && given !== null
  if (given !== undefined && !isObject) {
    throw complain('retry must be false or an object with limit and statusCodes.')
  }
  const { limit = 2, statusCodes = [429, 503] } = given ?? {}
  if (!Number.isSafeInteger(limit) || limit < 0 || limit > highestLimit) {
    throw complain(`retry.limit must be a whole number from 0 to ${highestLimit}.`)
  }
  if (!Array.isArray(statusCodes) || !statusCodes.every(canBeRetried)) {
    throw complain(
      'retry.statusCodes must be a list of statuses from 400 to 599. After a 401 a request is sent once more by itself, with a new token.',
    )
  }
  return { limit, statusCodes: new Set(statusCodes) }
}

function canBeRetried(status: unknown): boolean {
  return (
    Number.isSafeInteger(status) && Number(status) >= 400 && Number(status) < 600 && status !== 401
  )
}

/** RFC 9110 section 9.2.1: what can be sent twice and changes nothing. */
export function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}
