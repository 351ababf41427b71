// One of several processes that serve the same app; see rolling-pod.ts.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import express, { type ErrorRequestHandler } from 'express'
import session from 'express-session'
import { getIronSession } from 'iron-session'
import type { BehalfError } from '../../src/index.ts'
import { behalf, requireLogin } from '../../src/middleware/express.ts'
import { spotify } from '../../src/oauth/providers/index.ts'
import { inSession, ironSession, sealedCookie } from '../../src/sessions/index.ts'
import { createStore } from '../../src/stores/index.ts'
import { StoredSessions } from './stored-sessions.ts'
import { type PodReply, type PodSettings, publicOrigin } from './rolling-pod.ts'

const settings = JSON.parse(process.argv[2] ?? '') as PodSettings
const { url, secret, overrides, apiBaseUrl, tokens } = settings
const ironOptions = {
  cookieName: 'app',
  password: 'of iron-session in the torture, 0123456789',
  cookieOptions: { secure: false },
}
const places = {
  session: inSession(),
  cookies: sealedCookie(),
  'iron-session': ironSession(getIronSession, ironOptions),
}
const auth = behalf({
  baseUrl: publicOrigin,
  store: url,
  secret,
  tokenStore: tokens && places[tokens],
  providers: { spotify: spotify({ ...overrides, apiBaseUrl, scope: ['user-read-email'] }) },
})

const app = express()
if (tokens === 'session') {
  const store = new StoredSessions(createStore(url))
  app.use(session({ store, secret: [...secret], resave: false, saveUninitialized: false }))
}
app.use(auth)
app.get('/note', async (req, res) => {
  const own = req.session ?? (await getIronSession<object>(req, res, ironOptions))
  Object.assign(own, { note: Math.random() })
  await sleep(40 * Math.random())
  if (!req.session) await (own as unknown as { save(): Promise<void> }).save()
  res.send('noted')
})
app.get('/me', async (req, res) => {
  res.json(await req.api['spotify']!.get('me'))
})
app.get('/slow', async (req, res) => {
  await sleep(400)
  res.json(await req.api['spotify']!.get('me'))
})
app.get('/guarded', requireLogin('spotify'), (_req, res) => void res.send('in'))
const onError: ErrorRequestHandler = (error: Partial<BehalfError>, _req, res, _next) => {
  const { status = 500, code, message } = error
  res.status(status).json({ code, message })
}
app.use(onError)

const server = createServer(app).listen(0, '127.0.0.1')
// Longer than anybody pauses: a connection is not closed while a request is on its way to it.
server.keepAliveTimeout = 60_000
await once(server, 'listening')
// On a machine that is busy starting others the store's first answer may come late.
while (!(await auth.health()).ok);
process.on('message', () => void close())
process.on('disconnect', () => process.exit())
tell({ port: (server.address() as AddressInfo).port })

/** As an app does that is told to end: what it has is finished, then what goes on behind that. */
async function close(): Promise<void> {
  // What is on its way here on a busy machine is to be read before connections are closed.
  await sleep(150)
  const closed = once(server, 'close')
  server.close()
  const idle = setInterval(() => server.closeIdleConnections(), 10)
  await closed
  clearInterval(idle)
  const { underWay } = await auth.health()
  const startedAt = performance.now()
  await auth.close()
  const left = auth.core.running?.underWay ?? 0
  tell({ underWay, left, seconds: (performance.now() - startedAt) / 1000 })
  process.disconnect()
}

function tell(reply: PodReply): void {
  process.send?.(reply)
}
