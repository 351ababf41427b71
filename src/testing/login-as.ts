import { logInAgent } from './login-agent.ts'
import type { LoginAgent } from './login-agent.ts'
import { logInPage } from './login-page.ts'
import type { LoginPage } from './login-page.ts'

/** Options of {@link loginAs}. */
export interface LoginAsOptions {
  /** The id of a user of the test provider. */
  user: string
  /** The provider's name in the app, such as `spotify`. */
  provider: string
  /** Where the app has its routes, its `basePath`. Default `/auth`. */
  path?: string | undefined
  /** Where the login leads to; a local path. Default what the app does without it. */
  returnTo?: string | undefined
  /** The app's origin. A page needs it unless its context has a `baseURL`; an agent sends it as Host. */
  baseUrl?: string | undefined
  /** Presses Cancel instead of logging in. Default `false`. */
  cancel?: boolean | undefined
}

/** The callback's reply for an agent; nothing for a page, which shows what came of it. */
export type LoginReply<B extends LoginAgent | LoginPage> = B extends LoginAgent
  ? Awaited<ReturnType<B['get']>>
  : undefined

/**
 * Logs a supertest agent or a Playwright page in through the app's own login route, the test
 * provider's login page and the app's callback.
 *
 * Throws an error that names the step and its status when one of them is not as expected; with
 * `cancel` the callback may answer with any status.
 */
export async function loginAs<B extends LoginAgent | LoginPage>(
  browser: B,
  options: LoginAsOptions,
): Promise<LoginReply<B>> {
  const reply = isAgent(browser)
    ? await logInAgent(browser, options)
    : await logInPage(browser, options)
  return reply as LoginReply<B>
}

function isAgent(browser: LoginAgent | LoginPage): browser is LoginAgent {
  return 'get' in browser
}
