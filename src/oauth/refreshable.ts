import type { ReauthReason } from '../errors.ts'
import type { TokenRecord } from './token-record.ts'
import type { FoundRecord } from './token-records.ts'
import { heldFor, type TokenTarget } from './token-target.ts'

/** The same grant with the same access token, however else the record was rewritten meanwhile. */
export function stillHas(
  current: FoundRecord | undefined,
  found: FoundRecord,
  target: TokenTarget,
): current is FoundRecord {
  if (!isSameGrant(current, found)) return false
  const [now, before] = [heldFor(current.record, target), heldFor(found.record, target)]
  return now?.accessToken === before?.accessToken && now?.receivedAt === before?.receivedAt
}

/** The same grant, and it has not ended. */
export function isSameGrant(
  current: FoundRecord | undefined,
  found: FoundRecord,
): current is FoundRecord {
  return current?.record.grantId === found.record.grantId && !current.record.ended
}

/** What is used up for new tokens: the refresh token, or nothing but the time of the app's own. */
export function spentBy({ tokens }: TokenRecord): string {
  return tokens.refreshToken ?? tokens.accessToken
}

/** Why no refresh is possible any more; `undefined` while it is. */
export function whyOver({
  isApp,
  tokens,
  refreshExpiresAt,
}: TokenRecord): ReauthReason | undefined {
  if (isApp) return undefined
  if (tokens.refreshToken === undefined) return 'no-refresh-token'
  return (refreshExpiresAt ?? Infinity) <= Date.now() ? 'refresh-expired' : undefined
}
