import { behalf } from 'behalf/express'
import { oauth2 } from 'behalf/providers'

const secret = 'a-secret-of-the-bench-that-is-long-enough-0123456789'

/** A handle in a cookie of its own, the tokens in Redis. */
export async function serve(app, { origin, store, ...client }) {
  const auth = behalf({ baseUrl: origin, secret, store, providers: { test: oauth2(client) } })
  await auth.ready()
  app.use(auth)
  app.get('/login', (_req, res) => res.redirect('/auth/test/login'))
  app.get('/token', async (req, res) => {
    res.json({ token: await req.tokens.test.getAccessToken() })
  })
}
