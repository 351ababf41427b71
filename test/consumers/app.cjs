const express = require('express')
const { behalf, requireLogin } = require('behalf/express')
const { spotify } = require('behalf/providers')
const { createStore } = require('behalf/stores')

/** An app of a CommonJS project. */
exports.createApp = function createApp({ provider, apiBaseUrl }) {
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
