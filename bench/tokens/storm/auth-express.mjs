import { ExpressAuth } from '@auth/express'
import { authJs } from '../../session/auth-js.mjs'

/**
 * Auth.js as its guide on refresh token rotation has it: the jwt callback refreshes, and a failure
 * becomes `error` in the session. Asked at its own route for the session, which stores what the
 * callback returned (`getSession()` of @auth/express does not).
 */
export function serve(app, settings) {
  const { clientId, clientSecret, tokenEndpoint } = settings

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
    ...authJs(settings),
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
