import {
  ConfigError,
  InsufficientScopeError,
  LoginRequiredError,
  NotPersistableError,
  ProviderUnavailableError,
  ReauthRequiredError,
} from '../errors.ts'
import { type AnyOfSubject, type GrantOwner, userOwner } from './grant-owner.ts'
import type { Profile } from './provider.ts'
import type { ProviderAccess } from './provider-access.ts'
import { isSameGrant } from './refreshable.ts'
import { missingScope } from './scope.ts'
import { needed, refreshAhead, timeLeft, tooShort } from './token-lifetime.ts'
import { grantHash, type HeldTokens, type TokenRecord } from './token-record.ts'
import type { FoundRecord } from './token-records.ts'
import { checkedTokens, type TokenSet } from './token-set.ts'
import { type ExchangedToken, type ExchangeOptions, exchangeToken } from './token-exchange.ts'
import { heldFor, mainToken, type TokenTarget, tokenTarget } from './token-target.ts'

/** A grant as the app sees it: who granted what, until when; never a token. */
export interface Grant {
  /** The user's stable id at the provider. */
  subject: string
  profile: Profile
  /** What was granted, which can be less than was asked for. */
  scope: readonly string[]
  /** When the access token expires, epoch ms; `undefined` when the provider does not say. */
  expiresAt: number | undefined
  /** When the user logged in, epoch ms. */
  authorizedAt: number
  /** When the refresh token ends, epoch ms, where the provider limits its life. */
  refreshExpiresAt: number | undefined
}

/** Options of {@link TokenHandler.getAccessToken}. */
export interface AccessTokenOptions {
  /** Seconds for which the token must still be valid. Default 0. */
  minValidity?: number | undefined
  /** Scopes that the grant must have; for a token of the app's own, or for a `resource`, those asked for. */
  scope?: string | readonly string[] | undefined
  /** An absolute URI: a token for this resource alone (RFC 8707), at providers that know such. */
  resource?: string | undefined
  /** Refreshes even a token that seems valid. Default `false`. */
  forceRefresh?: boolean | undefined
}

/** Options of {@link TokenHandler.loginUrl}. */
export interface LoginUrlOptions {
  /** Asked for in addition to the provider's `scope`; must be in its `optionalScope`. */
  scope?: string | readonly string[] | undefined
  /** Local path to come back to. Default `/`. */
  returnTo?: string | undefined
  /** OpenID Connect's `prompt`, for example `consent`. */
  prompt?: string | undefined
  /** OpenID Connect's `login_hint`. */
  loginHint?: string | undefined
  /** Seconds since the user last proved who they are; older, and they do it anew. 0: in any case. */
  maxAge?: number | undefined
}

/** Whose tokens a handler keeps, and how they log in. */
export interface Visitor {
  owner(): Promise<GrantOwner | AnyOfSubject | undefined>
  /** `undefined` outside a request. */
  loginUrl(provider: string, options: LoginUrlOptions): string | undefined
}

/** A record keeps some tokens for resources only; others may have pushed the one out that was just got. */
const attempts = 5

/** Keeps one user's tokens at one provider valid. */
export class TokenHandler {
  readonly #access: ProviderAccess
  readonly #visitor: Visitor
  readonly #onlyOneGrant: boolean
  #grantId: string | undefined
  #last: TokenRecord | undefined

  /** Made by `behalf()`; apps get theirs from `req.tokens.<provider>`. */
  constructor(access: ProviderAccess, visitor: Visitor, onlyOneGrant = false) {
    this.#access = access
    this.#visitor = visitor
    this.#onlyOneGrant = onlyOneGrant
  }

  /**
   * The handler of one call: it keeps to the owner and the grant that it finds first, whoever signs
   * in or connects another account before the call is done.
   */
  forOneCall(): TokenHandler {
    let owner: ReturnType<Visitor['owner']> | undefined
    const visitor: Visitor = {
      owner: () => (owner ??= this.#visitor.owner()),
      loginUrl: (provider, options) => this.#visitor.loginUrl(provider, options),
    }
    return new TokenHandler(this.#access, visitor, true)
  }

  /** The grant, or `undefined` when there is none (any more). Throws `StoreUnavailableError`. */
  async grant(): Promise<Grant | undefined> {
    const found = await this.#access.find(this.#visitor)
    return found && !found.record.ended ? grantOf(found.record) : undefined
  }

  /**
   * A valid access token; refreshed first when it is about to expire.
   *
   * Throws `LoginRequiredError`, `ReauthRequiredError`, `InsufficientScopeError`,
   * `ProviderUnavailableError`, `ClientMisconfiguredError`, `StoreUnavailableError` or
   * `NotPersistableError`.
   */
  async getAccessToken(options: AccessTokenOptions = {}): Promise<string> {
    const target = tokenTarget(options.scope, options.resource)
    const own = this.#onlyOneGrant ? this : this.forOneCall()
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      const { record } = await own.#fresh(target, options)
      own.#checkScope(record, target.scope)
      const held = heldFor(record, target)
      if (held) return held.accessToken
    }
    throw new ProviderUnavailableError(this.#access.name, 'its tokens are replaced too fast')
  }

  /** Where the user logs in at this provider. Throws `ConfigError` outside a request. */
  loginUrl(options: LoginUrlOptions = {}): string {
    return this.#access.requireUrl(this.#visitor.loginUrl(this.#access.name, options))
  }

  /**
   * Puts tokens that the app obtained by itself in the place of the grant's. The refresh token is
   * kept when the set has none. Throws `LoginRequiredError` when there is no grant, `ConfigError` for
   * what is no token.
   */
  async save(tokens: TokenSet): Promise<void> {
    const { accessToken, expiresAt, refreshToken, scope } = checkedTokens('save()', tokens)
    let saved: string | undefined
    while (saved === undefined) {
      const found = await this.found()
      checkKeeps(found)
      const { record } = found
      const held: HeldTokens = {
        accessToken,
        expiresAt,
        refreshToken: refreshToken ?? record.tokens.refreshToken,
        receivedAt: Date.now(),
      }
      const replaced = { ...record, scope: scope ?? record.scope, tokens: held }
      saved = await this.#access.records.update(found, replaced)
    }
  }

  /**
   * Exchanges the access token for one that another service takes (RFC 8693). It is not kept: ask once
   * and use it until it expires. Throws as `getAccessToken` does, and `ClientMisconfiguredError` where
   * the provider does not offer that, or not to this app.
   */
  async exchange(options: ExchangeOptions = {}): Promise<ExchangedToken> {
    const { record } = await this.live()
    return exchangeToken(this.#access.server, record.tokens.accessToken, options)
  }

  /** Ends the grant: deleted here, then revoked at the provider as far as that works. */
  async disconnect(): Promise<void> {
    const found = await this.#access.find(this.#visitor)
    if (found) await this.#access.end(found)
  }

  /**
   * Gives a session's grant to a user of the app, who keeps it from then on, also without the
   * session, in place of one that the user may have had. Throws `LoginRequiredError` when there is no
   * grant, `ConfigError` when it is no session's, `ProviderUnavailableError` while it cannot be moved.
   */
  async assignTo(userId: string): Promise<void> {
    const { records, refresher, name } = this.#access
    const owner = userOwner(userId)
    const found = await this.found()
    if (found.record.user === userId) return
    if (found.record.proofHash === undefined) {
      throw new ConfigError(
        'assignTo() is for the grant of a session; this one is a user’s or the app’s.',
      )
    }
    // Whoever refreshes meanwhile would give what comes to a record that is gone.
    const held = await refresher.hold(found)
    if (!held) throw new LoginRequiredError(name, this.#visitor.loginUrl(name, {}))
    try {
      const { proofHash: _bound, endsAt: _end, usedAt: _used, ...record } = held.current.record
      // There first: a grant that is at two places for a moment is better than one at none.
      await records.replace(owner, name, record)
      await records.end(held.current)
    } finally {
      await refresher.letGo(held.lease)
    }
  }

  /** How events name the grant that was last found. */
  get lastGrant(): string {
    return this.#last ? grantHash(this.#last) : 'none'
  }

  /** The grant's record, whether its token is still valid or not. */
  async found(): Promise<FoundRecord> {
    return this.#usable(await this.#access.find(this.#visitor))
  }

  /** The grant's record with a token that can be used now. */
  live(): Promise<FoundRecord> {
    return this.#fresh(mainToken)
  }

  async #fresh(
    target: TokenTarget,
    { forceRefresh, minValidity = 0 }: AccessTokenOptions = {},
  ): Promise<FoundRecord> {
    const found = await this.found()
    this.#checkScope(found.record, target.scope)
    const held = heldFor(found.record, target)
    const left = held ? timeLeft(held) : -Infinity
    const valid = held !== undefined && !forceRefresh && left > needed(held, minValidity)
    if (valid && left > refreshAhead(held)) return found
    if (!isRenewable(found.record)) {
      if (valid) return found
      if (held !== found.record.tokens) throw this.#notRenewable()
    }
    if (valid && !keeps(found)) return found
    checkKeeps(found)
    const isFirst = !this.#access.refresher.isUnderWay(found, target)
    const refreshing = this.#access.refresher.refresh(found, target)
    if (valid && left > tooShort(held)) {
      const refreshed = isFirst && this.#awaits(found) ? await settled(refreshing) : undefined
      return isSameGrant(refreshed, found) ? this.#usable(refreshed) : found
    }
    return this.#usable(await refreshing.catch((error: unknown) => orElse(valid, found, error)))
  }

  /** New tokens have to be there before the reply that brings them to their place, or ends the process' time. */
  #awaits({ home }: FoundRecord): boolean {
    return home.request !== undefined || this.#access.awaitsRefreshes
  }

  /** The record with another access token than the one that the API has just refused. */
  async replaced(rejected: string): Promise<FoundRecord> {
    const found = await this.found()
    if (found.record.tokens.accessToken !== rejected) return found
    checkKeeps(found)
    return this.#usable(await this.#access.refresher.refresh(found))
  }

  #usable(found: FoundRecord | undefined): FoundRecord {
    const { name } = this.#access
    if (!found || this.#isAnother(found.record)) {
      throw new LoginRequiredError(name, this.#visitor.loginUrl(name, {}))
    }
    const { ended } = found.record
    if (ended) throw new ReauthRequiredError(name, ended, this.#visitor.loginUrl(name, {}))
    this.#last = found.record
    return found
  }

  #isAnother({ grantId }: TokenRecord): boolean {
    return this.#onlyOneGrant && (this.#grantId ??= grantId) !== grantId
  }

  #notRenewable(): ReauthRequiredError {
    const { name } = this.#access
    return new ReauthRequiredError(name, 'no-refresh-token', this.#visitor.loginUrl(name, {}))
  }

  #checkScope(record: TokenRecord, wanted: readonly string[]): void {
    if (record.isApp) return
    const missing = missingScope(record.scope, wanted)
    if (missing.length === 0) return
    const { name } = this.#access
    throw new InsufficientScopeError(
      name,
      missing,
      this.#visitor.loginUrl(name, { scope: missing }),
    )
  }
}

/** A record as the app may see it. */
export function grantOf({
  profile,
  scope,
  tokens,
  authorizedAt,
  refreshExpiresAt,
}: TokenRecord): Grant {
  const { expiresAt } = tokens
  const { subject } = profile
  const own = structuredClone({ profile, scope })
  return { subject, ...own, expiresAt, authorizedAt, refreshExpiresAt }
}

function keeps({ home }: FoundRecord): boolean {
  return home.request?.keeps ?? true
}

/** Nothing is spent for tokens that would be lost with the request. */
function checkKeeps(found: FoundRecord): void {
  if (keeps(found)) return
  throw new NotPersistableError(
    'this request cannot set cookies (any more), and store reaches this process only',
    "Ask for a token where the reply's headers are still open, or share a store between requests, such as createStore('redis://…').",
  )
}

/** What came of work whose failure is not this caller's. */
function settled<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch(() => undefined)
}

function isRenewable({ isApp, tokens }: TokenRecord): boolean {
  return isApp === true || tokens.refreshToken !== undefined
}

/** A provider in trouble is no reason to refuse a token that is still valid. */
function orElse(valid: boolean, found: FoundRecord, error: unknown): FoundRecord {
  if (valid && error instanceof ProviderUnavailableError) return found
  throw error
}
