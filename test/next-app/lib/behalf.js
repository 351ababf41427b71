import { behalf, responseCache } from 'behalf/next'
import { spotify } from 'behalf/providers'

export const auth = behalf({
  providers: {
    spotify: spotify({
      scope: ['user-read-email', 'user-top-read'],
      ...JSON.parse(process.env.DEMO_PROVIDER || '{}'),
    }),
  },
  cache: responseCache(),
})
export const { handlers, withApi, context, proxy } = auth

/** Notes the core that this copy of the module has: all should have the same. */
export function noteCore() {
  globalThis.cores ??= new Set()
  globalThis.cores.add(auth.core)
  globalThis.copies ??= new Set()
  globalThis.copies.add(auth)
}
