import { BehalfError, createBehalf } from '../../src/index.ts'
import { responseCache } from '../../src/cache/index.ts'
import type { ResponseCache } from '../../src/cache/index.ts'
import { createStore } from '../../src/stores/create-store.ts'
import type { Store } from '../../src/stores/store.ts'
import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { CacheCall, type CallOutcome } from './cache-call.ts'
import type { Credentials } from './cache-credentials.ts'
import { CacheLedger, type Ledger } from './cache-ledger.ts'
import { rules } from './cache-paths.ts'
import { CacheUpstream, upstreamProvider } from './cache-upstream.ts'
import {
  type CacheApp,
  type CacheVisitor,
  ConnectedUser,
  origin,
  SwitchingBrowser,
} from './cache-visitors.ts'

/** What the processes that share a cache do to it. */
export interface CacheLoadSettings {
  /** The store's URL, for tokens and replies alike. */
  url: string
  seed: string
  /** Which of the processes this is, from 0, and how many there are. */
  process: number
  processes: number
  /** Of this process. */
  requests: number
  memory: boolean
  partition: 'grant' | 'subject'
  collapse?: 'process' | 'store' | undefined
}

/** What one process has seen. */
export interface CacheLoadResult {
  /** How many of what. */
  counts: Record<string, number>
  ledger: Ledger
  wrong: string[]
}

const lanes = 16
/** Those who are there and what they ask for stays for so many requests: most is asked for again. */
const epoch = { requests: 5_000, visitors: 23 }
const subjects = Array.from(
  { length: 20 },
  (_, index) => `subject-${'x'.repeat(index % 3)}${index}`,
)
const secret = 'a-secret-of-the-torture-that-is-long-enough-0123456789'
/** What is told of what is wrong. */
const mostWrong = 20

/** The calls of one process. */
export class CacheLoad {
  readonly #settings: CacheLoadSettings
  readonly #random: SeededRandom
  readonly #upstream: CacheUpstream
  readonly #ledger = new CacheLedger()
  readonly #apps: readonly CacheApp[]
  readonly #caches: readonly ResponseCache[]
  readonly #visitors: readonly CacheVisitor[]
  readonly #store: Store
  readonly #counts = new Map<string, number>()
  readonly #wrong: string[] = []
  #made = 0

  /** `around`: puts something around the store of the caches; tokens are kept without it. */
  constructor(settings: CacheLoadSettings, around: (store: Store) => Store = (store) => store) {
    const { url, seed, process: index, partition, memory, collapse } = settings
    this.#settings = settings
    this.#random = new SeededRandom(`${seed} ${index}`)
    this.#upstream = new CacheUpstream(this.#random)
    this.#store = createStore(url)
    const cached = () =>
      responseCache({
        store: around(this.#store),
        rules,
        partition,
        collapse,
        hardTimeout: 1,
        softTimeout: 0.3,
        ...(memory ? { memory: { maxBytes: 4 * 2 ** 20 } } : {}),
      })
    const shared = { secret, store: this.#store }
    const providers = { api: upstreamProvider(this.#upstream) }
    const [connected, browsers] = [cached(), cached()]
    const users = createBehalf({ ...shared, providers, cache: connected, user: () => undefined })
    const visitors = createBehalf({ ...shared, providers, cache: browsers, baseUrl: origin })
    this.#apps = [users, visitors as unknown as CacheApp]
    this.#caches = [connected.engine, browsers.engine]
    this.#visitors = [...this.#connected(users), ...this.#browsers(this.#apps[1]!)]
  }

  /** Logs everybody in whom this process logs in. */
  async begin(): Promise<void> {
    await this.#store.get('connect')
    for (const visitor of this.#visitors) {
      if (visitor instanceof ConnectedUser) await visitor.connect()
      else await visitor.change(new SeededRandom('logs in first'))
    }
  }

  async run(progress: (requests: number) => void = () => {}): Promise<CacheLoadResult> {
    await Promise.all(Array.from({ length: lanes }, (_, lane) => this.#lane(lane, progress)))
    for (const cache of this.#caches) await cache.close()
    const stored = this.#caches.reduce((sum, cache) => sum + cache.stats().stored, 0)
    const { calls, refreshes } = this.#upstream
    const counts = {
      ...Object.fromEntries(this.#counts),
      'upstream calls': calls,
      refreshes,
      stored,
    }
    return { counts, ledger: this.#ledger.entries, wrong: this.#wrong.slice(0, mostWrong) }
  }

  async close(): Promise<void> {
    for (const app of this.#apps) await app.close()
    await this.#store.close()
  }

  #connected(app: CacheApp): CacheVisitor[] {
    const { process: index, processes } = this.#settings
    const accounts = subjects.flatMap((subject) =>
      ['read', 'read write'].flatMap((scope) =>
        [1, 2].map((device) => ({ subject, scope, device })),
      ),
    )
    return accounts.map((account, number) => {
      const isOurs = number % processes === index
      return new ConnectedUser({ app, ledger: this.#ledger, isOurs }, account)
    })
  }

  #browsers(app: CacheApp): CacheVisitor[] {
    const { process: index, processes } = this.#settings
    const names = Array.from(
      { length: Math.ceil(20 / processes) },
      (_, b) => `browser-${index}-${b}`,
    )
    return names.map((name) => new SwitchingBrowser({ app, ledger: this.#ledger }, name, subjects))
  }

  async #lane(lane: number, progress: (requests: number) => void): Promise<void> {
    const random = new SeededRandom(`${this.#settings.seed} ${this.#settings.process} lane ${lane}`)
    while (this.#made < this.#settings.requests) {
      const chance = random.next()
      if (chance < 0.004) await this.#change(random)
      else if (chance < 0.005) await this.#invalidate(random)
      else if (chance < 0.02) await this.#burst(random, progress)
      else await this.#call(CacheCall.of(random, this.#epoch), random, progress)
    }
  }

  /** Equal calls of several visitors at once. */
  async #burst(random: SeededRandom, progress: (requests: number) => void): Promise<void> {
    const call = CacheCall.of(random, this.#epoch)
    const all = Array.from({ length: 6 }, () => this.#call(call, random, progress))
    await Promise.all(all)
  }

  async #call(
    call: CacheCall,
    random: SeededRandom,
    progress: (requests: number) => void,
  ): Promise<void> {
    this.#made += 1
    if (this.#made % 1_000 === 0) progress(1_000)
    this.#note(await call.make(this.#somebody(random), random))
  }

  get #epoch(): number {
    return Math.floor(this.#made / epoch.requests)
  }

  /** Mostly one of those who are there at that time. */
  #somebody(random: SeededRandom): CacheVisitor {
    if (random.next() < 0.05) return random.pick(this.#visitors)
    const first = this.#epoch * epoch.visitors
    return this.#visitors[(first + random.between(0, epoch.visitors)) % this.#visitors.length]!
  }

  #note({ counted, served, wrong }: CallOutcome): void {
    for (const what of counted) this.#count(what)
    if (served) {
      const { mine, from, to } = served
      for (const whose of served.whose) {
        if (!this.#isFor(whose, mine)) this.#say(`${mine.login ?? mine.name} got ${whose.login}'s`)
        this.#ledger.served(whose.login, from, to)
      }
    }
    if (wrong !== undefined) this.#say(wrong)
  }

  #isFor(
    { subject, scope, login }: Credentials,
    mine: Pick<CacheVisitor, 'login' | 'name' | 'subject' | 'scope'>,
  ): boolean {
    if (this.#settings.partition === 'subject') {
      return subject === mine.subject && scope === mine.scope
    }
    return mine.login === undefined ? login.startsWith(mine.name) : login === mine.login
  }

  async #change(random: SeededRandom): Promise<void> {
    this.#count('logins and logouts')
    await this.#somebody(random).change(random)
  }

  async #invalidate(random: SeededRandom): Promise<void> {
    this.#count('invalidations')
    const cache = random.pick(this.#caches)
    const soft = random.next() < 0.3
    const done =
      random.next() < 0.05 ? cache.clear() : cache.delete({ tags: [random.pick(tags)], soft })
    await done.catch((error: unknown) => {
      if (!(error instanceof BehalfError)) this.#say(`an invalidation: ${String(error)}`)
    })
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }

  #say(what: string): void {
    this.#count('WRONG')
    this.#wrong.push(what)
  }
}

const tags = ['ruled', 'said', 'shared', 'of-a-call']
