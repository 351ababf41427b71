import { setTimeout as sleep } from 'node:timers/promises'
import type { Behalf } from '../../src/index.ts'
import { ProviderUnavailableError, StoreUnavailableError } from '../../src/index.ts'
import type { ApiClient } from '../../src/oauth/api-client.ts'
import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { type Credentials, secretOf } from './cache-credentials.ts'
import type { CacheLedger } from './cache-ledger.ts'
import type { upstreamProvider } from './cache-upstream.ts'
import { now } from './clock.ts'
import { WebBrowser } from './web-browser.ts'

/** An app of {@link upstreamProvider}. */
export type CacheApp = Behalf<{ api: ReturnType<typeof upstreamProvider> }>

/** Somebody whose calls are made, and who comes and goes. */
export interface CacheVisitor {
  /** Who is who in the caches' eyes, but for the login. */
  readonly subject: string
  readonly scope: string
  client(): Promise<ApiClient>
  /** A reply to a call that is made now may be for these logins: `undefined` where any of mine. */
  readonly login: string | undefined
  /** What all my logins begin with. */
  readonly name: string
  /** Logs out, logs in again, or as somebody else. Does nothing where another process does that. */
  change(random: SeededRandom): Promise<void>
}

/** A user of the app who has connected the API; every process can make calls for them. */
export class ConnectedUser implements CacheVisitor {
  readonly login = undefined
  readonly name: string
  readonly #app: CacheApp
  readonly #ledger: CacheLedger
  readonly #whose: Pick<Credentials, 'subject' | 'scope'>
  readonly #isOurs: boolean
  #logins = 0
  #changing = false

  constructor(
    { app, ledger, isOurs }: { app: CacheApp; ledger: CacheLedger; isOurs: boolean },
    { subject, scope, device }: { subject: string; scope: string; device: number },
  ) {
    this.#app = app
    this.#ledger = ledger
    this.#whose = { subject, scope }
    this.#isOurs = isOurs
    this.name = `${subject}-${scope.length}-${device}.`
  }

  get subject(): string {
    return this.#whose.subject
  }

  get scope(): string {
    return this.#whose.scope
  }

  async client(): Promise<ApiClient> {
    return (await this.#app.forUser(this.name)).api.api
  }

  async change(random: SeededRandom): Promise<void> {
    if (!this.#isOurs || this.#changing) return
    this.#changing = true
    try {
      if (this.#logins > 0) await this.#leave(random)
      await this.connect()
    } finally {
      this.#changing = false
    }
  }

  /** Where another process does that, nothing. */
  async connect(): Promise<void> {
    if (!this.#isOurs) return
    const whose = { ...this.#whose, login: `${this.name}${(this.#logins += 1)}` }
    this.#ledger.begin(whose.login, now())
    const tokenSet = {
      accessToken: secretOf('access', whose),
      refreshToken: secretOf('refresh', whose),
      expiresAt: Date.now() + 5_000,
      scope: whose.scope,
      subject: whose.subject,
    }
    await persistently(() => this.#app.grants.import('api', { user: this.name, tokenSet }))
  }

  async #leave(random: SeededRandom): Promise<void> {
    const login = `${this.name}${this.#logins}`
    const { tokens } = await this.#app.forUser(this.name)
    if (random.next() < 0.5) await persistently(() => tokens.api.disconnect())
    else await persistently(() => this.#app.grants.forget(this.name))
    this.#ledger.end(login, now())
  }
}

/** A browser in which one user after the other logs in, without logging out before. */
export class SwitchingBrowser implements CacheVisitor {
  readonly name: string
  readonly #app: CacheApp
  readonly #ledger: CacheLedger
  readonly #subjects: readonly string[]
  #browser = new WebBrowser(origin)
  #whose: Credentials | undefined
  #logins = 0
  #changing = false

  constructor(
    { app, ledger }: { app: CacheApp; ledger: CacheLedger },
    name: string,
    subjects: readonly string[],
  ) {
    this.#app = app
    this.#ledger = ledger
    this.#subjects = subjects
    this.name = `${name}.`
  }

  get subject(): string {
    return this.#whose?.subject ?? 'nobody'
  }

  get scope(): string {
    return this.#whose?.scope ?? ''
  }

  get login(): string {
    return this.#whose?.login ?? 'nobody'
  }

  async client(): Promise<ApiClient> {
    return (await this.#app.context(this.#request('/'))).api.api
  }

  async change(random: SeededRandom): Promise<void> {
    if (this.#changing) return
    this.#changing = true
    try {
      if (random.next() < 0.3) await this.#logOut()
      else await this.logIn(random)
    } finally {
      this.#changing = false
    }
  }

  /** As anybody: often as somebody else than before. */
  async logIn(random: SeededRandom): Promise<void> {
    const subject = random.pick(this.#subjects)
    const login = `${this.name}${(this.#logins += 1)}`
    const whose = { subject, scope: random.pick(['read', 'read write']), login }
    const begun = await this.#send(this.#browser, '/auth/api/login')
    const location = begun?.headers.get('location')
    if (begun?.status !== 303 || !location) return
    const state = new URL(location).searchParams.get('state')!
    const code = secretOf('code', whose)
    const after = this.#browser.copy()
    this.#ledger.begin(login, now())
    const query = new URLSearchParams({ code, state }).toString()
    const landed = await this.#send(after, `/auth/api/callback?${query}`)
    // On a busy machine a store may be too slow; then who was there before still is, or nobody.
    if (landed?.status !== 303) return
    const before = this.#whose
    this.#browser = after
    this.#whose = whose
    if (before) this.#ledger.end(before.login, now())
  }

  async #logOut(): Promise<void> {
    const before = this.#whose
    if (!before) return
    const headers = { origin, 'sec-fetch-site': 'same-origin' }
    const reply = await this.#send(this.#browser, '/auth/logout', 'POST', headers)
    if (reply?.status === 303) this.#ledger.end(before.login, now())
  }

  async #send(
    browser: WebBrowser,
    path: string,
    method = 'GET',
    headers: Record<string, string> = navigation,
  ): Promise<Response | undefined> {
    const request = new Request(`${origin}${path}`, {
      method,
      headers: { ...headers, cookie: browser.cookie },
    })
    const reply = await this.#app.handle(request)
    browser.take((reply?.headers.getSetCookie() ?? []).map((cookie) => cookie.split(';', 1)[0]!))
    return reply
  }

  #request(path: string): Request {
    return new Request(`${origin}${path}`, { headers: { cookie: this.#browser.cookie } })
  }
}

/** What {@link SwitchingBrowser} calls its app. */
export const origin = 'http://127.0.0.1:3000'

const navigation = {
  accept: 'text/html',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'same-origin',
}

/** On a busy machine a store may be too slow. */
async function persistently(work: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      // Another call may be refreshing the tokens that are to be revoked.
      const passes =
        error instanceof StoreUnavailableError || error instanceof ProviderUnavailableError
      if (!passes) throw error
    }
    await sleep(50)
  }
}
