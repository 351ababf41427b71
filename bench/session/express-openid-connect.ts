import type { Express } from 'express'
import openid from 'express-openid-connect'
import type { Settings } from './server.ts'

/** Auth0's middleware, its session in a cookie as it comes. */
export function serve(
  app: Express,
  { origin, issuer, clientId, clientSecret }: Settings & { origin: string },
): void {
  app.use(
    openid.auth({
      authRequired: false,
      baseURL: origin,
      issuerBaseURL: issuer,
      clientID: clientId,
      clientSecret: clientSecret!,
      secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
      authorizationParams: { response_type: 'code', scope: 'openid' },
      session: { cookie: { secure: false } },
    }),
  )
  app.get('/token', (req, res) => {
    const { accessToken } = req.oidc
    if (!accessToken || accessToken.isExpired()) return void res.sendStatus(401)
    res.json({ has: accessToken.access_token !== '' })
  })
}
