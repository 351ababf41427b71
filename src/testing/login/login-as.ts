import { logInAgent } from './login-agent.ts'
import type { LoginAgent } from './login-agent.ts'
import { logInPage } from './login-page.ts'
import type { LoginPage } from './login-page.ts'
import type { LoginAsOptions } from './login-options.ts'

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
