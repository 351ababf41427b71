import { readBounded } from '../bounded-body.ts'
import { CookieJar } from '../sessions/cookie-jar.ts'
import { OwnSession } from '../sessions/own-session.ts'
import type { App } from './app.ts'
import { Visit } from './visit.ts'

const maxFormBytes = 65_536

/**
 * The visit of a web-standard `Request`: the session is a cookie of behalf's own. Whoever sends the
 * reply takes the cookies of its jar.
 */
export function visitOf(app: App, request: Request, user: () => unknown): Visit {
  const jar = new CookieJar(request.headers.get('cookie') ?? undefined, app.configuration.cookie)
  return new Visit(app, {
    method: request.method,
    url: new URL(request.url),
    header: (name) => request.headers.get(name) ?? undefined,
    jar,
    session: new OwnSession(jar),
    mountPath: '',
    form: () => formOf(request),
    user,
    cache: () => app.cache,
    used: () => {},
  })
}

/** A form of more than 64 KB is none of ours. */
async function formOf({ body }: Request): Promise<URLSearchParams> {
  if (body === null) return new URLSearchParams()
  const read = await readBounded(body, maxFormBytes)
  if (read.complete) return new URLSearchParams(Buffer.from(read.bytes).toString())
  await read.stream.cancel()
  return new URLSearchParams()
}
