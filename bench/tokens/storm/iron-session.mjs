import { getIronSession } from 'iron-session'
import { servePlainly } from './plain-client.mjs'

const options = {
  cookieName: 'session',
  password: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
  cookieOptions: { secure: false },
}

/** The tokens in a sealed cookie, and openid-client's `refreshTokenGrant`. */
export function serve(app, settings) {
  servePlainly(app, settings, {
    read: async (req, res) => (await getIronSession(req, res, options)).tokens,
    write: async (req, res, tokens) => {
      const session = await getIronSession(req, res, options)
      session.tokens = tokens
      await session.save()
    },
  })
}
