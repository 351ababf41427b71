import { ExpressAuth, getSession } from '@auth/express'
import { authJs } from './auth-js.mjs'

/** Auth.js, the access token in the session as its guide has it. */
export function serve(app, settings) {
  const config = {
    ...authJs(settings),
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
