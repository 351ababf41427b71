import express from 'express'
import type { Context } from '../../src/middleware/context.ts'
import { behalf, responseCache } from '../../src/middleware/express.ts'
import type { ProviderDefinition } from '../../src/oauth/provider.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { baseUrl, type Browser, browserOf, secret } from '../middleware/express-app.ts'

/** What a route finds on the request: `req.api.<name>` and `req.tokens.<name>`, typed. */
export type Carried<Name extends string> = Context<Record<Name, ProviderDefinition>>

/** A route of the app: what it resolves to is the reply's JSON. */
export type ClientRoute<Name extends string> = (req: Carried<Name>) => Promise<unknown>

/** An app whose routes use a client, as an app's author would write it. */
export interface ClientApp {
  browser(): Browser
  /** What the routes threw, in order. */
  errors: unknown[]
}

/** An app with one provider, the response cache, and a GET route for each of `routes`. */
export function createClientApp<Name extends string>(
  name: Name,
  definition: ProviderDefinition,
  routes: Readonly<Record<string, ClientRoute<Name>>>,
): ClientApp {
  const errors: unknown[] = []
  const providers = { [name]: definition } as Record<Name, ProviderDefinition>
  const auth = behalf({ baseUrl, secret, store: memoryStore(), providers })
  const app = express()
  app.use(auth)
  app.use(responseCache())
  for (const [path, route] of Object.entries(routes)) {
    app.get(`/${path}`, async (req, res) => {
      res.json((await route(auth.context(req))) ?? null)
    })
  }
  app.use(((error: unknown, _req: unknown, res: express.Response, _next: unknown) => {
    errors.push(error)
    res.status(500).json({})
  }) as express.ErrorRequestHandler)
  return { browser: () => browserOf(app), errors }
}
