import { auth0 } from './auth0.mjs'

/** Auth0's middleware: the token is looked at. */
export function serve(app, settings) {
  app.use(auth0(settings))
  app.get('/token', (req, res) => {
    const { accessToken } = req.oidc
    if (!accessToken || accessToken.isExpired()) return res.sendStatus(401)
    res.json({ has: accessToken.access_token !== '' })
  })
}
