import type { IncomingMessage, RequestListener } from 'node:http'
import { Readable } from 'node:stream'
import { NextRequest } from 'next/server.js'
import { sendResponse } from '../../src/middleware/node-http.ts'
import { behalf, type NextBehalf, responseCache } from '../../src/middleware/next.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import {
  type AppSettings,
  baseUrl,
  browserOf,
  secret,
  type TestApp,
  type World,
} from './express-app.ts'

/** What an app on any target can be given. */
export type PortableSettings = Pick<AppSettings, 'options' | 'cache'>

/** The same app as a target's own would be. */
export type PortableApp = Pick<TestApp, 'errors' | 'browser'> & {
  app: RequestListener
  auth: Pick<NextBehalf, 'close' | 'core'>
}

type Route = (request: NextRequest, route: unknown) => Promise<Response>

/** The app of createApp() as one of Next.js: its route handlers, called as Next.js calls them. */
export function createNextApp(world: World, settings: PortableSettings = {}): PortableApp {
  const { user: _user, ...options } = settings.options ?? {}
  const auth = behalf({
    baseUrl,
    secret,
    store: memoryStore(),
    providers: { spotify: world.spotify },
    ...(settings.cache === false ? {} : { cache: responseCache() }),
    ...options,
  })
  const routes: Record<string, Route> = {
    '/me': auth.withApi(async (_request, { api }) => {
      const reply = await api.spotify.fetch('me')
      const headers = { 'cache-status': reply.headers.get('cache-status') ?? 'none' }
      return Response.json(await reply.json(), { status: reply.status, headers })
    }),
    '/public': auth.withApi(async (_request, { api }) => {
      const { id } = await api.spotify.get<{ id: string }>('me')
      const headers = { 'cache-control': 'public, max-age=60', 'cdn-cache-control': '60' }
      return Response.json({ id }, { headers })
    }),
    '/guarded': auth.withApi(async () => new Response('in'), { login: 'spotify' }),
    '/': async () => new Response('home'),
  }
  const app = listener((path, method) => {
    if (!path.startsWith('/auth/')) return routes[path]
    return auth.handlers[method as keyof typeof auth.handlers]
  })
  return { app, auth, errors: [], browser: () => browserOf(app) }
}

/** Serves route handlers to Node: whatever host is asked for, Next.js writes `localhost` into the URL. */
export function listener(
  routeAt: (path: string, method: string) => Route | undefined,
): RequestListener {
  return async (req, res) => {
    const url = `http://localhost:3000${req.url}`
    const route = routeAt(req.url!.split('?', 1)[0]!, req.method!)
    const response = route
      ? await route(nextRequest(url, req), { params: Promise.resolve({}) })
      : new Response('none', { status: 404 })
    const body = new Uint8Array(await response.arrayBuffer())
    res.setHeader('content-length', body.length)
    await sendResponse(res, new Response(body.length > 0 ? body : null, response))
  }
}

function nextRequest(url: string, req: IncomingMessage): NextRequest {
  const headers = Object.entries(req.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  )
  const method = req.method ?? 'GET'
  if (method === 'GET' || method === 'HEAD') return new NextRequest(url, { method, headers })
  const body = Readable.toWeb(req) as ReadableStream<Uint8Array>
  return new NextRequest(url, { method, headers, body, duplex: 'half' } as never)
}
