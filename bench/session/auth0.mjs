import openid from 'express-openid-connect'

/** Auth0's middleware, its session in a cookie as it comes. */
export function auth0({ origin, issuer, clientId, clientSecret }) {
  return openid.auth({
    authRequired: false,
    baseURL: origin,
    issuerBaseURL: issuer,
    clientID: clientId,
    clientSecret: clientSecret,
    secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
    authorizationParams: { response_type: 'code', scope: 'openid' },
    session: { cookie: { secure: false } },
  })
}
