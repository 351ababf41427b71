import { randomUUID } from 'node:crypto'
import { parse } from 'cookie'
import { Redis } from 'ioredis'

/** The least that any session does: an id in a cookie, a look-up, two properties on the request. */
export function serve(app, { store }) {
  const sessions = store === 'memory:' ? new Map() : new Redis(store)
  app.use((req, _res, next) => {
    const { sid } = parse(req.headers.cookie ?? '')
    req.api = { sid }
    req.tokens = { getAccessToken: async () => sessions.get(sid) }
    next()
  })
  app.get('/login', async (_req, res) => {
    const sid = randomUUID()
    await sessions.set(sid, 'a token')
    res.cookie('sid', sid).send('logged in')
  })
  app.get('/token', async (req, res) => {
    const token = await req.tokens.getAccessToken()
    res.set('cache-control', 'private, no-store').json({ has: token === 'a token' })
  })
}
