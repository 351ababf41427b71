import type { Express } from 'express'

/** Express and nothing else: the floor. */
export function serve(app: Express): void {
  app.get('/login', (_req, res) => void res.send('nobody logs in'))
  app.get('/token', (_req, res) => void res.json({ has: true }))
}
