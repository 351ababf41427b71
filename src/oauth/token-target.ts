import { ConfigError } from '../errors.ts'
import { normalizeScope } from './scope.ts'
import { type HeldAccessToken, sha256, type TokenRecord } from './token-record.ts'
import { parsedUrl } from '../parsed-url.ts'

/** Which access token of a grant is meant; without a resource it is the one that API calls use. */
export interface TokenTarget {
  readonly scope: readonly string[]
  /** The resource that it is for (RFC 8707 section 2). */
  readonly resource: string | undefined
}

/** The token that API calls use. */
export const mainToken: TokenTarget = { scope: [], resource: undefined }

/** Throws a `ConfigError` for a resource that is no absolute URI, or has a fragment (RFC 8707). */
export function tokenTarget(
  scope: string | readonly string[] | undefined,
  resource: string | undefined,
): TokenTarget {
  if (resource !== undefined) checkResource(resource)
  return { scope: normalizeScope(scope), resource }
}

/** RFC 8707 section 2: an absolute URI without a fragment; throws a `ConfigError` for anything else. */
export function checkResource(resource: string): void {
  if (parsedUrl(resource) && !resource.includes('#')) return
  throw new ConfigError(`The resource '${resource}' must be an absolute URI without a fragment.`)
}

/**
 * Where the record keeps that token, `undefined` for the main one. A user's main token has all that
 * was granted, the app's own has what is asked for.
 */
export function slotOf(
  { isApp }: TokenRecord,
  { scope, resource }: TokenTarget,
): string | undefined {
  if (resource === undefined && (!isApp || scope.length === 0)) return undefined
  return sha256(JSON.stringify([resource ?? '', [...new Set(scope)].toSorted()]))
}

/** The token that is held for a target, valid or not. */
export function heldFor(record: TokenRecord, target: TokenTarget): HeldAccessToken | undefined {
  const slot = slotOf(record, target)
  return slot === undefined ? record.tokens : record.further?.[slot]
}
