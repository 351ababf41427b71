import type { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import type { Scheduler } from './scheduler.ts'
import { sendRequest, type WebBrowser, type WebReply } from './web-browser.ts'

/** What gives a user's data or a token to whoever is logged in. */
export const privatePaths = ['/me', '/token', '/fresh-token']

/** Requests of one browser that are under way at the same time. */
export class LogoutRace {
  readonly wrong: string[] = []
  loggedOut = false
  readonly #scheduler: Scheduler
  readonly #origin: string
  readonly #before: WebBrowser
  readonly #cookies: Set<string>
  #running = 0

  constructor(scheduler: Scheduler, origin: string, browser: WebBrowser) {
    this.#scheduler = scheduler
    this.#origin = origin
    this.#before = browser
    this.#cookies = new Set([browser.cookie])
  }

  get isOver(): boolean {
    return this.#running === 0
  }

  /** All that the browser ever had, old and new. */
  get cookies(): ReadonlySet<string> {
    return this.#cookies
  }

  /** A request with the cookies from before the logout. */
  get(path: string): void {
    void this.#send(path, 'GET', this.#before.cookie)
  }

  /** The logout; once it is answered, requests follow that must get nothing. */
  logOut(followers: number, random: SeededRandom): void {
    const finish = async () => {
      for (let early = random.between(0, 24); early > 0; early -= 1) {
        await this.#scheduler.hold('the logout waits')
      }
      const reply = await this.#send('/auth/logout', 'POST', this.#before.cookie)
      this.loggedOut = reply?.status === 303
      if (!this.loggedOut) return
      for (let follower = 0; follower < followers; follower += 1) {
        void this.#follow(random.pick(privatePaths), random.pick([...this.#cookies]))
      }
    }
    this.#running += 1
    void finish().finally(() => (this.#running -= 1))
  }

  async #follow(path: string, cookie: string): Promise<void> {
    const reply = await this.#send(path, 'GET', cookie)
    if (reply?.status === 200) this.wrong.push(`${path} gave ${reply.text} after the logout`)
  }

  async #send(path: string, method: 'GET' | 'POST', cookie: string): Promise<WebReply | undefined> {
    this.#running += 1
    try {
      await this.#scheduler.hold(`${method} ${path}`)
      this.#scheduler.moves(1)
      const headers = { cookie, origin: this.#origin }
      const reply = await sendRequest(new URL(path, this.#origin), method, headers)
      this.#scheduler.moves(-1)
      this.#keep(reply)
      return reply
    } catch (error) {
      this.wrong.push(`${method} ${path}: ${String(error)}`)
      return undefined
    } finally {
      this.#running -= 1
    }
  }

  #keep({ cookies }: WebReply): void {
    const after = this.#before.copy()
    after.take(cookies)
    this.#cookies.add(after.cookie)
  }
}
