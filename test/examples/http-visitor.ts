import { type Asked, ask, type Reply } from './asking.ts'

/** What a browser sends when somebody navigates. */
const navigation = {
  accept: 'text/html',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'same-origin',
}

/** A visitor without a browser, who keeps the cookies of an app. */
export class HttpVisitor {
  readonly #baseUrl: string
  readonly #cookies = new Map<string, string>()

  constructor(baseUrl: string) {
    this.#baseUrl = baseUrl
  }

  /** The `Cookie` header. */
  get cookie(): string {
    return [...this.#cookies].map((pair) => pair.join('=')).join('; ')
  }

  /** Asks the app; a redirect is not followed. */
  async ask(path: string, { headers, ...asked }: Asked = {}): Promise<Reply> {
    const url = new URL(path, this.#baseUrl).href
    const reply = await ask(url, { ...asked, headers: { cookie: this.cookie, ...headers } })
    for (const line of reply.headers['set-cookie'] ?? []) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(line)!
      if (/; *max-age=0\b/i.test(line)) this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return reply
  }

  open(path: string): Promise<Reply> {
    return this.ask(path, { headers: navigation })
  }

  /** Sends one of the app's own forms. */
  send(path: string): Promise<Reply> {
    const headers = { ...navigation, origin: new URL(this.#baseUrl).origin }
    return this.ask(path, { method: 'POST', headers })
  }

  /** Logs in at the test provider; `begin` is where it begins. */
  async logIn(user = 'ada', begin = '/auth/spotify/login'): Promise<Reply> {
    const begun = await this.open(begin)
    const approved = await ask(String(begun.headers['location']), {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ user }).toString(),
    })
    return this.open(String(approved.headers['location']))
  }
}
