import type { ResponseCache } from '../cache/index.ts'
import { readBounded } from '../bounded-body.ts'
import { CookieJar } from '../sessions/cookie-jar.ts'
import { OwnSession } from '../sessions/own-session.ts'
import type { Session } from '../sessions/session.ts'
import type { App } from './app.ts'
import type { HeaderReader } from './fetch-metadata.ts'
import { publicUrl } from './public-url.ts'
import type { VisitSource } from './visit.ts'

const maxFormBytes = 65_536

/** What a web-standard request does not tell by itself. */
export interface Surroundings {
  /** What the option `user` says. */
  user: () => unknown
  /** Where the app is mounted, as it stands in the URL. Default '', the root. */
  mountPath?: string | undefined
  /** Called when the reply begins to depend on who is asking. */
  used?: (() => void) | undefined
}

/**
 * A web-standard `Request`, in the terms of a visit: the session is a cookie of behalf's own. Whoever
 * sends the reply takes the cookies of its jar.
 */
export class WebSource implements VisitSource {
  readonly jar: CookieJar
  readonly session: Session
  readonly mountPath: string
  readonly #app: App
  readonly #request: Request
  readonly #surroundings: Surroundings

  constructor(app: App, request: Request, surroundings: Surroundings) {
    const { cookie } = app.configuration
    this.jar = new CookieJar(request.headers.get('cookie') ?? undefined, cookie)
    this.session = new OwnSession(this.jar)
    this.mountPath = surroundings.mountPath ?? ''
    this.#app = app
    this.#request = request
    this.#surroundings = surroundings
  }

  get method(): string {
    return this.#request.method
  }

  get url(): URL {
    return publicUrl(this.#app.configuration.origins, this.#request.url, this.header)
  }

  get header(): HeaderReader {
    return (name) => this.#request.headers.get(name) ?? undefined
  }

  form(): Promise<URLSearchParams> {
    return formOf(this.#request)
  }

  user(): unknown {
    return this.#surroundings.user()
  }

  cache(): ResponseCache | undefined {
    return this.#app.cache
  }

  used(): void {
    this.#surroundings.used?.()
  }
}

/** A form of more than 64 KB is none of ours. */
async function formOf({ body }: Request): Promise<URLSearchParams> {
  if (body === null) return new URLSearchParams()
  const read = await readBounded(body, maxFormBytes)
  if (read.complete) return new URLSearchParams(Buffer.from(read.bytes).toString())
  await read.stream.cancel()
  return new URLSearchParams()
}
