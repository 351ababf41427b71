import { BehalfError, ProviderUnavailableError, type ReauthReason } from '../errors.ts'
import { emit, type EventListener } from '../events.ts'
import { processState } from '../process-state.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { InvalidGrant } from './rebuilt-error.ts'
import { grantHash, type HeldTokens, sha256, type TokenRecord } from './token-record.ts'
import type { FoundRecord, TokenRecords } from './token-records.ts'
import type { TokenSet } from './token-set.ts'

/** What is left of a grant after a refresh; `undefined` when a logout came in between. */
export type Refreshed = FoundRecord | undefined

/** Milliseconds for which everyone who asks shares the answer of a provider that is unavailable. */
const coolDown = 5_000
const writeAttempts = 3

/**
 * Presents refresh tokens, each of them once in this process: whoever comes while a refresh is
 * under way shares its outcome.
 */
export class Refresher {
  readonly #server: AuthorizationServer
  readonly #records: TokenRecords
  readonly #listener: EventListener | undefined
  readonly #flights = processState('refreshes', () => new Map<string, Promise<Refreshed>>())

  constructor(
    server: AuthorizationServer,
    records: TokenRecords,
    listener: EventListener | undefined,
  ) {
    this.#server = server
    this.#records = records
    this.#listener = listener
  }

  /**
   * Replaces the tokens that were found, unless somebody has done so already. A grant that the
   * provider has ended comes back as such. Throws when the provider or the store is unavailable.
   */
  refresh(found: FoundRecord): Promise<Refreshed> {
    const name = flightOf(found)
    const flight = this.#flights.get(name)
    if (flight) return flight
    const started = this.#observed(found)
    this.#flights.set(name, started)
    started.then(
      () => this.#flights.delete(name),
      (error: unknown) => {
        if (!(error instanceof ProviderUnavailableError)) this.#flights.delete(name)
        else setTimeout(() => this.#flights.delete(name), coolDown).unref()
      },
    )
    return started
  }

  /** Waits for a refresh of these tokens, should there be one, whatever comes of it. */
  async underWay(found: FoundRecord): Promise<void> {
    await this.#flights.get(flightOf(found))?.catch(() => {})
  }

  async #observed(found: FoundRecord): Promise<Refreshed> {
    const about = { provider: found.record.provider, grant: grantHash(found.record) }
    const startedAt = performance.now()
    const failed = (code: string) =>
      emit(this.#listener, { type: 'refresh_failed', ...about, code })
    try {
      const refreshed = await this.#refresh(found)
      const duration = (performance.now() - startedAt) / 1000
      if (refreshed?.record.ended) failed('reauth_required')
      else if (refreshed) emit(this.#listener, { type: 'refresh', ...about, duration })
      return refreshed
    } catch (error) {
      failed(error instanceof BehalfError ? error.code : 'unexpected_response')
      throw error
    }
  }

  async #refresh(found: FoundRecord): Promise<Refreshed> {
    const current = await this.#records.reread(found.key)
    if (!isUnchanged(current, found)) return current
    const refreshToken = current.record.tokens.refreshToken
    if (refreshToken === undefined) return this.#end(current, 'no-refresh-token')
    if ((current.record.refreshExpiresAt ?? Infinity) <= Date.now()) {
      return this.#end(current, 'refresh-expired')
    }
    const tokens = await this.#server.refresh(refreshToken).catch((error: unknown) => {
      if (error instanceof InvalidGrant) return error
      throw error
    })
    return tokens instanceof InvalidGrant
      ? this.#end(current, 'revoked')
      : this.#keep(current, tokens)
  }

  /** Before a grant is given up, it is read once more: another process may have been faster. */
  async #end(found: FoundRecord, reason: ReauthReason): Promise<Refreshed> {
    const current = await this.#records.reread(found.key)
    if (!isUnchanged(current, found)) return current
    const { receivedAt } = current.record.tokens
    const record: TokenRecord = {
      ...current.record,
      tokens: { accessToken: '', receivedAt },
      ended: reason,
    }
    const version = await this.#records.update(current, record)
    return version === undefined ? this.#records.reread(found.key) : { ...current, version, record }
  }

  /** RFC 6749 section 6: a reply without a refresh token leaves the old one in force. */
  async #keep(found: FoundRecord, fresh: TokenSet): Promise<Refreshed> {
    const { scope, ...tokens } = fresh
    const held: HeldTokens = {
      ...tokens,
      refreshToken: tokens.refreshToken ?? found.record.tokens.refreshToken,
      receivedAt: Date.now(),
    }
    let current: FoundRecord | undefined = found
    while (isUnchanged(current, found)) {
      const record = { ...current.record, tokens: held, scope: scope ?? current.record.scope }
      const version = await this.#write(current, record)
      if (version !== undefined) return { ...current, version, record }
      current = await this.#records.reread(found.key)
    }
    if (!isSameGrant(current, found) && held.refreshToken)
      await this.#server.revoke(held.refreshToken).catch(() => {})
    return current
  }

  /** The tokens that were just spent for these are gone: a store that stumbles is asked again. */
  async #write(found: FoundRecord, record: TokenRecord): Promise<string | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#records.update(found, record)
      } catch (error) {
        if (attempt === writeAttempts) throw error
        await new Promise((resolve) => setTimeout(resolve, 200 * attempt))
      }
    }
  }
}

function flightOf({ record }: FoundRecord): string {
  return `${record.grantId} ${sha256(record.tokens.refreshToken ?? '')}`
}

function isSameGrant(current: FoundRecord | undefined, found: FoundRecord): boolean {
  return current?.record.grantId === found.record.grantId
}

/** The same grant with the same tokens, however else the record was rewritten meanwhile. */
function isUnchanged(current: FoundRecord | undefined, found: FoundRecord): current is FoundRecord {
  const [now, before] = [current?.record, found.record]
  return (
    now?.grantId === before.grantId &&
    now.ended === undefined &&
    now.tokens.accessToken === before.tokens.accessToken &&
    now.tokens.refreshToken === before.tokens.refreshToken
  )
}
