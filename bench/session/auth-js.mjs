/** What Auth.js needs to know of the test provider, wherever it is asked. */
export function authJs({ issuer, clientId, clientSecret, authorizationEndpoint, tokenEndpoint }) {
  return {
    trustHost: true,
    basePath: '/auth',
    secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
    providers: [
      {
        id: 'test',
        name: 'test',
        type: 'oauth',
        issuer,
        clientId,
        clientSecret,
        authorization: { url: authorizationEndpoint, params: { scope: 'openid' } },
        token: tokenEndpoint,
        userinfo: `${issuer}/userinfo`,
        checks: ['pkce', 'state'],
        profile: (profile) => ({ id: profile.sub }),
      },
    ],
  }
}
