import { behalf } from 'behalf/express'
import { oauth2 } from 'behalf/providers'

const secret = 'a-secret-of-the-bench-that-is-long-enough-0123456789'

/** As jobs do it: the grant belongs to a user of the app, and no request comes with it. */
export async function serve(app, { origin, store, ...client }) {
  const providers = { test: oauth2(client) }
  const auth = behalf({ baseUrl: origin, secret, store, providers, user: () => 'ada' })
  await auth.ready()
  app.use(auth)
  app.get('/login', (_req, res) => res.redirect('/auth/test/login'))
  app.get('/token', async (_req, res) => {
    const { tokens } = await auth.forUser('ada')
    res.json({ token: await tokens.test.getAccessToken() })
  })
}
