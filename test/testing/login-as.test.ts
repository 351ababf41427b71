import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import type { Browser } from 'playwright-core'
import supertest from 'supertest'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createTestProvider, loginAs } from '../../src/testing/index.ts'
import type { TestProvider } from '../../src/testing/index.ts'
import { handMadeApp } from './hand-made-app.ts'
import type { HandMadeApp } from './hand-made-app.ts'

let provider: TestProvider
let app: HandMadeApp

beforeAll(async () => {
  provider = await createTestProvider()
  app = await handMadeApp(provider)
})
afterEach(() => {
  provider.reset()
  app.fault = 'none'
  app.seen.length = 0
})
afterAll(async () => {
  await app.close()
  await provider.close()
})

const ada = { user: 'ada', provider: 'spotify' }

describe('a supertest agent', () => {
  it('is logged in afterwards, and gets the reply of the callback', async () => {
    const agent = supertest.agent(app.server)
    const reply = await loginAs(agent, { ...ada, returnTo: '/top?x=1&y=2' })
    expect([reply.status, reply.headers['location']]).toEqual([302, '/top?x=1&y=2'])
    expect((await agent.get('/')).text).toBe('Welcome, ada')
  })

  it('can be several users, each for themselves', async () => {
    const [one, two] = [supertest.agent(app.server), supertest.agent(app.server)]
    await Promise.all([loginAs(one, ada), loginAs(two, { ...ada, user: 'grace' })])
    expect((await one.get('/')).text).toBe('Welcome, ada')
    expect((await two.get('/')).text).toBe('Welcome, grace')
  })

  it('goes below another path', async () => {
    await loginAs(supertest.agent(app.server), { ...ada, path: '/sub/connect' })
    expect(app.seen.map(({ path }) => path)).toEqual([
      '/sub/connect/spotify/login',
      '/sub/connect/spotify/callback',
    ])
  })

  it('sends what a browser sends when it navigates', async () => {
    await loginAs(supertest.agent(app.server), ada)
    expect(app.seen).toHaveLength(2)
    for (const { headers } of app.seen) {
      expect(headers['accept']).toContain('text/html')
      expect(headers['sec-fetch-mode']).toBe('navigate')
      expect(headers['sec-fetch-dest']).toBe('document')
    }
  })

  it('follows a login that moves to another host first', async () => {
    app.fault = 'moves'
    const agent = supertest.agent(app.server)
    await loginAs(agent, ada)
    expect(app.seen.map(({ headers }) => headers.host)).toEqual([
      expect.stringContaining('127.0.0.1'),
      'app.test',
      'app.test',
    ])
    expect((await agent.get('/')).text).toBe('Welcome, ada')
  })

  it('sends the host of baseUrl', async () => {
    await loginAs(supertest.agent(app.server), { ...ada, baseUrl: 'http://app.test' })
    expect(app.seen[0]?.headers.host).toBe('app.test')
  })

  it('can cancel, and then gets whatever the callback says', async () => {
    const reply = await loginAs(supertest.agent(app.server), { ...ada, cancel: true })
    expect(reply.status).toBe(400)
    expect(reply.body.url).toContain('error=access_denied')
  })
})

describe('what goes wrong is said, with its step', () => {
  const login = (options: Partial<Parameters<typeof loginAs>[1]> = {}) =>
    loginAs(supertest.agent(app.server), { ...ada, ...options })

  it('no such route', async () => {
    await expect(login({ provider: 'nobody' })).rejects.toThrow(
      'loginAs: the login route GET /auth/nobody/login answered 200 instead of a redirect to the provider.',
    )
  })

  it('a login route that fails', async () => {
    app.fault = 'login-fails'
    await expect(login()).rejects.toThrow('answered 500 (config_invalid) instead of a redirect')
  })

  it('a redirect that is no URL', async () => {
    app.fault = 'login-goes-nowhere'
    await expect(login()).rejects.toThrow('which is no URL')
  })

  it('a redirect loop', async () => {
    app.fault = 'login-loops'
    await expect(login()).rejects.toThrow('5 redirects have not led from the login to the provider')
  })

  it('an authorization request that the provider refuses', async () => {
    app.fault = 'bad-request'
    await expect(login()).rejects.toThrow(
      'loginAs: the provider refused the authorization request with 400: ' +
        'No client with the id "nobody" exists (unauthorized_client).',
    )
  })

  it('a user who does not exist', async () => {
    await expect(login({ user: 'nobody' })).rejects.toThrow('did not take the user "nobody"')
  })

  it('a callback that fails, without the code and the state in its URL', async () => {
    provider.switches.tokenEndpoint = 'invalid-client'
    const error = await login().then(String, String)
    expect(error).toBe(
      'Error: loginAs: the callback GET /auth/spotify/callback answered 400 (callback_invalid).',
    )
  })
})

const executablePath = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => existsSync(path))
const missing = executablePath === undefined
if (missing && process.env['CI']) throw new Error('There is no Chromium.')
if (missing) console.warn('SKIPPED: loginAs with a page, as there is no Chromium')

describe.skipIf(missing)('a Playwright page', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] })
  })
  afterAll(() => browser.close())

  it('ends where the login leads to', async () => {
    const page = await browser.newPage()
    await loginAs(page, { ...ada, baseUrl: app.origin, returnTo: '/top' })
    expect(page.url()).toBe(`${app.origin}/top`)
    expect(await page.textContent('body')).toBe('Welcome, ada')
    await page.close()
  })

  it('can cancel', async () => {
    const page = await browser.newPage()
    await loginAs(page, { ...ada, baseUrl: app.origin, cancel: true })
    expect(page.url()).toContain('error=access_denied')
    await page.close()
  })

  it('says which user has no button, and on which page', async () => {
    const page = await browser.newPage({ baseURL: app.origin })
    await expect(loginAs(page, { ...ada, user: 'no"body' })).rejects.toThrow(
      `loginAs: GET /auth/spotify/login led to ${provider.issuer}/authorize with 200, ` +
        'which has no button for the user "no"body".',
    )
    await page.close()
  })

  it('shows a login page on which every control has a name and a keyboard is enough', async () => {
    const page = await browser.newPage()
    await page.goto(`${app.origin}/auth/spotify/login`)
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toContain('test-client')
    expect(await page.getByRole('button', { name: 'Ada Moreau' }).count()).toBe(1)
    expect(await page.getByRole('button', { name: 'Cancel' }).count()).toBe(1)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${app.origin}/**`)
    expect(await page.textContent('body')).toBe('Welcome, grace')
    await page.close()
  })
})
