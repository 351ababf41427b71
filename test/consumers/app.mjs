import express from 'express'
import { behalf, requireLogin } from 'behalf/express'
import { spotify } from 'behalf/providers'
import { createStore } from 'behalf/stores'

/** An app of an ES module project. */
export function createApp({ provider, apiBaseUrl }) {
  const app = express()
  app.use(
    behalf({
      baseUrl: 'http://127.0.0.1:3000',
      secret: 'a-secret-of-the-tests-that-is-long-enough-0123456789',
      store: createStore('memory:'),
      providers: { spotify: spotify({ ...provider, apiBaseUrl, scope: ['user-read-email'] }) },
    }),
  )
  app.get('/me', requireLogin('spotify'), async (req, res) => {
    const { id } = await req.api.spotify.get('me')
    res.json({ id })
  })
  return app
}
