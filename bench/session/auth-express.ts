import type { Express, Request, RequestHandler } from 'express'
import type { Settings } from './server.ts'

/** Its own types bring the DOM's along, for the whole program. */
const { ExpressAuth, getSession } = (await import('@auth/express' as string)) as {
  ExpressAuth: (config: object) => RequestHandler
  getSession: (req: Request, config: object) => Promise<object | null>
}

/** Auth.js, the access token in the session as its guide has it. */
export function serve(app: Express, settings: Settings & { origin: string }): void {
  const { issuer, clientId, clientSecret, authorizationEndpoint, tokenEndpoint } = settings
  const config = {
    trustHost: true,
    basePath: '/auth',
    secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
    providers: [
      {
        id: 'test',
        name: 'test',
        type: 'oauth' as const,
        issuer,
        clientId,
        clientSecret,
        authorization: { url: authorizationEndpoint, params: { scope: 'openid' } },
        token: tokenEndpoint,
        userinfo: `${issuer}/userinfo`,
        checks: ['pkce' as const, 'state' as const],
        profile: (profile: { sub: string }) => ({ id: profile.sub }),
      },
    ],
    callbacks: {
      jwt: ({ token, account }: { token: object; account?: { access_token?: string } | null }) =>
        account ? { ...token, accessToken: account.access_token } : token,
      session: ({ session, token }: { session: object; token: object }) => ({
        ...session,
        ...token,
      }),
    },
  }
  app.use('/auth', ExpressAuth(config))
  app.get('/token', async (req, res) => {
    const session = (await getSession(req, config)) as { accessToken?: string } | null
    if (!session?.accessToken) return void res.sendStatus(401)
    res.json({ has: true })
  })
}
