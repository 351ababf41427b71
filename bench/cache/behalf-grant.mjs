import { createBehalf } from 'behalf'
import { responseCache } from 'behalf/cache'
import { oauth2 } from 'behalf/providers'
import { createStore } from 'behalf/stores'

const secret = 'a-secret-of-the-bench-that-is-long-enough-0123456789'

/** A user's reply, with a look at the grant; sealed where it leaves memory. */
export async function open({ origin, store }) {
  const backend = createStore(store)
  const auth = createBehalf({
    secret,
    store: backend,
    user: () => undefined,
    providers: {
      test: oauth2({
        authorizationEndpoint: `${origin}/authorize`,
        tokenEndpoint: `${origin}/token`,
        apiBaseUrl: origin,
        clientId: 'bench',
        clientSecret: 'bench-secret',
      }),
    },
    cache: responseCache({ store: backend }),
  })
  const tokenSet = { accessToken: 'token', expiresIn: 86_400, subject: 'ada', scope: [] }
  await auth.grants.import('test', { user: 'ada', tokenSet })
  const { api } = await auth.forUser('ada')
  return { get: (url) => api.test.get(url) }
}
