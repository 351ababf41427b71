import { setTimeout as sleep } from 'node:timers/promises'
import { createWorld, navigation, type World } from '../middleware/express-app.ts'
import { type RunningRedis, startRedis, until } from '../support/redis-servers.ts'
import { logIn, serveApp, type ServedApp } from './served-app.ts'
import type { TokenResult } from './token-result.ts'
import { sendRequest, WebBrowser, type WebReply } from './web-browser.ts'

/** How the store goes away: it answers nothing, or it is gone and comes back with its data. */
export const outageManners = ['frozen', 'killed'] as const

/** How long, for how many, and what is too slow. */
export interface OutageOptions {
  manner: (typeof outageManners)[number]
  /** How long the store is away. */
  seconds: number
  browsers: number
  /** Milliseconds within which 99 of 100 requests must be answered meanwhile. Default any. */
  bar?: number | undefined
  /** Is told of each reply during the outage. */
  progress?: ((replies: number) => void) | undefined
}

/** A Redis that has on disk whatever it has confirmed. */
export function startDurableRedis(): Promise<RunningRedis> {
  return startRedis({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] })
}

/** Takes the store away, and gives it back. */
export async function takeAway(
  { server }: RunningRedis,
  manner: OutageOptions['manner'],
): Promise<() => Promise<void>> {
  if (manner === 'killed') {
    await server.kill()
    return () => server.start()
  }
  server.freeze()
  return async () => server.thaw()
}

/** A request, and what it was answered. */
interface Exchange {
  what: string
  from: number
  to: number
  reply: WebReply
}

/** What visitors ask for; all of it needs the store. */
const visits = [
  { path: '/guarded', headers: navigation },
  { path: '/guarded', headers: {} },
  { path: '/me', headers: {} },
  { path: '/auth/session', headers: {} },
]

/** Milliseconds between two requests of a browser. */
const pause = 60

/** Visitors are there before, while and after the token store is away. */
export async function tortureOutage(options: OutageOptions): Promise<TokenResult> {
  const redis = await startDurableRedis()
  const world = await createWorld()
  const app = await serveApp(world, { cache: false, options: { store: redis.url } })
  try {
    const outage = new Outage(app, world, redis)
    await outage.logIn(options.browsers)
    return await outage.run(options)
  } finally {
    await app.close()
    await world.close()
    await redis.close()
  }
}

class Outage {
  readonly #app: ServedApp
  readonly #world: World
  readonly #redis: RunningRedis
  readonly #visitors: Array<{ browser: WebBrowser; user: string }> = []
  readonly #exchanges: Exchange[] = []
  #isOver = false
  #resets = 0

  constructor(app: ServedApp, world: World, redis: RunningRedis) {
    this.#app = app
    this.#world = world
    this.#redis = redis
  }

  async logIn(browsers: number): Promise<void> {
    const { users } = this.#world.provider
    for (let index = 0; index < browsers; index += 1) {
      const browser = new WebBrowser(this.#app.origin)
      const user = users[index % users.length]!.id
      await logIn(browser, user)
      this.#visitors.push({ browser, user })
    }
  }

  async run({ manner, seconds, bar, progress }: OutageOptions): Promise<TokenResult> {
    const visiting = this.#visitors.map(({ browser }, index) =>
      this.#visitAll(browser, index, progress),
    )
    await sleep(500)
    const from = performance.now()
    const giveBack = await takeAway(this.#redis, manner)
    const isAway = performance.now()
    await sleep(seconds * 1000)
    const stillAway = performance.now()
    await giveBack()
    const isBack = performance.now()
    await this.#recovered()
    const recovered = performance.now()
    await sleep(500)
    this.#isOver = true
    await Promise.all(visiting)

    const during = this.#exchanges.filter((one) => one.from > isAway && one.to < stillAway)
    const around = this.#exchanges.filter((one) => one.to < from || one.from > recovered)
    const wrong = [
      ...this.#exchanges.flatMap(whatNobodyMayGet),
      ...during.flatMap((one) => whatIsNot503(one)),
      ...around.filter(({ reply }) => reply.status !== 200).map(inWords),
      ...(await this.#whoIsLost()),
    ]
    const figures = {
      'replies during it': during.length,
      'p99 otherwise, ms': latencies(around)['p99, ms'],
      ...latencies(during),
      'back after, ms': Math.round(recovered - isBack),
      'connections closed': this.#resets,
      'presented twice': this.#world.provider.seen.presentedTwice,
    }
    if (during.length === 0) wrong.push('nobody asked for anything')
    if (figures['presented twice'] > 0) wrong.push('a refresh token was presented twice')
    if (figures['p99, ms'] > (bar ?? Infinity)) wrong.push(`the slowest took too long`)
    return { figures, wrong }
  }

  async #visitAll(
    browser: WebBrowser,
    first: number,
    progress: OutageOptions['progress'],
  ): Promise<void> {
    for (let index = first; !this.#isOver; index += 1) {
      const { path, headers } = visits[index % visits.length]!
      const from = performance.now()
      const url = new URL(path, this.#app.origin)
      const reply = await this.#send(url, { ...headers, cookie: browser.cookie })
      const what = headers === navigation ? `navigation to ${path}` : path
      this.#exchanges.push({ what, from, to: performance.now(), reply })
      progress?.(1)
      await sleep(pause)
    }
  }

  /** A browser asks again where a connection that it has kept is closed at that moment. */
  async #send(url: URL, headers: Record<string, string>): Promise<WebReply> {
    return sendRequest(url, 'GET', headers).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') throw error
      this.#resets += 1
      return sendRequest(url, 'GET', headers)
    })
  }

  async #recovered(): Promise<void> {
    const url = new URL('/auth/session', this.#app.origin)
    const { cookie } = this.#visitors[0]!.browser
    await until(async () => (await sendRequest(url, 'GET', { cookie })).status === 200, 10)
  }

  /** All access tokens are refused from now on, so that everybody's is refreshed. */
  async #whoIsLost(): Promise<string[]> {
    const { provider } = this.#world
    const before = provider.seen.refreshRequests
    provider.expireAccessTokens()
    const lost = await Promise.all(
      this.#visitors.map(async ({ browser, user }) => {
        const { status, text } = await browser.navigate('/me')
        const isThere = status === 200 && (JSON.parse(text) as { id: string }).id === user
        return isThere ? [] : [`${user} is answered ${status} ${text} afterwards`]
      }),
    )
    const refreshes = provider.seen.refreshRequests - before
    const enough = refreshes === this.#visitors.length
    return [...lost.flat(), ...(enough ? [] : [`${refreshes} refreshes afterwards`])]
  }
}

/** Neither a way to a login nor a cookie taken away, whatever else is the matter. */
function whatNobodyMayGet(exchange: Exchange): string[] {
  const { status, location, cookies } = exchange.reply
  const isSentAway = location !== undefined || [301, 302, 303, 307, 308, 401, 403].includes(status)
  return isSentAway || cookies.length > 0 ? [inWords(exchange)] : []
}

function whatIsNot503(exchange: Exchange): string[] {
  const { status, text } = exchange.reply
  return status === 503 && text.includes('store_unavailable') ? [] : [inWords(exchange)]
}

function inWords({ what, reply: { status, location, cookies, text } }: Exchange): string {
  return [what, status, location, ...cookies, text.slice(0, 100)].filter(Boolean).join(', ')
}

function latencies(exchanges: readonly Exchange[]) {
  const sorted = exchanges.map(({ from, to }) => to - from).toSorted((one, other) => one - other)
  const at = (part: number) => Math.round(sorted[Math.floor(part * (sorted.length - 1))] ?? 0)
  return { 'median, ms': at(0.5), 'p99, ms': at(0.99), 'longest, ms': at(1) }
}
