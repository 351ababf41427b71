/** Express and nothing else: the floor. */
export function serve(app) {
  app.get('/login', (_req, res) => res.send('nobody logs in'))
  app.get('/token', (_req, res) => res.json({ has: true }))
}
