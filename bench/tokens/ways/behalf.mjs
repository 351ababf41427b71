import { behalf } from 'behalf/express'
import { oauth2 } from 'behalf/providers'
import { grantFor } from 'behalf/testing'

/** As it is published, with its defaults. */
export async function keeper({ store, ...client }) {
  const auth = behalf({
    baseUrl: 'http://127.0.0.1:3000',
    secret: 'a-secret-of-the-bench-that-is-long-enough-0123456789',
    store,
    providers: { test: oauth2(client) },
    user: () => 'ada',
  })
  await auth.ready()
  const handler = async () => (await auth.forUser('ada')).tokens.test
  return {
    logIn: () => grantFor(auth, { user: 'ada', provider: 'test' }),
    expire: async () => {
      const test = await handler()
      await test.save({ accessToken: await test.getAccessToken(), expiresAt: Date.now() - 1 })
    },
    getAccessToken: async () => (await handler()).getAccessToken(),
  }
}
