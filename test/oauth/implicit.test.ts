import { describe, expect, test } from 'vitest'
import { createBehalf } from '../../src/index.ts'
import { oauth2, oidc, spotify } from '../../src/oauth/providers/index.ts'

const clientId = 'an-app'
const makers = {
  spotify: (authorizationParameters: Record<string, string>) =>
    spotify({ clientId, authorizationParameters }),
  oidc: (authorizationParameters: Record<string, string>) =>
    oidc({ clientId, issuer: 'https://id.example.com', authorizationParameters }),
  oauth2: (authorizationParameters: Record<string, string>) =>
    oauth2({
      clientId,
      authorizationEndpoint: 'https://id.example.com/authorize',
      tokenEndpoint: 'https://id.example.com/token',
      authorizationParameters,
    }),
}

function made(provider: ReturnType<typeof spotify>) {
  return createBehalf({
    baseUrl: 'https://app.example.com',
    secret: 'a-secret-of-32-bytes-or-more-for-tests',
    store: 'memory:',
    providers: { provider },
  })
}

describe.each(Object.entries(makers))('%s', (_name, make) => {
  test.each(['token', 'id_token', 'code token', 'code id_token', 'none', ''])(
    'OC-07 refuses response_type "%s", and says what to do instead',
    (responseType) => {
      const provider = make({ response_type: responseType })
      expect(() => made(provider)).toThrow(/PKCE.*docs\/providers\.md#no-implicit-grant/)
    },
  )

  test.each(['response_type', 'redirect_uri', 'state', 'resource', 'max_age', 'dpop_jkt'])(
    'OC-06 keeps %s to itself',
    (name) => {
      expect(() => made(make({ [name]: 'code' }))).toThrow(`must not set ${name}`)
    },
  )
})
