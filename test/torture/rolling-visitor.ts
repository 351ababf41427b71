import { navigation } from '../middleware/express-app.ts'
import { approve } from './served-app.ts'
import { type Pod, publicOrigin } from './rolling-pod.ts'
import { type WebReply, WebBrowser } from './web-browser.ts'

/** What a visitor asks for; all of it is there for who is logged in only. */
export const pages = ['/me', '/me', '/guarded', '/auth/session', '/slow'] as const

/** Somebody with a browser, whose requests reach any process. */
export class RollingVisitor {
  readonly user: string
  readonly #browser = new WebBrowser(publicOrigin)
  readonly #next: () => Pod
  #callback = ''

  constructor(user: string, next: () => Pod) {
    this.user = user
    this.#next = next
  }

  /** Logs in, at as many processes as it takes requests; says what went wrong. */
  async logIn(): Promise<string | undefined> {
    const wrong = await this.beginLogin()
    return wrong ?? this.finishLogin()
  }

  /** Up to the provider's yes. */
  async beginLogin(pod = this.#next()): Promise<string | undefined> {
    const begun = await this.send('/auth/spotify/login', navigation, pod)
    if (typeof begun === 'string') return begun
    if (begun.status !== 303) return inWords('beginning to log in', begun)
    try {
      this.#callback = await approve(begun.location!, this.user)
      return undefined
    } catch (error) {
      return `at the provider: ${String(error)}`
    }
  }

  /** Comes back from the provider. */
  async finishLogin(pod = this.#next()): Promise<string | undefined> {
    const landed = await this.send(this.#callback, navigation, pod)
    if (typeof landed === 'string') return landed
    return landed.status === 303 && landed.location === '/'
      ? undefined
      : inWords('coming back from a login', landed)
  }

  /** Asks for a page; says what is wrong with it. */
  async visit(page: (typeof pages)[number], pod = this.#next()): Promise<string | undefined> {
    const before = this.#browser.cookie
    const reply = await this.send(page, page === '/guarded' ? navigation : {}, pod)
    if (typeof reply === 'string') return reply
    const isRight = reply.status === 200 && this.#isMine(page, reply.text)
    if (!isRight) return inWords(`${page} of ${this.user}`, reply)
    return this.#browser.cookie === before ? undefined : `${page} has changed cookies`
  }

  /** A reply, or why there is none. */
  async send(
    path: string,
    headers: Record<string, string>,
    pod = this.#next(),
  ): Promise<WebReply | string> {
    try {
      const reply = await pod.send(path, { ...headers, cookie: this.#browser.cookie })
      this.#browser.take(reply.cookies)
      return reply
    } catch (error) {
      return `${path.split('?')[0]}: ${String(error)}`
    }
  }

  #isMine(page: (typeof pages)[number], text: string): boolean {
    if (page === '/guarded') return text === 'in'
    if (page !== '/auth/session') return (JSON.parse(text) as { id: string }).id === this.user
    const { providers } = JSON.parse(text) as SessionInfo
    return providers.spotify.profile?.subject === this.user
  }
}

interface SessionInfo {
  providers: { spotify: { profile?: { subject: string } } }
}

function inWords(what: string, { status, location = '', cookies, text }: WebReply): string {
  const names = cookies.map((cookie) => cookie.split('=', 1)[0]!)
  const path = location.split('?')[0]!
  return [what, status, path, ...names, text.slice(0, 200)].filter(Boolean).join(', ')
}
