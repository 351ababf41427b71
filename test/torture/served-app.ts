import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { submitLoginPage } from '../../src/testing/login/submit-login-page.ts'
import { type AppSettings, createApp, type TestApp, type World } from '../middleware/express-app.ts'
import type { WebBrowser, WebReply } from './web-browser.ts'

/** An app that listens. */
export interface ServedApp extends TestApp {
  origin: string
  close(): Promise<void>
}

/** Serves an app under the origin that its redirect URIs have. */
export async function serveApp(world: World, settings: AppSettings = {}): Promise<ServedApp> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const made = createApp(world, { ...settings, options: { ...settings.options, baseUrl: origin } })
  server.on('request', made.app)
  const close = async () => {
    await made.auth.close()
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  return { ...made, origin, close }
}

/** Begins a login; gives the authorization request. */
export async function begin(browser: WebBrowser, returnTo: string): Promise<string> {
  const query = new URLSearchParams({ returnTo }).toString()
  const reply = await browser.navigate(`/auth/spotify/login?${query}`)
  if (reply.status === 303 && reply.location) return reply.location
  throw new Error(`A login began with ${reply.status}.`)
}

/** Says yes at the test provider; gives the callback's path and query. */
export async function approve(authorization: string, user: string): Promise<string> {
  const back = new URL(await submitLoginPage(authorization, { user }))
  return `${back.pathname}${back.search}`
}

/** A whole login; gives the callback's reply. */
export async function logIn(browser: WebBrowser, user: string): Promise<WebReply> {
  return browser.navigate(await approve(await begin(browser, '/'), user))
}
