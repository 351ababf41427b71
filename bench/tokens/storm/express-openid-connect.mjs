import { auth0 } from '../../session/auth0.mjs'

/** Auth0's middleware, its `refresh()` as its examples call it. */
export function serve(app, settings) {
  app.use(auth0(settings))
  app.get('/token', async (req, res) => {
    let { accessToken } = req.oidc
    if (!accessToken) return res.sendStatus(401)
    if (accessToken.isExpired()) accessToken = await accessToken.refresh()
    res.json({ token: accessToken.access_token })
  })
}
