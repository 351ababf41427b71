import { CookieJar } from '../sessions/cookie-jar.ts'
import { OwnSession } from '../sessions/own-session.ts'
import type { App } from './app.ts'
import { Visit } from './visit.ts'

const maxFormBytes = 65_536

/** The visit of a web-standard `Request`: the session is a cookie of behalf's own. */
export function visitOf(app: App, request: Request, user: () => unknown): Visit {
  const jar = new CookieJar(request.headers.get('cookie') ?? undefined, app.configuration.cookie)
  return new Visit(app, {
    method: request.method,
    url: new URL(request.url),
    header: (name) => request.headers.get(name) ?? undefined,
    jar,
    session: new OwnSession(jar),
    mountPath: '',
    form: async () => new URLSearchParams((await request.text()).slice(0, maxFormBytes)),
    user,
    cache: () => app.cache,
    used: () => {},
  })
}
