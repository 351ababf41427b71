import { setTimeout as sleep } from 'node:timers/promises'
import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { createWorld, type World } from '../middleware/express-app.ts'
import { type RunningRedis, until } from '../support/redis-servers.ts'
import { type OutageOptions, outageManners, startDurableRedis, takeAway } from './outage-torture.ts'
import { logIn, serveApp, type ServedApp } from './served-app.ts'
import type { TokenResult } from './token-result.ts'
import { sendRequest, WebBrowser } from './web-browser.ts'

/** How often, and how long the store is away then. */
export interface OutageAtReplyOptions {
  rounds: number
  /** Seconds, one of them at each round. */
  seconds: readonly number[]
  progress?: ((rounds: number) => void) | undefined
}

/**
 * The token store goes away when a refresh token has just been sent, and the tokens that come for it
 * have nowhere to go for a while. Every second app is shut down meanwhile.
 */
export async function tortureOutageAtReply(options: OutageAtReplyOptions): Promise<TokenResult> {
  const redis = await startDurableRedis()
  const world = await createWorld()
  try {
    const rounds = new RefreshesWithoutStore(world, redis)
    return await rounds.run(options)
  } finally {
    world.provider.switches.tokenEndpoint = 'works'
    await world.close()
    await redis.close()
  }
}

class RefreshesWithoutStore {
  readonly #world: World
  readonly #redis: RunningRedis

  constructor(world: World, redis: RunningRedis) {
    this.#world = world
    this.#redis = redis
  }

  async run({ rounds, seconds, progress }: OutageAtReplyOptions): Promise<TokenResult> {
    const random = new SeededRandom('outage at reply')
    const { seen } = this.#world.provider
    const wrong: string[] = []
    let app = await this.#serve()
    const browser = new WebBrowser(app.origin)
    await logIn(browser, 'ada')
    for (let round = 0; round < rounds && wrong.length === 0; round += 1) {
      const manner = outageManners[round % 2]!
      const away = random.pick(seconds)
      const closes = round % 4 > 1
      const before = seen.refreshRequests
      const { answered, closed } = await this.#refreshWithoutStore(
        { app, browser, closes },
        { manner, seconds: away },
      )
      if (closes) {
        await app.close()
        app = await this.#serve()
      }
      let after = ''
      await until(async () => {
        after = await this.#ask(app, browser)
        return !after.startsWith('503')
      }, 10)
      const about = `round ${round}, ${manner} for ${away} s${closes ? ', closing' : ''}`
      const refreshes = seen.refreshRequests - before
      if (!isFine(answered)) wrong.push(`${about}: ${answered}`)
      if (!closed) wrong.push(`${about}: close() has left something`)
      if (after !== '200') wrong.push(`${about}: ${after} afterwards`)
      if (refreshes !== 1) wrong.push(`${about}: ${refreshes} refreshes`)
      progress?.(1)
    }
    await app.close()
    const figures = { outages: rounds, 'presented twice': seen.presentedTwice }
    if (seen.presentedTwice > 0) wrong.push(`${seen.presentedTwice} presented twice`)
    return { figures, wrong }
  }

  /** Gives what the request in question is answered. */
  async #refreshWithoutStore(
    { app, browser, closes }: { app: ServedApp; browser: WebBrowser; closes: boolean },
    { manner, seconds }: Pick<OutageOptions, 'manner' | 'seconds'>,
  ): Promise<{ answered: string; closed: boolean }> {
    const { provider } = this.#world
    provider.expireAccessTokens()
    const away = new Promise<() => Promise<void>>((resolve) => {
      provider.switches.tokenEndpoint = async ({ grantType }) => {
        if (grantType !== 'refresh_token') return undefined
        provider.switches.tokenEndpoint = 'works'
        resolve(await takeAway(this.#redis, manner))
        return undefined
      }
    })
    const asked = this.#ask(app, browser)
    const giveBack = await Promise.race([away, asked.then(() => undefined)])
    if (!giveBack) return { answered: `${await asked}, without a refresh`, closed: true }
    const closing = closes ? app.auth.close() : Promise.resolve()
    await sleep(seconds * 1000)
    await giveBack()
    const answered = await asked
    await closing
    return { answered, closed: !closes || app.auth.core.running?.underWay === 0 }
  }

  async #ask(app: ServedApp, browser: WebBrowser): Promise<string> {
    const url = new URL('/me', app.origin)
    const { status, text } = await sendRequest(url, 'GET', { cookie: browser.cookie })
    return status === 200 ? '200' : `${status} ${text}`
  }

  #serve(): Promise<ServedApp> {
    return serveApp(this.#world, { cache: false, options: { store: this.#redis.url } })
  }
}

/** The request waits for the store, or is told that it is away. */
function isFine(answered: string): boolean {
  return answered === '200' || /^503 .*_unavailable"[^}]*}$/.test(answered)
}
