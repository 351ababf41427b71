import { setTimeout as sleep } from 'node:timers/promises'
import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { navigation } from '../middleware/express-app.ts'
import { RollingFleet } from './rolling-fleet.ts'
import { type PodTokens, publicOrigin } from './rolling-pod.ts'
import { approve } from './served-app.ts'
import type { TokenResult } from './token-result.ts'
import { WebBrowser, type WebReply } from './web-browser.ts'

/** How much is tried. */
export interface PlaceTortureOptions {
  /** The store's URL. */
  url: string
  tokens: PodTokens
  processes: number
  visitors: number
  /** How often all access tokens end at once. */
  expiries: number
  /** Requests of each visitor at each expiry, at the same time. */
  calls: number
  /** Is told of each request. */
  progress?: ((requests: number) => void) | undefined
}

/** States of a browser that a request may still be on its way with. */
const remembered = 4

/**
 * Tokens live in what browsers bring along, as old as it may be: at each expiry all requests of all
 * visitors reach several processes, some of them from before the last refreshes, others write the
 * app's own session. In the end everybody logs out, and nothing of what they had is worth anything.
 */
export async function torturePlaces(options: PlaceTortureOptions): Promise<TokenResult> {
  const { url, tokens, processes, visitors, expiries, calls, progress } = options
  const fleet = await RollingFleet.open(url, tokens)
  const wrong: string[] = []
  try {
    const secret = ['the-secret-of-the-torture-of-places-0123456789']
    await Promise.all(Array.from({ length: processes }, () => fleet.add(secret)))
    const { users } = fleet.provider
    const all = Array.from(
      { length: visitors },
      (_, index) => new Visitor(fleet, users[index % users.length]!.id, `${tokens} ${index}`),
    )
    await Promise.all(all.map((visitor) => visitor.logIn()))
    for (let expiry = 0; expiry < expiries; expiry += 1) {
      fleet.provider.expireAccessTokens()
      const asked = all.map((visitor) => visitor.askAtOnce(calls, progress))
      wrong.push(...(await Promise.all(asked)).flat())
    }
    const { refreshRequests, presentedTwice } = fleet.provider.seen
    wrong.push(...(await Promise.all(all.map((visitor) => visitor.logOut()))).flat())
    if (presentedTwice > 0) wrong.push(`${presentedTwice} refresh tokens presented twice`)
    if (refreshRequests !== visitors * expiries) wrong.push(`${refreshRequests} refreshes`)
    return { figures: { refreshes: refreshRequests, 'presented twice': presentedTwice }, wrong }
  } finally {
    await fleet.close()
  }
}

class Visitor {
  readonly #fleet: RollingFleet
  readonly #user: string
  readonly #random: SeededRandom
  readonly #browser = new WebBrowser(publicOrigin)
  /** What the browser had, the newest last. */
  #states: string[] = []

  constructor(fleet: RollingFleet, user: string, seed: string) {
    this.#fleet = fleet
    this.#user = user
    this.#random = new SeededRandom(seed)
  }

  async logIn(): Promise<void> {
    const begun = await this.#send('/auth/spotify/login', navigation)
    const landed = await this.#send(await approve(begun.location!, this.#user), navigation)
    if (landed.status !== 303) throw new Error(`A login ended with ${landed.status}.`)
    this.#states = [this.#browser.cookie]
  }

  async askAtOnce(calls: number, progress?: (requests: number) => void): Promise<string[]> {
    const asked = Array.from({ length: calls }, async () => {
      const cookie = this.#random.pick(this.#states)
      const page = this.#random.next() < 0.2 ? '/note' : '/me'
      await sleep(this.#random.between(0, 60))
      let reply = await this.#send(page, { cookie })
      // The API closes connections that lie idle, also one that is just being used again.
      if (reply.text.includes('ECONNRESET')) reply = await this.#send(page, { cookie })
      progress?.(1)
      const isRight = reply.status === 200 && (page === '/note' || this.#isMine(reply))
      return isRight ? [] : [`${page}: ${reply.status} ${reply.text.slice(0, 200)}`]
    })
    const wrong = (await Promise.all(asked)).flat()
    this.#states = [...this.#states, this.#browser.cookie].slice(-remembered)
    return wrong
  }

  /** While others are on their way; then with all that it ever had. */
  async logOut(): Promise<string[]> {
    const late = [this.#send('/note', {}), this.#send('/me', {})]
    const headers = { origin: publicOrigin, 'sec-fetch-site': 'same-origin' }
    const out = await this.#fleet.next().post('/auth/logout', {
      ...headers,
      cookie: this.#browser.cookie,
    })
    if (out.status !== 303) return [`a logout ended with ${out.status}`]
    await Promise.all(late)
    const states = [...this.#states, this.#browser.cookie]
    const replies = await Promise.all(states.map((cookie) => this.#send('/me', { cookie })))
    return replies.filter(({ status }) => status !== 401).map(() => '/me after the logout')
  }

  #isMine({ text }: WebReply): boolean {
    return (JSON.parse(text) as { id: string }).id === this.#user
  }

  async #send(path: string, headers: Record<string, string>): Promise<WebReply> {
    const cookie = headers['cookie'] ?? this.#browser.cookie
    const reply = await this.#fleet.next().send(path, { ...headers, cookie })
    this.#browser.take(reply.cookies)
    return reply
  }
}
