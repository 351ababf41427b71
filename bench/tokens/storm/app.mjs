import express from 'express'

// Plain JavaScript, and each contestant as it is published.

/** Each adds its login to an app, and a route that answers with a token that is valid now. */
const contestants = {
  'behalf-session': () => import('./behalf-session.mjs'),
  'behalf-user': () => import('./behalf-user.mjs'),
  'express-openid-connect': () => import('./express-openid-connect.mjs'),
  'express-session': () => import('./express-session.mjs'),
  'iron-session': () => import('./iron-session.mjs'),
  'auth-express': () => import('./auth-express.mjs'),
}

const { program, ...settings } = JSON.parse(process.argv[2])
const { serve } = await contestants[program]()
const app = express()
const server = app.listen(0, '127.0.0.1', async () => {
  const origin = `http://127.0.0.1:${server.address().port}`
  await serve(app, { ...settings, origin })
  // Who failed is counted by the reply.
  app.use((_error, _req, res, _next) => res.sendStatus(500))
  process.send(origin)
})
process.on('disconnect', () => process.exit())
