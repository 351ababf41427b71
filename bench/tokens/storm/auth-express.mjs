import { ExpressAuth } from '@auth/express'

/**
 * Auth.js as its guide on refresh token rotation has it: the jwt callback refreshes, and a failure
 * becomes `error` in the session. Asked at its own route for the session, which stores what the
 * callback returned (`getSession()` of @auth/express does not).
 */
export function serve(app, settings) {
  const { issuer, clientId, clientSecret, authorizationEndpoint, tokenEndpoint } = settings

  async function refreshed(token) {
    const parameters = { grant_type: 'refresh_token', refresh_token: token.refreshToken }
    const client = { client_id: clientId, client_secret: clientSecret }
    const body = new URLSearchParams({ ...parameters, ...client })
    const reply = await fetch(tokenEndpoint, { method: 'POST', body })
    if (!reply.ok) return { ...token, error: 'RefreshTokenError' }
    const fresh = await reply.json()
    return {
      ...token,
      accessToken: fresh.access_token,
      refreshToken: fresh.refresh_token ?? token.refreshToken,
      expiresAt: Date.now() + fresh.expires_in * 1000,
    }
  }

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
      jwt: async ({ token, account }) => {
        if (account) {
          const { access_token: accessToken, refresh_token: refreshToken } = account
          return { ...token, accessToken, refreshToken, expiresAt: account.expires_at * 1000 }
        }
        return Date.now() < token.expiresAt ? token : refreshed(token)
      },
      session: ({ session, token: { accessToken, error } }) =>
        error ? { ...session, error } : { ...session, token: accessToken },
    },
  }
  app.use('/auth', ExpressAuth(config))
}
