import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { BehalfError } from '../errors.ts'
import type { Behalf } from '../middleware/behalf.ts'
import { sendResponse, webRequest } from '../middleware/node-http.ts'
import { UsageError } from './usage-error.ts'

/** Both, because nobody knows which of them `localhost` is (RFC 8252 section 8.3). */
const addresses = ['127.0.0.1', '::1']
/** Milliseconds that a browser is given to fetch the last page. */
const lastPage = 3_000

const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Logged in</title>
<p style="font:16px/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem">You can close this page and go back to the terminal.</p></html>`

/** Answers a login's routes on this machine only, while it is under way (RFC 8252 section 7.3). */
export class LoopbackListener {
  readonly #app: Behalf
  readonly #home: URL
  readonly #callback: string
  /** Stands in the address that the login begins at. */
  readonly key = randomBytes(16).toString('base64url')
  readonly #servers: Server[] = []
  #show: (() => void) | undefined
  readonly #shown = new Promise<void>((resolve) => (this.#show = resolve))

  private constructor(app: Behalf, redirectUri: URL) {
    this.#app = app
    this.#home = new URL(redirectUri.origin)
    this.#callback = redirectUri.pathname
  }

  /** Listens where the redirect URI leads; throws a `UsageError` when somebody else does. */
  static async open(app: Behalf, redirectUri: URL): Promise<LoopbackListener> {
    const listener = new LoopbackListener(app, redirectUri)
    try {
      for (const address of addresses) await listener.#listen(address)
    } catch (error) {
      await listener.close()
      throw error
    }
    return listener
  }

  /** The last page has been fetched, or is not going to be. */
  async shown(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, lastPage)
    })
    await Promise.race([this.#shown, late])
    clearTimeout(timer)
  }

  /** Lets replies that are under way arrive. */
  async close(): Promise<void> {
    const closing = this.#servers.splice(0).map(async (server) => {
      const timer = setTimeout(() => server.closeAllConnections(), lastPage)
      await once(server.close(), 'close')
      clearTimeout(timer)
    })
    await Promise.all(closing)
  }

  async #listen(address: string): Promise<void> {
    const port = Number(this.#home.port || 80)
    const server = createServer((req, res) => void this.#answer(req, res))
    try {
      await once(server.listen(port, address), 'listening')
      this.#servers.push(server)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // A machine without IPv6 has the other one.
      const isMissing = code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT'
      if (isMissing && address !== addresses[0]) return
      const what = code === 'EADDRINUSE' ? `port ${port} is in use` : `cannot listen (${code})`
      throw new UsageError(`${what}; give another --redirect-uri, registered at the provider.`, 1)
    }
  }

  /**
   * The login's own two requests, and its beginning only by who was told the address: anybody on this
   * machine can reach the port, and would else log in an account of their own, or read who was.
   */
  #isStep({ url }: Request): boolean {
    const { pathname, searchParams } = new URL(url)
    if (pathname === this.#callback) return true
    const given = Buffer.from(searchParams.get('key') ?? '')
    const key = Buffer.from(this.key)
    return pathname.endsWith('/login') && given.length === key.length && timingSafeEqual(given, key)
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    res.setHeader('connection', 'close')
    // Another name for this machine is somebody else's page (DNS rebinding).
    const isOurs = req.headers.host === this.#home.host && req.method === 'GET'
    try {
      const request = webRequest(req, this.#home.origin)
      const response = isOurs && this.#isStep(request) ? await this.#app.handle(request) : undefined
      if (response) return await sendResponse(res, response)
      const isHome = isOurs && new URL(request.url).pathname === '/'
      if (isHome) res.once('finish', () => this.#show?.())
      res.statusCode = isHome ? 200 : 404
      res.setHeader('content-type', 'text/html; charset=utf-8')
      res.end(isHome ? page : 'Not found')
    } catch (error) {
      res.statusCode = 500
      res.end(error instanceof BehalfError ? error.code : 'It did not work')
    }
  }
}
