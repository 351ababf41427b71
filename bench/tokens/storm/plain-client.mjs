import * as openid from 'openid-client'

/** What an app writes around openid-client; the tokens are kept by `read` and `write`. */
export function servePlainly(app, { origin, issuer, clientId, clientSecret, ...own }, session) {
  const metadata = {
    issuer,
    authorization_endpoint: own.authorizationEndpoint,
    token_endpoint: own.tokenEndpoint,
  }
  const config = new openid.Configuration(metadata, clientId, clientSecret)
  openid.allowInsecureRequests(config)
  const verifier = openid.randomPKCECodeVerifier()

  app.get('/login', async (_req, res) => {
    const url = openid.buildAuthorizationUrl(config, {
      redirect_uri: `${origin}/callback`,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: 'of-the-bench',
    })
    res.redirect(url.href)
  })
  app.get('/callback', async (req, res) => {
    const checks = { pkceCodeVerifier: verifier, expectedState: 'of-the-bench' }
    const url = new URL(req.originalUrl, origin)
    const reply = await openid.authorizationCodeGrant(config, url, checks)
    await session.write(req, res, tokensFrom(reply))
    res.send('in')
  })
  app.get('/token', async (req, res) => {
    let tokens = await session.read(req, res)
    if (!tokens) return res.sendStatus(401)
    if (tokens.expiresAt <= Date.now()) {
      const reply = await openid.refreshTokenGrant(config, tokens.refreshToken)
      tokens = { ...tokens, ...tokensFrom(reply) }
      await session.write(req, res, tokens)
    }
    res.json({ token: tokens.accessToken })
  })
}

function tokensFrom(reply) {
  const { access_token: accessToken, refresh_token: refreshToken, expires_in: seconds } = reply
  return { accessToken, refreshToken, expiresAt: Date.now() + seconds * 1000 }
}
