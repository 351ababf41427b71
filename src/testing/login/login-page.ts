import type { LoginAsOptions } from './login-options.ts'
import { loginRoute, withoutQuery } from './login-route.ts'

/** As much of a Playwright page as a login needs. */
export interface LoginPage {
  goto(url: string): Promise<{ status(): number } | null>
  locator(selector: string): { click(): Promise<void>; count(): Promise<number> }
  url(): string
  waitForURL(url: (url: URL) => boolean): Promise<void>
}

/** Logs a page in; it ends where the app's callback sends it. */
export async function logInPage(page: LoginPage, options: LoginAsOptions): Promise<undefined> {
  const { user, cancel = false, baseUrl } = options
  const route = loginRoute(options)
  const reply = await page.goto(baseUrl === undefined ? route : new URL(route, baseUrl).href)
  const loginPage = page.url()
  const selector = cancel ? 'button[name="cancel"]' : `button[name="user"][value=${quoted(user)}]`
  const button = page.locator(selector)
  if ((await button.count()) !== 1) {
    const status = reply ? ` with ${reply.status()}` : ''
    throw new Error(
      `loginAs: GET ${withoutQuery(route)} led to ${withoutQuery(loginPage)}${status}, ` +
        `which has no button ${cancel ? 'to cancel' : `for the user "${user}"`}.`,
    )
  }
  await button.click()
  const { origin } = new URL(loginPage)
  await page.waitForURL((url) => url.origin !== origin)
}

/** As a CSS string. */
function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, String.raw`\$&`)}"`
}
