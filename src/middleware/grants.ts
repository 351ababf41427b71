import { ConfigError, type ReauthReason } from '../errors.ts'
import { userOwner } from '../oauth/grant-owner.ts'
import { importedRecord, type ImportedTokens } from '../oauth/imported-tokens.ts'
import type { ProviderAccess } from '../oauth/provider-access.ts'
import { type Grant, grantOf } from '../oauth/token-handler.ts'
import type { TokenRecord } from '../oauth/token-record.ts'
import type { FoundRecord } from '../oauth/token-records.ts'
import type { App } from './app.ts'
import { beginDeviceLogin, type PendingDeviceLogin } from './device-login.ts'

/** A grant in a list: whose, at which provider, and what has become of it. */
export interface ListedGrant extends Grant {
  provider: string
  /** The app's user; `undefined` for a grant that belongs to a session. */
  user: string | undefined
  /** Why only a new login helps; `undefined` while it can be used. */
  reauthRequired: ReauthReason | undefined
}

/** Which grants are meant: one user's, or one subject's at the providers. */
export interface GrantQuery {
  /** The app's own user. */
  user?: string | undefined
  /** A provider's name. Default all. */
  provider?: string | undefined
  /** The user's id at the provider: also the grants of sessions. */
  subject?: string | undefined
}

/** What {@link Grants.import} takes beside the tokens. */
export interface ImportOptions {
  /** The app's own user, who has the grant from then on. */
  user: string
  tokenSet: ImportedTokens
  /** The user's id at the provider; may be in the token set. */
  subject?: string | undefined
  /** When the user logged in, epoch ms. Default: now. */
  authorizedAt?: number | undefined
}

/** What {@link Grants.deviceLogin} takes. */
export interface DeviceLoginOptions {
  /** The app's own user, who has the grant from then on. */
  user: string
  /** In addition to the provider's `scope`; must be in its `optionalScope`. */
  scope?: string | readonly string[] | undefined
  /** Ends the waiting. */
  signal?: AbortSignal | undefined
}

/** The grants of all users: for account pages, support, moving over from elsewhere, and clean-up. */
export class Grants {
  readonly #app: () => Promise<App>

  /** Made by `createBehalf()`; apps get theirs from `auth.grants`. */
  constructor(app: () => Promise<App>) {
    this.#app = app
  }

  /** The grants of a user, of a subject, or of both. Throws a `ConfigError` when neither is named. */
  async list({ user, provider, subject }: GrantQuery): Promise<ListedGrant[]> {
    const found: FoundRecord[] = []
    for (const access of accessesOf(await this.#app(), provider)) {
      if (user !== undefined) {
        found.push(...existing(await access.records.read(userOwner(user), access.name)))
      } else if (subject === undefined) {
        throw new ConfigError('grants.list() needs a user or a subject; expiring() goes over all.')
      } else found.push(...(await access.ofSubject(subject)))
    }
    return found
      .filter(({ record }) => subject === undefined || record.profile.subject === subject)
      .map(({ record }) => listed(record))
  }

  /**
   * Gives a user the tokens that the app has kept elsewhere. The provider is not asked. A grant that
   * the user has already stays as it is, so that a second import changes nothing: tells whether it
   * was imported. Throws a `ConfigError` for what are no tokens.
   */
  async import(
    provider: string,
    { user, tokenSet, subject = tokenSet.subject, authorizedAt }: ImportOptions,
  ): Promise<boolean> {
    const access = (await this.#app()).access(provider)
    const given = { ...tokenSet, subject, authorizedAt: authorizedAt ?? tokenSet.authorizedAt }
    const record = importedRecord(access.provider, given)
    const there = await access.records.add(userOwner(user), provider, record)
    return there.record.grantId === record.grantId
  }

  /**
   * Begins a login for who has no browser here (RFC 8628): show them the code and the address. Throws
   * a `ConfigError` where the provider has no device authorization endpoint.
   */
  async deviceLogin(provider: string, options: DeviceLoginOptions): Promise<PendingDeviceLogin> {
    return beginDeviceLogin(await this.#app(), provider, options)
  }

  /**
   * The grants that only a new login keeps alive: those that have ended at the provider, and those
   * whose refresh token ends within so many seconds. Goes over all that the store has; throws an
   * `UnsupportedOperationError` where it cannot list.
   */
  async *expiring({ within = 0 }: { within?: number } = {}): AsyncGenerator<
    ListedGrant,
    void,
    undefined
  > {
    const { accesses } = await this.#app()
    const [access] = accesses.values()
    for await (const { record } of access!.records.all()) {
      const endsSoon = (record.refreshExpiresAt ?? Infinity) <= Date.now() + within * 1000
      if (!record.isApp && (record.ended || endsSoon)) yield listed(record)
    }
  }

  /**
   * Ends all grants of a user (for a deleted account): revoked at the providers as far as that
   * works, deleted, and what is cached for them undecipherable. Tells how many there were.
   */
  async forget(user: string): Promise<number> {
    const owner = userOwner(user)
    let ended = 0
    for (const access of (await this.#app()).accesses.values()) {
      if (await access.forget(owner)) ended += 1
    }
    return ended
  }
}

function accessesOf(app: App, provider: string | undefined): ProviderAccess[] {
  return provider === undefined ? [...app.accesses.values()] : [app.access(provider)]
}

function existing<T>(value: T | undefined): T[] {
  return value === undefined ? [] : [value]
}

function listed(record: TokenRecord): ListedGrant {
  const { provider, user, ended } = record
  return { ...grantOf(record), provider, user, reauthRequired: ended }
}
