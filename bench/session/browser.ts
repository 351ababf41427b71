import request from 'supertest'
import { submitLoginPage } from '../../src/testing/login/submit-login-page.ts'
import { cookiesOf } from '../../test/middleware/flow.ts'

const navigation = {
  accept: 'text/html',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
}

/** Logs in at a contestant, and gives the cookies that it has then. */
export async function login(origin: string): Promise<string> {
  const browser = request.agent(origin)
  const { body: csrf } = await browser.get('/auth/csrf')
  let reply = csrf.csrfToken
    ? await browser.post('/auth/signin/test').type('form').send(csrf)
    : await browser.get('/login').set(navigation)
  for (let hops = 0; reply.headers['location'] !== undefined && hops < 10; hops += 1) {
    const next = new URL(reply.headers['location'], origin)
    const own =
      next.origin === origin ? next.href : await submitLoginPage(next.href, { user: 'ada' })
    reply = await browser.get(own.slice(origin.length)).set(navigation)
  }
  if (reply.status >= 400 && reply.status !== 404)
    throw new Error(`The login ended with ${reply.status}.`)
  return cookiesOf(browser).join('; ')
}
