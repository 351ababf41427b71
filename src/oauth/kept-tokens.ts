import { StoreUnavailableError } from '../errors.ts'
import type { HeldAccessToken, TokenRecord } from './token-record.ts'
import type { FoundRecord, TokenRecords } from './token-records.ts'
import type { TokenSet } from './token-set.ts'
import { heldFor, slotOf, type TokenTarget } from './token-target.ts'

/** Milliseconds for which a store that fails is asked again. */
const patience = 60_000
const longestPause = 1_000
/** A record stays small, however many resources are asked for. */
const mostFurther = 16

/** What became of tokens that came by a refresh. */
export interface Kept {
  /** The record as it is now; `undefined` when there is none any more. */
  found: FoundRecord | undefined
  /** It has these tokens. */
  isOurs: boolean
}

/**
 * Puts the tokens that came for a record's refresh token into it, however the record is rewritten
 * meanwhile; newer tokens and newer grants stay. What was spent for them is gone, so that a store
 * that fails is asked again for a minute.
 */
export async function keepTokens(
  records: TokenRecords,
  spent: FoundRecord,
  fresh: TokenSet,
  target: TokenTarget,
): Promise<Kept> {
  const receivedAt = Date.now()
  let current: FoundRecord | undefined = spent
  while (takesTokensFor(current, spent)) {
    const record = withTokens(current.record, fresh, target, receivedAt)
    const replaced: FoundRecord = current
    const version = await persistently(() => records.update(replaced, record))
    if (version !== undefined) return { found: { ...current, version, record }, isOurs: true }
    current = await persistently(() => records.reread(spent))
  }
  return { found: current, isOurs: hasTokens(current, spent, fresh, target) }
}

function withTokens(
  { ended, revived: _former, ...rest }: TokenRecord,
  fresh: TokenSet,
  target: TokenTarget,
  receivedAt: number,
): TokenRecord {
  const record = ended === 'rotation-lost' ? { ...rest, revived: true as const } : rest
  const { accessToken, expiresAt, scope = record.scope } = fresh
  const { refreshExpiresAt = record.refreshExpiresAt } = fresh
  // RFC 6749 section 6: a reply without a refresh token leaves the old one in force.
  const refreshToken = fresh.refreshToken ?? record.tokens.refreshToken
  const held: HeldAccessToken = { accessToken, expiresAt, receivedAt }
  const slot = slotOf(record, target)
  if (slot === undefined)
    return { ...record, scope, refreshExpiresAt, tokens: { ...held, refreshToken } }
  const others = Object.entries({ ...record.further, [slot]: undefined })
    .flatMap(([name, other]) => (other ? [[name, other] as const] : []))
    .toSorted(([, one], [, other]) => other.receivedAt - one.receivedAt)
    .slice(0, mostFurther - 1)
  const further = Object.fromEntries([[slot, held], ...others])
  return { ...record, refreshExpiresAt, tokens: { ...record.tokens, refreshToken }, further }
}

/**
 * Does the record still wait for what this refresh token brings? Also when somebody has given it up
 * because the answer did not come.
 */
function takesTokensFor(
  current: FoundRecord | undefined,
  spent: FoundRecord,
): current is FoundRecord {
  if (current?.record.grantId !== spent.record.grantId) return false
  if (current.record.ended !== undefined) return current.record.ended === 'rotation-lost'
  return current.record.tokens.refreshToken === spent.record.tokens.refreshToken
}

/** A write that did not say so may have taken place. */
function hasTokens(
  current: FoundRecord | undefined,
  spent: FoundRecord,
  { accessToken }: TokenSet,
  target: TokenTarget,
): boolean {
  if (current?.record.grantId !== spent.record.grantId) return false
  return heldFor(current.record, target)?.accessToken === accessToken
}

/** Asks a store that fails again, for a minute. */
export async function persistently<T>(operation: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  for (let pause = 100; ; pause = Math.min(2 * pause, longestPause)) {
    try {
      return await operation()
    } catch (error) {
      const isOver = performance.now() - startedAt > patience
      if (isOver || !(error instanceof StoreUnavailableError)) throw error
    }
    await new Promise((resolve) => setTimeout(resolve, pause))
  }
}
