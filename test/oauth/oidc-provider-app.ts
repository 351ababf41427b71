import { expect, vi } from 'vitest'
import { oidc, type OidcOptions } from '../../src/oauth/providers/index.ts'
import {
  type AppSettings,
  baseUrl,
  type Browser,
  createApp,
  navigation,
  type TestApp,
  type World,
} from '../middleware/express-app.ts'
import { beginLogin } from '../middleware/flow.ts'
import { accessTokenTtl, type RunningOidcProvider } from '../support/oidc-provider.ts'
import { OidcBrowser, type PagesOutcome, type PagesVisit } from '../support/oidc-provider-pages.ts'

/** Where the server leads back to the app. */
export const callbackUrl = `${baseUrl}/auth/spotify/callback`

/** An app whose provider is found by discovery; the API it calls is the server's user info. */
export function appAt(
  { issuer, clientId, clientSecret }: RunningOidcProvider,
  options: Partial<OidcOptions> = {},
  settings: AppSettings = {},
): TestApp {
  const provider = oidc({
    issuer,
    clientId,
    clientSecret,
    scope: ['openid', 'profile', 'email', 'offline_access'],
    // OpenID Connect Core section 11: without it there is no offline_access.
    authorizationParameters: { prompt: 'consent' },
    apiBaseUrl: issuer,
    ...options,
  })
  return createApp({ spotify: provider } as unknown as World, { cache: false, ...settings })
}

/** Who logs in, at which browser that may know the server already; usually `ada`, at a new one. */
export interface OidcVisit extends Partial<PagesVisit> {
  at?: OidcBrowser
}

/** What came of a login. */
export interface OidcLogin extends PagesOutcome {
  authorization: URL
  /** The callback's reply. */
  landed: Awaited<ReturnType<Browser['get']>>
}

/** Goes to the server, over its pages and back to the app, as a user would; whatever comes of it. */
export async function comeBack(
  app: Browser,
  { at = new OidcBrowser(), user = 'ada', ...visit }: OidcVisit = {},
): Promise<OidcLogin> {
  const authorization = await beginLogin(app, { returnTo: '/me' })
  const { callback, shown } = await at.visit(authorization.href, { user, ...visit })
  const landed = await app.get(`${callback.pathname}${callback.search}`).set(navigation)
  return { authorization, callback, shown, landed }
}

/** The same for a login that works. */
export async function logIn(app: Browser, visit?: OidcVisit): Promise<OidcLogin> {
  const login = await comeBack(app, visit)
  expect(login.landed.status, login.landed.text).toBe(303)
  return login
}

/** Sets the clock to when the server's access tokens are over; a test puts it back. */
export function outliveAccessTokens(): void {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + (accessTokenTtl + 1) * 1000 })
}
