import { setTimeout as sleep } from 'node:timers/promises'
import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { RollingFleet } from './rolling-fleet.ts'
import type { PodEnd } from './rolling-pod.ts'
import { pages, RollingVisitor } from './rolling-visitor.ts'
import type { TokenResult } from './token-result.ts'

/** How much is tried. */
export interface RollingOptions {
  /** The store's URL. */
  url: string
  processes: number
  browsers: number
  /** Also the last step: the old secret goes, and somebody comes back late. Default `false`. */
  retire?: boolean | undefined
  /** Is told of each request. */
  progress?: ((requests: number) => void) | undefined
}

const older = 'an-older-secret-of-the-torture-0123456789'
const newer = 'the-newer-secret-of-the-torture-0123456789'

/** Seconds that access tokens live: some are being refreshed at any time. */
const lifetime = 2
/** Seconds that a refresh takes at the provider. */
const delay = 0.3

/**
 * All processes of an app are replaced, one after the other, again and again, until a new secret has
 * taken the place of the old one; all the while visitors log in and use their tokens.
 */
export async function tortureRolling(options: RollingOptions): Promise<TokenResult> {
  const fleet = await RollingFleet.open(options.url)
  try {
    return await new Rolling(fleet).run(options)
  } finally {
    await fleet.close()
  }
}

class Rolling {
  readonly #fleet: RollingFleet
  readonly #wrong: string[] = []
  readonly #ends: PodEnd[] = []
  #tooSlow = 0
  #requests = 0
  #logins = 0
  #isOver = false

  constructor(fleet: RollingFleet) {
    this.#fleet = fleet
  }

  async run({ processes, browsers, retire, progress }: RollingOptions): Promise<TokenResult> {
    const { switches, users } = this.#fleet.provider
    await Promise.all(Array.from({ length: processes }, () => this.#fleet.add([older])))
    switches.expiresIn = lifetime
    switches.delay = delay
    const [late = '', ...ids] = users.map(({ id }) => id)
    const latecomer = new RollingVisitor(late, () => this.#fleet.next())
    await this.#logIn(latecomer)
    const visiting = Array.from({ length: browsers }, (_, index) =>
      this.#visitor(ids[index % ids.length]!, index, progress),
    )
    const arriving = this.#newcomers(ids)
    await this.#roll([older, newer])
    await this.#roll([newer, older])
    if (retire) {
      // Everybody's tokens are refreshed once, and sealed with the newer secret.
      await sleep(lifetime * 1500)
      await this.#roll([newer])
      await this.#logIn(latecomer)
      const wrong = await latecomer.visit('/me')
      if (wrong) this.#wrong.push(`who comes back late cannot log in: ${wrong}`)
    }
    this.#isOver = true
    await Promise.all([...visiting, arriving])
    return this.#result()
  }

  async #roll(secret: readonly string[]): Promise<void> {
    this.#ends.push(...(await this.#fleet.roll(secret)))
  }

  /** Logs in once, and asks for something again and again. */
  async #visitor(user: string, index: number, progress: RollingOptions['progress']): Promise<void> {
    const random = new SeededRandom(`rolling visitor ${index}`)
    const visitor = new RollingVisitor(user, () => this.#fleet.next())
    await this.#logIn(visitor)
    while (!this.#isOver) {
      this.#judge(await visitor.visit(random.pick(pages)))
      progress?.(1)
      await sleep(random.between(0, 120))
    }
    this.#judge(await visitor.visit('/me'))
  }

  /** One after the other logs in for a single request. */
  async #newcomers(users: readonly string[]): Promise<void> {
    for (let index = 0; !this.#isOver; index += 1) {
      const visitor = new RollingVisitor(users[index % users.length]!, () => this.#fleet.next())
      await this.#logIn(visitor)
      this.#judge(await visitor.visit('/me'))
      this.#logins += 1
      await sleep(200)
    }
  }

  /** A person tries once more; what went wrong before is told all the same. */
  async #logIn(visitor: RollingVisitor): Promise<void> {
    for (let tries = 0; tries < 3; tries += 1) {
      const wrong = await visitor.logIn()
      this.#judge(wrong)
      if (!wrong) return
      await sleep(1_000)
    }
  }

  #judge(wrong: string | undefined): void {
    this.#requests += 1
    if (wrong && isTooSlow(wrong)) this.#tooSlow += 1
    if (wrong) this.#wrong.push(wrong)
  }

  #result(): TokenResult {
    const { refreshRequests, presentedTwice } = this.#fleet.provider.seen
    const sum = (key: keyof PodEnd) => this.#ends.reduce((all, end) => all + end[key], 0)
    const left = sum('left')
    if (left > 0) this.#wrong.push(`${left} left when close() was done`)
    if (presentedTwice > 0) this.#wrong.push(`${presentedTwice} presented twice`)
    const slowest = Math.max(...this.#ends.map(({ seconds }) => seconds))
    const figures = {
      requests: this.#requests,
      restarts: this.#ends.length,
      refreshes: refreshRequests,
      'under way at an end': sum('underWay'),
      'logins meanwhile': this.#logins,
      'slowest close(), ms': Math.round(slowest * 1000),
      'presented twice': presentedTwice,
      'store too slow': this.#tooSlow,
    }
    return { figures, wrong: this.#wrong }
  }
}

/** A machine that starts many processes at once may leave the store alone for longer than 250 ms. */
export function isTooSlow(wrong: string): boolean {
  return /^[^:]*(?:, 503, .*(?:did not finish within|keeps failing)|from a login, 503)/.test(wrong)
}
