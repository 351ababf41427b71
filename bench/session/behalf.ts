import type { Express } from 'express'
import { behalf } from '../../src/middleware/express.ts'
import { oauth2 } from '../../src/oauth/providers/index.ts'
import type { Settings } from './server.ts'

/** A handle in a cookie, the tokens in the store. */
export function serve(
  app: Express,
  { origin, issuer, store, ...client }: Settings & { origin: string },
): void {
  const { authorizationEndpoint, tokenEndpoint, clientId, clientSecret } = client
  const auth = behalf({
    baseUrl: origin,
    secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
    store,
    providers: {
      test: oauth2({ issuer, authorizationEndpoint, tokenEndpoint, clientId, clientSecret }),
    },
  })
  app.use(auth)
  app.get('/login', (_req, res) => res.redirect('/auth/test/login'))
  app.get('/token', async (req, res) => {
    const token = await req.tokens['test']!.getAccessToken()
    res.json({ has: token !== '' })
  })
}
