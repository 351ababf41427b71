import { behalf, responseCache } from 'behalf/next'
import { spotify } from 'behalf/providers'
import { recordCall } from './calls.ts'
import { demoProvider } from './demo-provider.ts'

const scope = [
  'user-read-private',
  'user-read-email',
  'user-top-read',
  'user-library-read',
  'user-library-modify',
]

/** BEHALF_BASE_URL, BEHALF_SECRET and BEHALF_STORE say the rest, once the app runs. */
export const auth = behalf({
  providers: { spotify: spotify({ scope, ...demoProvider() }) },
  cache: responseCache(),
  errorPage: '/login-failed',
  onEvent: recordCall,
})

export const { handlers, withApi, context, proxy } = auth
