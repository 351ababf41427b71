import { RedisStore } from 'connect-redis'
import session from 'express-session'
import { createClient } from 'redis'
import { servePlainly } from './plain-client.mjs'

/** Sessions in Redis, and openid-client's `refreshTokenGrant`. */
export async function serve(app, settings) {
  const client = await createClient({ url: settings.store }).connect()
  app.use(
    session({
      secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
      resave: false,
      saveUninitialized: false,
      store: new RedisStore({ client }),
    }),
  )
  servePlainly(app, settings, {
    read: (req) => req.session.tokens,
    write: (req, _res, tokens) => {
      req.session.tokens = tokens
    },
  })
}
