import { setTimeout as sleep } from 'node:timers/promises'
import { ReauthRequiredError, StoreUnavailableError } from '../../src/index.ts'
import { createTestApi, createTestProvider, grantFor } from '../../src/testing/index.ts'
import { userOwner } from '../../src/oauth/grant-owner.ts'
import type { RawReply, TestApi, TestProvider } from '../../src/testing/index.ts'
import { builtProgram } from './built-program.ts'
import { type TokenApp, tokenApp, type TokenSettings } from './token-calls.ts'
import { Presentations } from './token-presentations.ts'
import { TokenProcess } from './token-process.ts'

/** Of a token request and a lease, in seconds. */
export interface ArenaTimeouts {
  token: number
  lease: number
}

/** The shortest that are tortured with: a busy machine is nearly too slow for them. */
export const shortTimeouts: ArenaTimeouts = { token: 0.2, lease: 0.5 }

/**
 * For whatever waits for a refusal, which is doubted for 0.65 s: that has to lie within the lease,
 * or a third would ask meanwhile.
 */
export const longerTimeouts: ArenaTimeouts = { token: 0.5, lease: 1.5 }

/** What several processes need: a provider that rotates, users who have connected it, a store. */
export class TokenArena {
  readonly provider: TestProvider
  readonly presentations = new Presentations()
  readonly settings: TokenSettings
  readonly users: readonly string[]
  /** The app of this process; it never refreshes. */
  readonly app: TokenApp
  readonly #api: TestApi
  readonly #processes = new Set<TokenProcess>()
  #expired = 0
  /** What the token endpoint answers instead of tokens. */
  refusal: RawReply | undefined

  private constructor(provider: TestProvider, api: TestApi, settings: TokenSettings) {
    this.provider = provider
    this.#api = api
    this.settings = settings
    this.users = provider.users.map(({ id }) => id)
    this.app = tokenApp({ ...settings, timeouts: undefined })
    provider.switches.tokenEndpoint = ({ grantType, parameters }) => {
      if (grantType !== 'refresh_token') return undefined
      this.presentations.note(parameters['refresh_token'] ?? '')
      return this.refusal
    }
  }

  static async open(
    url: string,
    users: readonly string[],
    timeouts: ArenaTimeouts,
  ): Promise<TokenArena> {
    const provider = await createTestProvider({ users: users.map((id) => ({ id, name: id })) })
    const api = await createTestApi({ provider })
    const { overrides } = provider
    const settings = { url, overrides, apiBaseUrl: api.baseUrl, timeouts }
    const arena = new TokenArena(provider, api, settings)
    for (const user of users) await arena.connect(user)
    return arena
  }

  /** (Re-)connects a user. */
  connect(user: string): Promise<void> {
    return patiently(() => grantFor(this.app, { user, provider: 'spotify' }))
  }

  async start(env?: NodeJS.ProcessEnv): Promise<TokenProcess> {
    const program = await builtProgram('token-program')
    const started = await TokenProcess.start({ program, settings: this.settings, env })
    this.#processes.add(started)
    return started
  }

  startAll(count: number, env?: (index: number) => NodeJS.ProcessEnv): Promise<TokenProcess[]> {
    return Promise.all(Array.from({ length: count }, (_, index) => this.start(env?.(index))))
  }

  /** Makes a user's access token one that has just expired; a grant that has ended is made anew. */
  async expire(user: string): Promise<void> {
    const { tokens } = await this.app.forUser(user)
    const accessToken = `expired-${this.#expired++}`
    const save = () => tokens.spotify.save({ accessToken, expiresAt: Date.now() - 1 })
    await patiently(save).catch(async (error: unknown) => {
      if (!(error instanceof ReauthRequiredError)) throw error
      await this.connect(user)
      await save()
    })
  }

  /** Makes a user's access token one that is due for a refresh and still good for so many seconds. */
  async age(user: string, seconds: number): Promise<void> {
    const found = await this.#recordOf(user)
    // A token that will have been good for an hour in the end is due in its last minute.
    const expiresAt = Date.now() + seconds * 1000
    const tokens = { ...found!.record.tokens, expiresAt, receivedAt: expiresAt - 3_600_000 }
    const records = await this.#records()
    await patiently(() => records.update(found!, { ...found!.record, tokens }))
  }

  /** The refresh token that a user's record has. */
  async refreshTokenOf(user: string): Promise<string> {
    return (await this.#recordOf(user))?.record.tokens.refreshToken ?? ''
  }

  /** Is it an access token that the provider has given to that user, and takes? */
  isGood(accessToken: string | undefined, user: string): boolean {
    return accessToken !== undefined && this.provider.accountOf(accessToken)?.userId === user
  }

  async #records() {
    return (await this.app.app()).accesses.get('spotify')!.records
  }

  async #recordOf(user: string) {
    const records = await this.#records()
    return patiently(() => records.read(userOwner(user), 'spotify'))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((one) => one.close()))
    await this.app.close()
    await this.#api.close()
    await this.provider.close()
  }
}

/** This process has more to do than an app's: what is late for it may be repeated. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      if (attempt === 10 || !(error instanceof StoreUnavailableError)) throw error
      await sleep(200)
    }
  }
}
