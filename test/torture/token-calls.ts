import { inspect } from 'node:util'
import { BehalfError, createBehalf, ReauthRequiredError } from '../../src/index.ts'
import type { Behalf, BehalfEvent, Timeouts } from '../../src/index.ts'
import { spotify } from '../../src/oauth/providers/index.ts'
import type { Store } from '../../src/stores/store.ts'
import type { ProviderOverrides } from '../../src/testing/index.ts'

/** How every process of a torture is set up. */
export interface TokenSettings {
  /** The store's URL. */
  url: string
  overrides: ProviderOverrides
  apiBaseUrl: string
  /** Default behalf's own. */
  timeouts?: Timeouts | undefined
}

/** What came of some calls that were made at once. */
export interface Outcome {
  /** The different access tokens that they were given. */
  tokens: string[]
  /** `code` of each error, with its reason. */
  failures: string[]
  /** The same errors, whole, as a log would have them. */
  errors: string[]
  /** Seconds that the slowest took. */
  slowest: number
}

/** What every process seals with. */
export const tortureSecret = 'a-secret-of-the-torture-that-is-long-enough-0123456789'

/** An app without routes, whose users have connected Spotify. */
export function tokenApp(
  { url, overrides, apiBaseUrl, timeouts }: TokenSettings,
  { store = url, onEvent }: { store?: Store | string; onEvent?(event: BehalfEvent): void } = {},
): TokenApp {
  return createBehalf({
    store,
    secret: tortureSecret,
    providers: { spotify: spotify({ ...overrides, apiBaseUrl, scope: ['user-read-email'] }) },
    user: () => undefined,
    timeouts,
    onEvent,
  })
}

/** What {@link tokenApp} makes. */
export type TokenApp = Behalf<{ spotify: ReturnType<typeof spotify> }>

/** Asks for a user's access token as many times at once; `refused`: as after an API's 401. */
export async function callAtOnce(
  app: TokenApp,
  user: string,
  calls: number,
  refused = false,
): Promise<Outcome> {
  const tokens = new Set<string>()
  const failures: string[] = []
  const errors: string[] = []
  let slowest = 0
  const call = async () => {
    const startedAt = performance.now()
    const handler = (await app.forUser(user)).tokens.spotify
    await handler.getAccessToken({ forceRefresh: refused }).then(
      (token) => tokens.add(token),
      (error: unknown) => {
        failures.push(inWords(error))
        errors.push(inspect(error, { depth: 10, showHidden: true }))
      },
    )
    slowest = Math.max(slowest, (performance.now() - startedAt) / 1000)
  }
  await Promise.all(Array.from({ length: calls }, call))
  return { tokens: [...tokens], failures, errors, slowest }
}

function inWords(error: unknown): string {
  if (error instanceof ReauthRequiredError) return `${error.code} ${error.reason}`
  return error instanceof BehalfError ? `${error.code}: ${error.message}` : String(error)
}
