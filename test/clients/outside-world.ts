import type { ProviderDefinition } from '../../src/oauth/provider.ts'
import { spotify } from '../../src/oauth/providers/index.ts'
import { createTestApi, createTestProvider, type TestProvider } from '../../src/testing/index.ts'

/** What an app with a client meets: an authorization server and the API that the client is for. */
export interface OutsideWorld {
  provider: TestProvider
  /** The provider as the app configures it, under the API's real address. */
  definition: ProviderDefinition
  /** How many requests the API got for a path. */
  requestsTo(path: string): number
  /** From now on the API answers nobody, until `reset`. */
  hang(): void
  reset(): void
  close(): Promise<void>
}

/** A world in which `https://api.spotify.com` is the test API: the clients need no other address. */
export async function createSpotifyWorld(): Promise<OutsideWorld> {
  const provider = await createTestProvider()
  const api = await createTestApi({ provider })
  const origin = 'https://api.spotify.com'
  return {
    provider,
    definition: spotify({
      ...provider.overrides,
      scope: ['user-library-read', 'user-library-modify'],
      // The `next` of the test API's lists names the address at which it really is.
      apiOrigins: [origin, api.origin],
      fetch: leadingTo(api.origin, origin),
    }),
    requestsTo: (path) => api.requestsTo(path),
    hang: () => {
      api.switches.behaviour = 'hangs'
    },
    reset: () => api.reset(),
    close: async () => {
      await api.close()
      await provider.close()
    },
  }
}

/** A `fetch` for which `origin` is a server of the test, as DNS could make it. */
export function leadingTo(server: string, origin: string): typeof fetch {
  return (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    return fetch(url.startsWith(`${origin}/`) ? server + url.slice(origin.length) : url, init)
  }
}
