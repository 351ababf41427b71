import { expect } from 'vitest'
import { submitLoginPage } from '../../src/testing/login/submit-login-page.ts'
import { type Browser, navigation } from './express-app.ts'

/** All that an authorization request of plain OAuth 2 consists of, sorted. */
export const authorizationParameters = [
  'client_id',
  'code_challenge',
  'code_challenge_method',
  'redirect_uri',
  'response_type',
  'scope',
  'state',
]

/** Begins a login by hand; gives the URL of the authorization request. */
export async function beginLogin(
  browser: Browser,
  { provider = 'spotify', returnTo = '/' }: { provider?: string; returnTo?: string } = {},
): Promise<URL> {
  const query = new URLSearchParams({ returnTo }).toString()
  const reply = await browser.get(`/auth/${provider}/login?${query}`).set(navigation)
  expect(reply.status).toBe(303)
  return new URL(reply.headers['location']!)
}

/** Presses the user's button at the test provider; gives the callback's path and query. */
export async function approve(authorization: URL, user: string): Promise<string> {
  const back = new URL(await submitLoginPage(authorization.href, { user }))
  return `${back.pathname}${back.search}`
}

/** The cookies that a supertest agent would send to the app, as `name=value`. */
export function cookiesOf(browser: Browser): string[] {
  const { jar } = browser as unknown as {
    jar: { getCookies(access: object): { toValueString(): string }[] }
  }
  const access = { path: '/', domain: '127.0.0.1', secure: false, script: false }
  return jar.getCookies(access).map((cookie) => cookie.toValueString())
}
