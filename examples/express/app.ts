import express, { type ErrorRequestHandler, type Express } from 'express'
import type { BehalfEvent } from 'behalf'
import { behalf, requireLogin, responseCache } from 'behalf/express'
import { spotify, type SpotifyOptions } from 'behalf/providers'
import type { Store } from 'behalf/stores'
import { collectCalls, recordCall } from './calls.ts'
import { badRequest, failedLogin, failureOf } from './failure.ts'
import { like, periodOf, topTracks, unlike, type User } from './music.ts'
import { fromOwnPages, pageHeaders } from './page-headers.ts'
import { failurePage } from './views/failure-page.ts'
import { landingPage } from './views/landing-page.ts'
import { topPage } from './views/top-page.ts'

/** What differs between the places where the app runs. */
export interface Settings {
  /** The app's public origin, such as `http://127.0.0.1:3000`. */
  baseUrl: string
  store: Store
  /** Default: the real Spotify, with the client from the environment. */
  provider?: SpotifyOptions
  /** Is told of every upstream call, login and refresh. */
  onEvent?: (event: BehalfEvent) => void
}

const scope = [
  'user-read-private',
  'user-read-email',
  'user-top-read',
  'user-library-read',
  'user-library-modify',
]

function createAuth({ baseUrl, store, provider, onEvent }: Settings) {
  // Without `secret` it is BEHALF_SECRET, or in development one that is made and kept in .behalf/.
  return behalf({
    baseUrl,
    store,
    providers: { spotify: spotify({ scope, ...provider }) },
    errorPage: '/login-failed',
    onEvent: (event) => {
      recordCall(event)
      onEvent?.(event)
    },
  })
}

// Types `req.api.spotify` and `req.tokens.spotify` in every route below.
declare module 'behalf/express' {
  interface Register {
    behalf: ReturnType<typeof createAuth>
  }
}

/** The app and its middleware, which is to be closed at the end. */
export interface App {
  app: Express
  auth: ReturnType<typeof createAuth>
}

/** The whole app: log in, see your top tracks, like one, log out. */
export function createApp(settings: Settings): App {
  const auth = createAuth(settings)
  const ownPages = fromOwnPages(settings.baseUrl)
  const app = express()
  app.disable('x-powered-by')
  app.use(pageHeaders)
  app.get('/style.css', (_req, res) => res.sendFile('style.css', { root: import.meta.dirname }))

  // An app with sessions of its own has app.use(session(...)) here, and behalf uses them.
  app.use(auth)
  app.use(responseCache())
  app.use(collectCalls)

  app.get('/', async (req, res) => {
    if (await req.tokens.spotify.grant()) return res.redirect(303, '/top')
    res.send(landingPage(req.tokens.spotify.loginUrl({ returnTo: '/top' })).text)
  })

  app.get('/top', requireLogin('spotify'), async (req, res) => {
    const period = periodOf(req.query['period'])
    const [user, tracks] = await Promise.all([
      req.api.spotify.get<User>('me'),
      topTracks(req.api.spotify, period),
    ])
    const grant = await req.tokens.spotify.grant()
    res.send(topPage({ user, tracks, period, expiresAt: grant?.expiresAt }).text)
  })

  app.post('/tracks/:id/like', ownPages, requireLogin('spotify'), async (req, res) => {
    await like(req.api.spotify, req.params.id)
    res.redirect(303, backToTrack(req.params.id, req.query['period']))
  })

  app.post('/tracks/:id/unlike', ownPages, requireLogin('spotify'), async (req, res) => {
    await unlike(req.api.spotify, req.params.id)
    res.redirect(303, backToTrack(req.params.id, req.query['period']))
  })

  app.get('/login-failed', (req, res) => {
    const failure = failedLogin(
      String(req.query['code']),
      req.tokens.spotify.loginUrl({ returnTo: '/top' }),
    )
    res.status(failure.status).send(failurePage(failure).text)
  })

  app.use((_req, res) => {
    res.status(404).send(failurePage(badRequest(404)).text)
  })
  app.use(showError)
  return { app, auth }
}

function backToTrack(id: string, period: unknown): string {
  return `/top?period=${periodOf(period)}#track-${encodeURIComponent(id)}`
}

const showError: ErrorRequestHandler = (error: unknown, _req, res, next) => {
  if (res.headersSent) return next(error)
  const failure = failureOf(error)
  if (failure.code === 'internal_error') console.error(error)
  res.status(failure.status).send(failurePage(failure).text)
}
