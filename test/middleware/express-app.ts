import type { RequestListener } from 'node:http'
import { createRequire } from 'node:module'
import express5, { type Express } from 'express'
import session from 'express-session'
import request from 'supertest'
import { afterAll, beforeAll } from 'vitest'
import {
  behalf,
  type ExpressBehalf,
  type ExpressOptions,
  requireLogin,
  responseCache,
} from '../../src/middleware/express.ts'
import type { ProviderDefinition } from '../../src/oauth/provider.ts'
import { spotify } from '../../src/oauth/providers/index.ts'
import type { Store } from '../../src/stores/store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import {
  createTestApi,
  createTestProvider,
  type TestApi,
  type TestProvider,
} from '../../src/testing/index.ts'

export const secret = 'a-secret-of-the-tests-that-is-long-enough-0123456789'
export const baseUrl = 'http://127.0.0.1:3000'

/** Express 4 has the same types for all that is used here. */
export const expressVersions: Record<string, typeof express5> = {
  'Express 5': express5,
  'Express 4': createRequire(import.meta.url)('express4') as typeof express5,
}

export type SessionKind = 'own' | 'express-session'

export interface AppSettings {
  express?: typeof express5
  session?: SessionKind
  mountPath?: string
  options?: Partial<ExpressOptions<{ spotify: ProviderDefinition }>>
  /** Runs after the session and before behalf. */
  before?: (app: Express) => void
  /** Adds routes. */
  routes?: (app: Express) => void
  cache?: boolean
}

export interface TestApp {
  app: Express
  auth: ExpressBehalf<{ spotify: ProviderDefinition }>
  store: Store | string
  /** What the app's error handler was given. */
  errors: unknown[]
  /** A browser of its own: a supertest agent that sends what browsers send. */
  browser: () => Browser
}

export type Browser = ReturnType<typeof request.agent>

/** The world outside an app: an authorization server and the API behind it. */
export interface World {
  provider: TestProvider
  api: TestApi
  spotify: ProviderDefinition
  close(): Promise<void>
}

export async function createWorld(overrides: object = {}): Promise<World> {
  const provider = await createTestProvider()
  const api = await createTestApi({ provider })
  return {
    provider,
    api,
    spotify: spotify({
      ...provider.overrides,
      apiBaseUrl: api.baseUrl,
      scope: ['user-read-email', 'user-top-read', 'user-library-read', 'user-library-modify'],
      ...overrides,
    }),
    close: async () => {
      await api.close()
      await provider.close()
    },
  }
}

/** A world for the tests of a file, there before the first and gone after the last. */
export function useWorld(overrides: object = {}): World {
  const world = {} as World
  beforeAll(async () => {
    Object.assign(world, await createWorld(overrides))
  })
  afterAll(() => world.close())
  return world
}

/** A whole app around behalf, as an app's author would write it. */
export function createApp(world: World, settings: AppSettings = {}): TestApp {
  const { express = express5, session: kind = 'own', mountPath = '' } = settings
  const app = express()
  const errors: unknown[] = []
  const store = settings.options?.store ?? memoryStore()
  const auth = behalf({
    baseUrl,
    secret,
    store,
    providers: { spotify: world.spotify },
    ...settings.options,
  })
  if (kind === 'express-session') {
    app.use(session({ secret, resave: false, saveUninitialized: false }))
  }
  settings.before?.(app)
  const mounted = mountPath === '' ? app : app.use(mountPath, auth)
  if (mountPath === '') mounted.use(auth)
  if (settings.cache !== false) app.use(responseCache())
  app.get('/me', async (req, res, next) => {
    try {
      const reply = await req.api['spotify']!.fetch('me')
      res.set('cache-status', reply.headers.get('cache-status') ?? 'none')
      res.status(reply.status).json(await reply.json())
    } catch (error) {
      next(error)
    }
  })
  app.get('/guarded', requireLogin('spotify'), (_req, res) => void res.send('in'))
  app.get('/', (_req, res) => void res.send('home'))
  settings.routes?.(app)
  app.use(((error: { status?: number; code?: string }, _req: never, res: Reply, _next: never) => {
    errors.push(error)
    res.status(error.status ?? 500).json({ code: error.code })
  }) as never)
  return { app, auth, store, errors, browser: () => browserOf(app) }
}

interface Reply {
  status(code: number): Reply
  json(body: unknown): void
}

export function browserOf(app: RequestListener): Browser {
  const agent = request.agent(app)
  agent.set('host', new URL(baseUrl).host)
  return agent
}

/** Headers of a form posted from one of the app's own pages. */
export const ownForm = { origin: baseUrl, 'sec-fetch-site': 'same-origin' }

/** Headers of a navigation. */
export const navigation = {
  accept: 'text/html',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
}
