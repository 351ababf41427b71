import { ConfigError, RetiredSecretError } from '../errors.ts'
import { emit, type EventListener } from '../events.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import type { CooldownRecords } from './cooldown-records.ts'
import { Cooldowns } from './cooldowns.ts'
import { DpopProofs, newDpopKey } from './dpop.ts'
import type { AnyOfSubject, GrantOwner } from './grant-owner.ts'
import { IdleLimit } from './idle-limit.ts'
import type { Leases } from './leases.ts'
import { LogoutTokens } from './logout-token.ts'
import { MissingGrants, type OnMissingGrant } from './missing-grants.ts'
import type { Provider } from './provider.ts'
import { Refresher } from './refresh.ts'
import { grantHash, newGrant, type TokenRecord } from './token-record.ts'
import type { FoundRecord, TokenRecords } from './token-records.ts'

/** What the app has set: what it is told and asked, and how long a session's grant may lie idle. */
export interface AccessSettings {
  onEvent?: EventListener | undefined
  onMissingGrant?: OnMissingGrant | undefined
  grantTtl?: { idle?: number | undefined } | undefined
  /** What other processes know of an API that wants no calls. */
  cooldowns?: CooldownRecords | undefined
  /** The process may stand still once a request is answered: what it began has to be waited for. */
  awaitsRefreshes?: boolean | undefined
}

/** What all requests of one provider share: its server, its records, the refreshes and cooldowns under way. */
export class ProviderAccess {
  readonly provider: Provider
  readonly server: AuthorizationServer
  readonly records: TokenRecords
  readonly refresher: Refresher
  readonly cooldowns: Cooldowns
  /** Of possession, for calls with tokens that are bound to a key. */
  readonly proofs = new DpopProofs()
  readonly logoutTokens: LogoutTokens
  readonly listener: EventListener | undefined
  /** Lets work go on after the response; its failure is nobody's error. */
  readonly background: (work: Promise<unknown>) => void
  readonly awaitsRefreshes: boolean
  readonly #missing: MissingGrants | undefined
  readonly #idle: IdleLimit | undefined

  constructor(
    server: AuthorizationServer,
    records: TokenRecords,
    leases: Leases,
    settings: AccessSettings,
    background: (work: Promise<unknown>) => void,
  ) {
    const { onEvent, onMissingGrant, grantTtl, awaitsRefreshes = false, cooldowns } = settings
    this.provider = server.provider
    this.server = server
    this.records = records
    this.logoutTokens = new LogoutTokens(server)
    this.listener = onEvent
    this.background = background
    this.awaitsRefreshes = awaitsRefreshes
    this.refresher = new Refresher(server, records, leases, onEvent, background)
    this.cooldowns = new Cooldowns({
      client: [this.name, this.provider.clientId],
      by: this.provider.definition.rateLimitedBy ?? 'grant',
      records: cooldowns,
    })
    this.#idle = grantTtl?.idle === undefined ? undefined : new IdleLimit(records, grantTtl.idle)
    this.#missing = onMissingGrant && new MissingGrants(this.provider, records, onMissingGrant)
  }

  get name(): string {
    return this.provider.name
  }

  /** The record of a visitor's grant; one store read. */
  async find(visitor: {
    owner(): Promise<GrantOwner | AnyOfSubject | undefined>
  }): Promise<FoundRecord | undefined> {
    const owner = await visitor.owner()
    return owner && this.of(owner)
  }

  /** The record of an owner's grant, while it can be used or says why not. */
  async of(owner: GrantOwner | AnyOfSubject): Promise<FoundRecord | undefined> {
    if (owner.kind === 'subject') return (await this.ofSubject(owner.id))[0]
    const found = await this.records.read(owner, this.name)
    if (found) return this.#inUse(found)
    if (owner.kind === 'app') return this.records.add(owner, this.name, appRecord(this.provider))
    return owner.kind === 'user' ? this.#missing?.find(owner) : undefined
  }

  /** What a subject has granted, what can be used first. */
  async ofSubject(subject: string): Promise<FoundRecord[]> {
    const found = await this.records.ofSubject(this.name, subject)
    return found.filter((one) => !this.#idle?.isOver(one))
  }

  #inUse(found: FoundRecord): FoundRecord | undefined {
    if (this.#idle?.isOver(found)) return undefined
    this.#idle?.note(found, this.background)
    return found
  }

  /** Ends a grant: deleted first, so that nothing brings it back, then revoked in the background. */
  async end(found: FoundRecord): Promise<void> {
    const { user } = found.record
    if (user !== undefined) await this.#missing?.noteEnded({ kind: 'user', id: user })
    // A refresh may have replaced the tokens since they were found.
    const last = (await this.records.end(found)) ?? found
    const { tokens } = last.record
    emit(this.listener, { type: 'logout', provider: this.name, grant: grantHash(found.record) })
    if (tokens.refreshToken ?? tokens.accessToken) this.background(this.server.revoke(tokens))
  }

  /** Ends what an owner has here, also what nobody can read; tells whether there was anything. */
  async forget(owner: GrantOwner): Promise<boolean> {
    if (owner.kind === 'user') await this.#missing?.noteEnded(owner)
    try {
      const found = await this.records.named(owner, this.name)
      if (found) await this.end(found)
      // Of what a request has not brought along copies may be elsewhere.
      else await this.records.forget(owner, this.name)
      return found !== undefined
    } catch (error) {
      if (!(error instanceof RetiredSecretError)) throw error
      await this.records.forget(owner, this.name)
      return true
    }
  }

  /** Throws a `ConfigError` where no login is possible. */
  requireUrl(loginUrl: string | undefined): string {
    if (loginUrl !== undefined) return loginUrl
    throw new ConfigError(`loginUrl() of ${this.name} needs a request: there is no browser here.`)
  }
}

/** The app's own grant, with no token yet. */
function appRecord({ name, clientId, definition }: Provider): TokenRecord {
  return {
    ...newGrant(),
    provider: name,
    profile: { subject: clientId },
    scope: [],
    authorizedAt: Date.now(),
    tokens: { accessToken: '', receivedAt: 0, expiresAt: 0 },
    isApp: true,
    dpopKey: definition.dpop ? newDpopKey() : undefined,
  }
}
