import { behalf } from 'behalf/express'
import { oauth2 } from 'behalf/providers'

const secret = 'a-secret-of-the-bench-that-is-long-enough-0123456789'

/** A handle in a cookie, the tokens in the store; as it is published: `npm run build` comes first. */
export function serve(app, { origin, store, ...client }) {
  const providers = { test: oauth2(client) }
  app.use(behalf({ baseUrl: origin, secret, store, providers }))
  app.get('/login', (_req, res) => res.redirect('/auth/test/login'))
  app.get('/token', async (req, res) => {
    const token = await req.tokens.test.getAccessToken()
    res.json({ has: token !== '' })
  })
}
