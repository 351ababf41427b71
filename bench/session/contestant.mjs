import express from 'express'

// Plain JavaScript: what runs TypeScript on the fly costs more than what is measured here.

/** Each adds its session to an app, and a route `/token` that answers once it has the token. */
const contestants = {
  bare: () => import('./bare.mjs'),
  floor: () => import('./floor.mjs'),
  behalf: () => import('./behalf.mjs'),
  'iron-session': () => import('./iron-session.mjs'),
  'express-openid-connect': () => import('./express-openid-connect.mjs'),
  'auth-express': () => import('./auth-express.mjs'),
}

const [program, settings] = process.argv.slice(2)
const { serve } = await contestants[program]()
const app = express()
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address()
  serve(app, { ...JSON.parse(settings), origin: `http://127.0.0.1:${port}` })
  process.send(port)
})

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send(user + system)
})
process.on('disconnect', () => process.exit())
