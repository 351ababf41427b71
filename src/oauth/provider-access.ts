import { ConfigError } from '../errors.ts'
import { emit, type EventListener } from '../events.ts'
import type { AuthorizationServer } from './authorization-server.ts'
import { Cooldowns } from './cooldowns.ts'
import type { GrantOwner } from './grant-owner.ts'
import type { Leases } from './leases.ts'
import type { Provider } from './provider.ts'
import { Refresher } from './refresh.ts'
import { grantHash } from './token-record.ts'
import type { FoundRecord, TokenRecords } from './token-records.ts'

/** What all requests of one provider share: its server, its records, the refreshes and cooldowns under way. */
export class ProviderAccess {
  readonly provider: Provider
  readonly server: AuthorizationServer
  readonly records: TokenRecords
  readonly refresher: Refresher
  readonly cooldowns: Cooldowns
  readonly listener: EventListener | undefined
  /** Lets work go on after the response; its failure is nobody's error. */
  readonly background: (work: Promise<unknown>) => void

  constructor(
    server: AuthorizationServer,
    records: TokenRecords,
    leases: Leases,
    listener: EventListener | undefined,
    background: (work: Promise<unknown>) => void,
  ) {
    this.provider = server.provider
    this.server = server
    this.records = records
    this.listener = listener
    this.background = background
    this.refresher = new Refresher(server, records, leases, listener, background)
    this.cooldowns = new Cooldowns(this.provider.definition.rateLimitedBy ?? 'grant')
  }

  get name(): string {
    return this.provider.name
  }

  /** The record of a visitor's grant; one store read. */
  async find(visitor: {
    owner(): Promise<GrantOwner | undefined>
  }): Promise<FoundRecord | undefined> {
    const owner = await visitor.owner()
    return owner && this.records.read(owner, this.name)
  }

  /** Ends a grant: deleted first, so that nothing brings it back, then revoked in the background. */
  async end(found: FoundRecord): Promise<void> {
    // A refresh may have replaced the tokens since they were found.
    const last = (await this.records.end(found)) ?? found
    const { tokens } = last.record
    emit(this.listener, { type: 'logout', provider: this.name, grant: grantHash(found.record) })
    const token = tokens.refreshToken ?? tokens.accessToken
    if (token) this.background(this.server.revoke(token))
  }

  /** Throws a `ConfigError` where no login is possible. */
  requireUrl(loginUrl: string | undefined): string {
    if (loginUrl !== undefined) return loginUrl
    throw new ConfigError(`loginUrl() of ${this.name} needs a request: there is no browser here.`)
  }
}
