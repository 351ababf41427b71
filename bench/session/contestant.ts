import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import type { Settings } from './server.ts'

/** Adds its session to an app, and a route `/token` that answers once it has the access token. */
type Contestant = (app: Express, settings: Settings & { origin: string }) => void

const contestants: Readonly<Record<string, () => Promise<{ serve: Contestant }>>> = {
  bare: () => import('./bare.ts'),
  behalf: () => import('./behalf.ts'),
  'iron-session': () => import('./iron-session.ts'),
  'express-openid-connect': () => import('./express-openid-connect.ts'),
  'auth-express': () => import('./auth-express.ts'),
}

const [program = '', settings = '{}'] = process.argv.slice(2)
const { serve } = await contestants[program]!()
const app = express()
const server = app.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  serve(app, { ...(JSON.parse(settings) as Settings), origin: `http://127.0.0.1:${port}` })
  process.send?.(port)
})

process.on('message', () => {
  const { user, system } = process.cpuUsage()
  process.send?.(user + system)
})
process.on('disconnect', () => process.exit())
