import type { Express } from 'express'
import session from 'express-session'
import { getIronSession } from 'iron-session'
import { inSession, ironSession, sealedCookie } from '../../src/sessions/index.ts'
import type { TokensInRequest } from '../../src/sessions/token-place.ts'
import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { createWorld, secret, type World } from '../middleware/express-app.ts'
import { sharedStore } from '../middleware/place-app.ts'
import { ironOptions } from '../middleware/place-kinds.ts'
import { HeldSessionStore, heldStore } from './held-stores.ts'
import { LogoutRace, privatePaths } from './logout-race.ts'
import { Scheduler } from './scheduler.ts'
import { logIn, serveApp, type ServedApp } from './served-app.ts'
import { sendRequest, WebBrowser } from './web-browser.ts'

/** Where the visitor's handle is, and where the tokens are when not in the store. */
const kinds = {
  own: {},
  'express-session': { hasSession: true },
  'in the session': { hasSession: true, tokenStore: inSession() },
  'in cookies': { tokenStore: sealedCookie() },
  'in cookies beside a session': { hasSession: true, tokenStore: sealedCookie() },
  'in iron-session': { tokenStore: ironSession(getIronSession, ironOptions) },
} satisfies Record<string, { hasSession?: boolean; tokenStore?: TokensInRequest }>

type SessionKind = keyof typeof kinds

export const sessionKinds = Object.keys(kinds) as SessionKind[]

/** What one interleaving showed. */
export interface Interleaving {
  loggedOut: boolean
  refreshes: number
  wrong: string[]
}

/** An app whose every step (stores, sessions, the provider and its API) a scheduler holds. */
export class LogoutArena {
  readonly #scheduler: Scheduler
  readonly #world: World
  readonly #app: ServedApp
  /** Those that the provider has issued since the interleaving began. */
  readonly #accessTokens: string[]

  private constructor(parts: {
    scheduler: Scheduler
    world: World
    app: ServedApp
    accessTokens: string[]
  }) {
    this.#scheduler = parts.scheduler
    this.#world = parts.world
    this.#app = parts.app
    this.#accessTokens = parts.accessTokens
  }

  static async open(kind: SessionKind): Promise<LogoutArena> {
    const { hasSession, tokenStore }: { hasSession?: boolean; tokenStore?: TokensInRequest } =
      kinds[kind]
    const scheduler = new Scheduler()
    const accessTokens: string[] = []
    const world = await createWorld({ fetch: heldFetch(scheduler, accessTokens) })
    const app = await serveApp(world, {
      options: { store: heldStore(sharedStore(), scheduler), tokenStore },
      before: (one) => {
        countTransit(one, scheduler)
        if (!hasSession) return
        const store = new HeldSessionStore(scheduler)
        // Rolling: also a request that changes nothing writes the session back.
        one.use(session({ store, secret, resave: true, saveUninitialized: false, rolling: true }))
      },
      routes,
    })
    return new LogoutArena({ scheduler, world, app, accessTokens })
  }

  /** The steps of the last interleaving, in their order. */
  get order(): readonly string[] {
    return this.#scheduler.order
  }

  /** One logout among calls that refresh and requests that save the session. */
  async interleave(random: SeededRandom): Promise<Interleaving> {
    const browser = await this.#loggedIn(random)
    const race = new LogoutRace(this.#scheduler, this.#app.origin, browser)
    const calls = random.between(1, 3)
    const notes = random.between(0, 2)
    for (let call = 0; call < calls; call += 1) race.get(random.pick(privatePaths))
    for (let note = 0; note < notes; note += 1) race.get('/note')
    race.logOut(random.between(1, 3), random)
    await this.#scheduler.run(random, () => race.isOver)
    await this.#app.auth.close()

    const wrong = [...race.wrong]
    if (race.loggedOut) wrong.push(...(await this.#whatIsLeft(race)))
    const refreshes = this.#accessTokens.length - 1
    return { loggedOut: race.loggedOut, refreshes, wrong }
  }

  async close(): Promise<void> {
    await this.#app.close()
    await this.#world.close()
  }

  /** In most cases the API refuses the access token from then on: the calls refresh it. */
  async #loggedIn(random: SeededRandom): Promise<WebBrowser> {
    const { provider } = this.#world
    this.#accessTokens.length = 0
    const browser = new WebBrowser(this.#app.origin)
    const landed = await logIn(browser, random.pick(provider.users).id)
    if (landed.status !== 303) throw new Error(`A login ended with ${landed.status}.`)
    if (random.next() < 0.7) provider.expireAccessTokens()
    return browser
  }

  /** Asks with every cookie that the browser ever had, when all is over. */
  async #whatIsLeft(race: LogoutRace): Promise<string[]> {
    const wrong: string[] = []
    for (const cookie of race.cookies) {
      for (const path of privatePaths) {
        const reply = await sendRequest(new URL(path, this.#app.origin), 'GET', { cookie })
        if (reply.status !== 401) wrong.push(`${path} answers ${reply.status} afterwards`)
      }
    }
    await this.#app.auth.close()
    for (const token of this.#accessTokens) {
      if (this.#world.provider.accountOf(token)) wrong.push('a token is still good at the provider')
    }
    return wrong
  }
}

/** From the client's socket to the app and back nobody is held. */
function countTransit(app: Express, scheduler: Scheduler): void {
  app.use((_req, res, next) => {
    scheduler.moves(-1)
    res.once('close', () => scheduler.moves(1))
    next()
  })
}

function routes(app: Express): void {
  app.get('/token', async (req, res) => {
    res.send(await req.tokens['spotify']!.getAccessToken())
  })
  app.get('/fresh-token', async (req, res) => {
    res.send(await req.tokens['spotify']!.getAccessToken({ forceRefresh: true }))
  })
  app.get('/note', async (req, res) => {
    const grant = await req.tokens['spotify']!.grant()
    if (req.session) Object.assign(req.session, { note: grant?.subject ?? 'nobody' })
    res.send('noted')
  })
}

/**
 * As strict as a server may be: a refresh token that was used up is unknown to its revocation
 * endpoint, which ends nothing then and still says 200 (RFC 7009 section 2.2).
 */
function heldFetch(scheduler: Scheduler, accessTokens: string[]): typeof fetch {
  let newest: string | undefined
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    return scheduler.through(`fetch ${new URL(url).pathname}`, async () => {
      if (url.endsWith('/revoke')) {
        const form = await new Request(url, init).formData()
        if (form.get('token') !== newest) return new Response()
      }
      const reply = await fetch(input, init)
      if (url.endsWith('/token') && reply.ok) {
        const tokens = (await reply.clone().json()) as Record<string, string>
        accessTokens.push(tokens['access_token']!)
        newest = tokens['refresh_token'] ?? newest
      }
      return reply
    })
  }
}
