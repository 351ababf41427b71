import type { Express } from 'express'
import { loginAs } from '../../src/testing/index.ts'
import {
  type AppSettings,
  type Browser,
  createApp,
  expressVersions,
  navigation,
  ownForm,
  type TestApp,
  type World,
} from '../middleware/express-app.ts'

/** Where an app keeps its sessions, and what its visitors do about them. */
export interface SessionSetUp {
  /** Middleware and routes that run before behalf; made once for each app. */
  before?(app: Express): void
  options?: AppSettings['options']
  /** Default `/auth`. */
  basePath?: string
  /** What is done before a login at the provider, such as signing in to the app itself. */
  signIn?(browser: Browser, user: string): Promise<void>
  /** Ends the visit. Default: `POST logout` of behalf's. */
  signOut?(browser: Browser): Promise<void>
  /** Ends the grant where that is something else than ending the visit. */
  disconnect?(browser: Browser): Promise<void>
  /** Does the app keep something in `req.session`? */
  hasSession: boolean
}

/** An app with such sessions, and its visitors' ways. */
export class SessionApp {
  readonly gate = new Gate()
  readonly #setUp: SessionSetUp
  readonly #app: TestApp

  constructor(world: World, setUp: SessionSetUp, version: string) {
    this.#setUp = setUp
    this.#app = createApp(world, {
      express: expressVersions[version]!,
      options: { basePath: this.basePath, ...setUp.options },
      before: (app) => {
        setUp.before?.(app)
        sessionRoutes(app, this.gate)
      },
    })
  }

  get hasSession(): boolean {
    return this.#setUp.hasSession
  }

  get basePath(): string {
    return this.#setUp.basePath ?? '/auth'
  }

  get errors(): unknown[] {
    return this.#app.errors
  }

  browser(): Browser {
    return this.#app.browser()
  }

  async signIn(browser: Browser, user: string): Promise<void> {
    await this.#setUp.signIn?.(browser, user)
  }

  async signOut(browser: Browser): Promise<void> {
    if (this.#setUp.signOut) return this.#setUp.signOut(browser)
    await browser.post(`${this.basePath}/logout`).set(ownForm).expect(303)
  }

  async endGrant(browser: Browser): Promise<void> {
    if (this.#setUp.disconnect) return this.#setUp.disconnect(browser)
    await this.signOut(browser)
  }

  /** Signs in to the app where that is its way, and logs in at the provider. */
  async logIn(browser: Browser, user: string) {
    await this.signIn(browser, user)
    return this.logInAtProvider(browser, user)
  }

  async logInAtProvider(browser: Browser, user: string, { cancel = false } = {}) {
    return loginAs(browser, { user, provider: 'spotify', path: this.basePath, cancel })
  }

  /** Begins a login at the provider; gives the authorization request. */
  async begin(browser: Browser, returnTo: string): Promise<URL> {
    const query = new URLSearchParams({ returnTo }).toString()
    const path = `${this.basePath}/spotify/login?${query}`
    const reply = await browser.get(path).set(navigation).expect(303)
    return new URL(reply.headers['location']!)
  }
}

/** What the app itself keeps in its session, and a request that takes its time to. */
function sessionRoutes(app: Express, gate: Gate): void {
  app.post('/basket/:what', (req, res) => {
    if (req.session) Object.assign(req.session, { basket: req.params.what })
    res.send('kept')
  })
  app.get('/basket', (req, res) => {
    res.send((req.session as { basket?: string } | undefined)?.basket)
  })
  app.get('/slow', (req, res, next) => {
    gate.reach()
    const finish = async () => {
      await gate.opened
      if (req.session) Object.assign(req.session, { basket: 'late' })
      res.send('done')
    }
    finish().catch(next)
  })
}

/** A held request: it has begun, and ends when it is released. */
class Gate {
  readonly opened: Promise<void>
  readonly reached: Promise<void>
  open = () => {}
  reach = () => {}

  constructor() {
    this.opened = new Promise((resolve) => (this.open = resolve))
    this.reached = new Promise((resolve) => (this.reach = resolve))
  }
}
