import { Agent, request } from 'node:http'
import { navigation } from '../middleware/express-app.ts'

/** A reply, read completely. */
export interface WebReply {
  status: number
  location: string | undefined
  /** What it has set, as `name=value`; deleted ones are empty. */
  cookies: string[]
  text: string
}

/** Many requests one after the other, without a connection for each. */
const agent = new Agent({ keepAlive: true, maxSockets: 128 })

/** One request to a server on this machine. */
export function sendRequest(
  url: URL,
  method: 'GET' | 'POST',
  headers: Record<string, string>,
): Promise<WebReply> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent }, (reply) => {
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => chunks.push(chunk))
      reply.once('error', reject)
      reply.once('end', () => {
        const set = reply.headers['set-cookie'] ?? []
        resolve({
          status: reply.statusCode!,
          location: reply.headers.location,
          cookies: set.map((cookie) => cookie.split(';', 1)[0]!),
          text: Buffer.concat(chunks).toString(),
        })
      })
    })
    sent.once('error', reject)
    sent.end()
  })
}

/** A browser that keeps cookies, and nothing else: quick enough for thousands of logins. */
export class WebBrowser {
  readonly #origin: string
  readonly #jar = new Map<string, string>()

  constructor(origin: string) {
    this.#origin = origin
  }

  /** What it would send now. */
  get cookie(): string {
    return [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  /** Takes over cookies as a reply has set them. */
  take(cookies: readonly string[]): void {
    for (const cookie of cookies) {
      const at = cookie.indexOf('=')
      const [name, value] = [cookie.slice(0, at), cookie.slice(at + 1)]
      if (value === '') this.#jar.delete(name)
      else this.#jar.set(name, value)
    }
  }

  /** Goes to a page. */
  async navigate(path: string): Promise<WebReply> {
    const headers = { ...navigation, cookie: this.cookie }
    const reply = await sendRequest(new URL(path, this.#origin), 'GET', headers)
    this.take(reply.cookies)
    return reply
  }

  /** Another browser with the same cookies. */
  copy(): WebBrowser {
    const other = new WebBrowser(this.#origin)
    for (const [name, value] of this.#jar) other.#jar.set(name, value)
    return other
  }
}
