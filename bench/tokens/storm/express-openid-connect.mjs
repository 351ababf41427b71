import openid from 'express-openid-connect'

/** Auth0's middleware, its session in a cookie as it comes, its `refresh()` as its examples call it. */
export function serve(app, { origin, issuer, clientId, clientSecret }) {
  app.use(
    openid.auth({
      authRequired: false,
      baseURL: origin,
      issuerBaseURL: issuer,
      clientID: clientId,
      clientSecret: clientSecret,
      secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
      authorizationParams: { response_type: 'code', scope: 'openid' },
      session: { cookie: { secure: false } },
    }),
  )
  app.get('/token', async (req, res) => {
    let { accessToken } = req.oidc
    if (!accessToken) return res.sendStatus(401)
    if (accessToken.isExpired()) accessToken = await accessToken.refresh()
    res.json({ token: accessToken.access_token })
  })
}
