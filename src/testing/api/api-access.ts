import type { ApiAccount } from './api-accounts.ts'
import { ApiError, rateLimitMessage } from './api-error.ts'
import type { AppRequests, RateLimit } from './api-rate-limit.ts'
import { bearerToken } from '../server/bearer.ts'

/** The error of a request without an access token that is good. */
export function accessRefusal(authorization: string | undefined): ApiError {
  const realm = 'Bearer realm="spotify"'
  if (authorization === undefined) {
    return new ApiError(401, 'No token provided', { 'www-authenticate': realm })
  }
  if (!/^bearer(?: |$)/i.test(authorization)) {
    return new ApiError(400, 'Only valid bearer authentication supported')
  }
  const message = isOfProvider(bearerToken(authorization) ?? '')
    ? 'The access token expired'
    : 'Invalid access token'
  const challenge = `${realm}, error="invalid_token", error_description="${message}"`
  return new ApiError(401, message, { 'www-authenticate': challenge })
}

/** The test provider does not tell why a token is not good; its own look like this. */
function isOfProvider(token: string): boolean {
  return /^access-[\w-]{32}$/.test(token)
}

/** Throws a 429 with `Retry-After` when the account's app has sent too many requests. */
export async function checkRate(
  sent: AppRequests,
  limit: RateLimit,
  account: ApiAccount,
): Promise<void> {
  const wait = sent.count(await account.clientId(), limit)
  if (wait === undefined) return
  throw new ApiError(429, rateLimitMessage, { 'retry-after': String(wait) })
}
