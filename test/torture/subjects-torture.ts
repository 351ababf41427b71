import { setTimeout as sleep } from 'node:timers/promises'
import { BehalfError, createBehalf } from '../../src/index.ts'
import { spotify } from '../../src/oauth/providers/index.ts'
import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { createTestApi, createTestProvider, type TestApi } from '../../src/testing/index.ts'
import { IssuedTokens } from './subjects-issued.ts'
import { RestlessUser, scopes, type Surroundings } from './subjects-user.ts'
import type { TokenResult } from './token-result.ts'

/** How much is tried. */
export interface SubjectsOptions {
  /** The store's URL. */
  url: string
  /** Decides what is asked, and what the users do; not the order in which it takes place. */
  seed: string
  calls: number
  /** Is told of every hundred calls. */
  progress?: ((calls: number) => void) | undefined
}

/** Who has called for what. */
interface Wish {
  user: RestlessUser | undefined
  scope: readonly string[]
  resource: string | undefined
  forceRefresh: boolean
  bySubject: boolean
}

/** Calls under way at a time. */
const lanes = 24
/** So many more than a record keeps tokens for, with all their scopes. */
const resources = ['one', 'two', 'three', 'four'].map((name) => `https://${name}.example/api`)
const secret = 'a-secret-of-the-torture-that-is-long-enough-0123456789'

/**
 * Two users and the app itself ask for tokens of random scopes and resources, which expire, while
 * the users disconnect and connect anew: nobody is given another's token, nor one for anything else
 * than was asked.
 */
export async function tortureSubjects(options: SubjectsOptions): Promise<TokenResult> {
  const arena = await SubjectsArena.open(options)
  try {
    return await arena.run(options)
  } finally {
    await arena.close()
  }
}

class SubjectsArena {
  readonly #around: Surroundings
  readonly #api: TestApi
  readonly #users: readonly RestlessUser[]
  readonly #wrong: string[] = []
  readonly #refusals = new Map<string, number>()
  #made = 0

  private constructor(around: Surroundings, api: TestApi) {
    this.#around = around
    this.#api = api
    this.#users = ['ada', 'mei'].map((id) => new RestlessUser(id, around))
  }

  static async open({ url }: SubjectsOptions): Promise<SubjectsArena> {
    const provider = await createTestProvider()
    const issued = new IssuedTokens(provider)
    const api = await createTestApi({ provider })
    const settings = { ...provider.overrides, apiBaseUrl: api.baseUrl, scope: [...scopes] }
    const app = createBehalf({
      store: url,
      secret,
      providers: { spotify: spotify(settings) },
      user: () => undefined,
      fetch: issued.fetch,
    })
    const arena = new SubjectsArena({ app, provider, issued }, api)
    await Promise.all(arena.#users.map((user) => user.connect()))
    return arena
  }

  async run({ calls, seed, progress }: SubjectsOptions): Promise<TokenResult> {
    const lane = async (number: number) => {
      const random = new SeededRandom(`${seed} lane ${number}`)
      while (this.#made < calls) {
        this.#made += 1
        if (this.#made % 100 === 0) progress?.(100)
        const wasServed = await this.#call(this.#wishOf(random))
        // Most calls are to be those that get something.
        if (!wasServed || random.next() < 0.05) await sleep(random.between(1, 30))
      }
    }
    const callers = Array.from({ length: lanes }, (_, number) => lane(number))
    const changes = this.#users.map((user) => this.#changes(user, calls, `${seed} ${user.id}`))
    await Promise.all([...callers, ...changes])
    return this.#result()
  }

  async close(): Promise<void> {
    await this.#around.app.close()
    await this.#api.close()
    await this.#around.provider.close()
  }

  /** A user does something now and then, and the provider's tokens live shorter or longer. */
  async #changes(user: RestlessUser, calls: number, seed: string): Promise<void> {
    const random = new SeededRandom(seed)
    const { switches } = this.#around.provider
    while (this.#made < calls) {
      const until = this.#made + random.between(50, 300)
      while (this.#made < Math.min(until, calls)) await sleep(2)
      switches.expiresIn = random.pick([1, 1, 2, 3600])
      switches.delay = random.pick([0, 0, 0, 0.01])
      await user.change(random)
    }
  }

  #wishOf(random: SeededRandom): Wish {
    const user = random.pick([...this.#users, ...this.#users, ...this.#users, undefined])
    // Some are asked for often, so that they are kept; the others push them out.
    const isUsual = random.next() < 0.9
    const resource = random.next() < 0.5 ? undefined : random.pick(resources.slice(isUsual ? 2 : 0))
    const few = isUsual && resource !== undefined
    const scope = few ? random.pick([[], [scopes[0]]]) : random.sample(scopes, random.between(0, 3))
    const forceRefresh = random.next() < 0.003
    return { user, scope, resource, forceRefresh, bySubject: random.next() < 0.1 }
  }

  async #call(wish: Wish): Promise<boolean> {
    const from = performance.now()
    const outcome = await this.#tokenFor(wish).catch((error: unknown) => error)
    const to = performance.now()
    const wrong =
      typeof outcome === 'string'
        ? this.#whatIsWrongWith(outcome, wish, from, to)
        : this.#whyNoneIsWrong(outcome, wish, from, to)
    if (wrong) this.#wrong.push(`${inWords(wish)}: ${wrong}`)
    return typeof outcome === 'string'
  }

  async #tokenFor({ user, bySubject, ...wish }: Wish): Promise<string> {
    const { app } = this.#around
    const context = await (user === undefined
      ? app.forApp('spotify')
      : bySubject
        ? app.forSubject('spotify', user.id)
        : app.forUser(user.id))
    return context.tokens.spotify.getAccessToken(wish)
  }

  #whatIsWrongWith(token: string, { user, scope, resource }: Wish, from: number, to: number) {
    const is = this.#around.issued.of(token)
    if (!is) return 'a token that nobody has issued'
    if (is.userId !== user?.id) return `the token of ${is.userId}`
    if (is.resource !== resource) return `a token for ${is.resource}`
    if (!scope.every((one) => is.scope.includes(one))) return `a token for ${is.scope.join(' ')}`
    if (user && !user.mayHave(is.login, from, to)) return 'a token of an ended grant'
    return undefined
  }

  #whyNoneIsWrong(error: unknown, { user, scope }: Wish, from: number, to: number) {
    if (!(error instanceof BehalfError)) return String(error)
    const { code } = error
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1)
    // A busy machine, and more tokens than a record keeps: it is nobody's token.
    if (code === 'store_unavailable') return undefined
    if (code === 'insufficient_scope' && user?.mayLack(scope, from, to)) return undefined
    const isGone = code === 'login_required' || code === 'reauth_required'
    return isGone && user?.mayBeGone(from, to) ? undefined : `${code}, ${error.message}`
  }

  #result(): TokenResult {
    const { seen } = this.#around.provider
    const { refreshRequests, clientRequests, codeRequests, presentedTwice } = seen
    const wrong = [...this.#wrong, ...this.#around.issued.wrong]
    if (presentedTwice > 0) wrong.push(`${presentedTwice} presented twice`)
    const figures = {
      calls: this.#made,
      refreshes: refreshRequests,
      'requests of the app itself': clientRequests,
      logins: codeRequests,
      'presented twice': presentedTwice,
      ...Object.fromEntries(this.#refusals),
    }
    return { figures, wrong }
  }
}

function inWords({ user, scope, resource, forceRefresh }: Wish): string {
  const about = [user?.id ?? 'the app', scope.join(' '), resource, forceRefresh && 'anew']
  return about.filter(Boolean).join(', ')
}
