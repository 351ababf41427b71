import { ExpressAuth, getSession } from '@auth/express'

/** Auth.js, the access token in the session as its guide has it. */
export function serve(app, settings) {
  const { issuer, clientId, clientSecret, authorizationEndpoint, tokenEndpoint } = settings
  const config = {
    trustHost: true,
    basePath: '/auth',
    secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
    providers: [
      {
        id: 'test',
        name: 'test',
        type: 'oauth',
        issuer,
        clientId,
        clientSecret,
        authorization: { url: authorizationEndpoint, params: { scope: 'openid' } },
        token: tokenEndpoint,
        userinfo: `${issuer}/userinfo`,
        checks: ['pkce', 'state'],
        profile: (profile) => ({ id: profile.sub }),
      },
    ],
    callbacks: {
      jwt: ({ token, account }) =>
        account ? { ...token, accessToken: account.access_token } : token,
      session: ({ session, token }) => ({
        ...session,
        ...token,
      }),
    },
  }
  app.use('/auth', ExpressAuth(config))
  app.get('/token', async (req, res) => {
    const session = await getSession(req, config)
    if (!session?.accessToken) return res.sendStatus(401)
    res.json({ has: true })
  })
}
