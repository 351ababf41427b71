import { hash } from 'node:crypto'
import type { ResponseCache } from '../cache/index.ts'
import { ConfigError } from '../errors.ts'
import { emit, type Happening } from '../events.ts'
import type { KeyRing } from '../key-ring.ts'
import { AuthorizationServer } from '../oauth/authorization-server.ts'
import { CooldownRecords } from '../oauth/cooldown-records.ts'
import { Leases } from '../oauth/leases.ts'
import { PlacedStore } from '../oauth/placed-store.ts'
import { ProviderAccess } from '../oauth/provider-access.ts'
import { SubjectIndex } from '../oauth/subject-index.ts'
import { TokenRecords } from '../oauth/token-records.ts'
import type { RecordHome } from '../oauth/record-home.ts'
import type { TokenPlace, TokensInRequest } from '../sessions/token-place.ts'
import { guarded } from '../stores/guarded.ts'
import { sealed } from '../stores/sealed.ts'
import type { Store } from '../stores/store.ts'
import type { Configuration } from './configuration.ts'
import { freezesAfterReply } from './frozen-platform.ts'
import { loginLifetime } from './login-transaction.ts'
import type { BehalfOptions, Providers } from './options.ts'

/** Seconds: what waiting for the token store may cost a request. */
const deadline = { read: 0.25, write: 2 }

/** Seconds: what it may cost a call to know whether the API has told another process to wait. */
const cooldownDeadline = { read: 0.15, write: 0.5 }

/** For a store that is looked for before anybody needs it: drivers load and connect at their first use. */
const beforehand = { name: 'token store', deadline: { read: 5, write: 5 } }

/** What all requests of one app share, once its secrets are known. */
export class App {
  readonly configuration: Configuration
  readonly options: BehalfOptions<Providers, never>
  readonly keyRing: KeyRing
  readonly accesses: ReadonlyMap<string, ProviderAccess>
  readonly cache: ResponseCache | undefined
  readonly #limited: Store
  readonly #store: Store
  readonly #work = new Set<Promise<unknown>>()

  constructor(
    configuration: Configuration,
    options: BehalfOptions<Providers, never>,
    keyRing: KeyRing,
  ) {
    const { store, providers, timeouts } = configuration
    this.configuration = configuration
    this.options = options
    this.keyRing = keyRing
    const limited = guarded(store, { name: 'token store', deadline })
    this.#limited = limited
    this.#store = sealed(limited, keyRing)
    const { tokenStore } = configuration
    const { grantTtl: longest } = configuration
    const records = this.#recordsIn(
      tokenStore === undefined ? limited : new PlacedStore(tokenStore, limited, { longest }),
    )
    const leases = new Leases(limited, timeouts)
    const background = (work: Promise<unknown>) => this.background(work)
    const awaitsRefreshes = options.waitUntil === undefined && freezesAfterReply()
    const cooldowns = this.#cooldownsIn(store)
    const settings = { ...options, awaitsRefreshes, cooldowns }
    this.accesses = new Map(
      providers.map((provider) => {
        const server = new AuthorizationServer(provider, timeouts.token)
        return [provider.name, new ProviderAccess(server, records, leases, settings, background)]
      }),
    )
    this.cache = options.cache?.engine
    this.cache?.attach(store, configuration.rules)
  }

  /** With a guard of its own: tokens do not wait because a limit cannot be looked up. */
  #cooldownsIn(store: Store): CooldownRecords {
    const limited = guarded(store, { name: 'cooldowns', deadline: cooldownDeadline })
    return new CooldownRecords(limited, this.configuration.namespace)
  }

  /** Where token records live that each request brings along; `undefined`: they do not. */
  get tokensInRequest(): TokensInRequest | undefined {
    return this.configuration.tokensInRequest
  }

  /** A store over what a request brings along, for its visitor's records. */
  homeIn(place: TokenPlace): RecordHome {
    const settings = { longest: this.configuration.grantTtl, isOpen: () => place.isOpen() }
    return new PlacedStore(place, this.#limited, settings)
  }

  #recordsIn(store: Store): TokenRecords {
    const { namespace } = this.configuration
    const subjects = new SubjectIndex(this.#limited, namespace)
    return new TokenRecords(store, this.keyRing, namespace, subjects)
  }

  /** Throws a `ConfigError` for a provider that the app does not have. */
  access(provider: string): ProviderAccess {
    const access = this.accesses.get(provider)
    if (access) return access
    const names = [...this.accesses.keys()].join(', ')
    throw new ConfigError(`There is no provider ${provider}; the app's providers are: ${names}.`)
  }

  /** A grant belongs to the app's user where there is such a thing, else to the session. */
  get connects(): boolean {
    return this.options.user !== undefined
  }

  emit(happening: Happening): void {
    emit(this.options.onEvent, happening)
  }

  /** Work that goes on after the response; `close()` waits for it. */
  background(work: Promise<unknown>): void {
    const settled: Promise<unknown> = work.then(
      () => this.#work.delete(settled),
      () => this.#work.delete(settled),
    )
    this.#work.add(settled)
    try {
      this.options.waitUntil?.(settled)
    } catch {
      // The platform's loss; the work goes on as long as the process does.
    }
  }

  /** True once for each state, over all processes (RFC 9700 section 4.5: a code is used once). */
  async consume(state: string): Promise<boolean> {
    const mark = new Uint8Array([1])
    const ttl = loginLifetime + 120
    return (
      (await this.#store.compareAndSwap(this.#usedKey(state), undefined, mark, { ttl })) !==
      undefined
    )
  }

  /** Takes it back: what it was for has not taken place. */
  async release(state: string): Promise<void> {
    await this.#store.delete(this.#usedKey(state))
  }

  async wasConsumed(state: string): Promise<boolean> {
    return (await this.#store.get(this.#usedKey(state))) !== undefined
  }

  /** How much work is under way beside the requests. */
  get underWay(): number {
    return this.#work.size
  }

  /** Throws a `StoreUnavailableError` when the store cannot be reached; connecting may take its time. */
  async connect(): Promise<void> {
    await guarded(this.configuration.store, beforehand).get(this.#usedKey('ready'))
  }

  /** Throws a `StoreUnavailableError` when requests would meet one. */
  async checkStore(): Promise<void> {
    await this.wasConsumed('ready')
  }

  /** Waits, `timeout` seconds at most, for work under way; then lets go of the store. */
  async close(timeout: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), timeout * 1000)
    })
    // What is under way may leave more behind: tokens that a store does not take yet.
    let isLate = false
    while (this.#work.size > 0 && !isLate) {
      isLate = await Promise.race([Promise.all(this.#work).then(() => false), late])
    }
    clearTimeout(timer)
    if (this.configuration.ownsStore) await this.configuration.store.close()
  }

  #usedKey(state: string): string {
    return `${this.configuration.namespace}:used:${hash('sha256', state, 'hex')}`
  }
}
