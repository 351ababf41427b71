import { setTimeout as sleep } from 'node:timers/promises'
import { StoreUnavailableError } from '../../src/index.ts'
import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { grantFor, type TestProvider } from '../../src/testing/index.ts'
import type { IssuedTokens } from './subjects-issued.ts'
import type { TokenApp } from './token-calls.ts'

/** Scopes that a user may grant. */
export const scopes = [
  'user-read-email',
  'user-top-read',
  'user-library-read',
  'user-library-modify',
] as const

/** A time in which a user had a grant, on the monotonic clock; at its ends it may be there or not. */
interface Period {
  from: number
  to: number
  scope: readonly string[]
  /** Its first login, and its last: it takes another where the store was too slow to keep one. */
  login: { first: number; last: number }
  /** It was ended, by the user or at the provider, from then on. */
  endedAt: number
}

/** What all that happens to a user needs. */
export interface Surroundings {
  app: TokenApp
  provider: TestProvider
  issued: IssuedTokens
}

/** A user who connects, disconnects and connects anew, and remembers what held when. */
export class RestlessUser {
  readonly id: string
  readonly #around: Surroundings
  readonly #periods: Period[] = []

  constructor(id: string, around: Surroundings) {
    this.id = id
    this.#around = around
  }

  /** Grants these scopes, in place of what was granted before. */
  async connect(scope: readonly string[] = scopes): Promise<void> {
    const { app, issued } = this.#around
    const before = this.#periods.at(-1)
    const login = { first: issued.logins(this.id) + 1, last: Infinity }
    // Calls may find it before the login that makes it has returned.
    const from = performance.now()
    this.#periods.push({ from, to: Infinity, scope, login, endedAt: Infinity })
    await persistently(() => grantFor(app, { user: this.id, provider: 'spotify', scope }))
    login.last = issued.logins(this.id)
    if (before) before.to = performance.now()
  }

  /** Something that ends a grant, or replaces it. */
  async change(random: SeededRandom): Promise<void> {
    const { app, provider } = this.#around
    const scope = random.sample(scopes, random.between(2, scopes.length))
    const period = this.#periods.at(-1)!
    const way = random.pick(['again', 'again', 'disconnect', 'forget', 'revoke'] as const)
    if (way !== 'again') period.endedAt = performance.now()
    if (way === 'disconnect') {
      const { tokens } = await app.forUser(this.id)
      await persistently(() => tokens.spotify.disconnect())
    }
    if (way === 'forget') await persistently(() => app.grants.forget(this.id))
    if (way === 'revoke') provider.revokeGrants(this.id)
    await sleep(random.pick([0, 0, 5, 50]))
    await this.connect(scope)
  }

  /** Whether a call of that time may have been given a token of that login. */
  mayHave(login: number, from: number, to: number): boolean {
    const during = this.#during(from, to)
    return during.some((period) => period.login.first <= login && login <= period.login.last)
  }

  /** Whether who called in that time may be told that there is no grant, or another than before. */
  mayBeGone(from: number, to: number): boolean {
    const during = this.#during(from, to)
    return during.length > 1 || during.some(({ endedAt }) => endedAt < to)
  }

  /** Whether somebody who called in that time may be told that the scope was not granted. */
  mayLack(wanted: readonly string[], from: number, to: number): boolean {
    const during = this.#during(from, to)
    return during.some(({ scope }) => !wanted.every((one) => scope.includes(one)))
  }

  #during(from: number, to: number): Period[] {
    return this.#periods.filter((period) => period.from <= to && period.to >= from)
  }
}

/** On a busy machine a store may be too slow. */
async function persistently(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
    }
    await sleep(100)
  }
}
