import { StoreUnavailableError } from '../errors.ts'
import type { HeldTokens, TokenRecord } from './token-record.ts'
import type { FoundRecord, TokenRecords } from './token-records.ts'
import type { TokenSet } from './token-set.ts'

/** Milliseconds for which a store that fails is asked again. */
const patience = 60_000
const longestPause = 1_000

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
): Promise<Kept> {
  const { scope, ...tokens } = fresh
  const held: HeldTokens = {
    ...tokens,
    // RFC 6749 section 6: a reply without a refresh token leaves the old one in force.
    refreshToken: tokens.refreshToken ?? spent.record.tokens.refreshToken,
    receivedAt: Date.now(),
  }
  let current: FoundRecord | undefined = spent
  while (takesTokensFor(current, spent)) {
    const { ended: _over, ...still } = current.record
    const record: TokenRecord = { ...still, tokens: held, scope: scope ?? still.scope }
    const replaced: FoundRecord = current
    const version = await persistently(() => records.update(replaced, record))
    if (version !== undefined) return { found: { ...current, version, record }, isOurs: true }
    current = await persistently(() => records.reread(spent.key))
  }
  return { found: current, isOurs: false }
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

async function persistently<T>(operation: () => Promise<T>): Promise<T> {
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
