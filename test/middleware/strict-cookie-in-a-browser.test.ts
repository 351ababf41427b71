import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { spotify } from '../../src/oauth/providers/index.ts'
import { component } from '../components.ts'
import { launch } from '../examples/browser.ts'
import { createApp, createWorld, type World } from './express-app.ts'

const { present, path } = component('chromium')

/** The app is at 127.0.0.1, provider and strangers at localhost: for a browser those are two sites. */
describe.skipIf(!present)('in Chromium', () => {
  let world: World
  let chromium: Browser
  let appServer: Server
  let appUrl: string
  let strangers: Server
  let elsewhere: string

  beforeAll(async () => {
    world = await createWorld()
    chromium = await launch(path)
    strangers = createServer((_req, res) => {
      res.setHeader('content-type', 'text/html')
      res.end(`<a id="login" href="${appUrl}/auth/spotify/login?returnTo=/guarded">go</a>
        <iframe src="${appUrl}/auth/spotify/login"></iframe><img src="${appUrl}/auth/spotify/login">`)
    })
    await once(strangers.listen(0, '127.0.0.1'), 'listening')
    elsewhere = `http://localhost:${(strangers.address() as AddressInfo).port}/`
    let answer: (...all: never[]) => void = () => {}
    appServer = createServer(((req: never, res: never) => answer(req, res)) as never)
    await once(appServer.listen(0, '127.0.0.1'), 'listening')
    appUrl = `http://127.0.0.1:${(appServer.address() as AddressInfo).port}`
    const { overrides } = world.provider
    const definition = spotify({
      ...overrides,
      authorizationEndpoint: overrides.authorizationEndpoint.replace('127.0.0.1', 'localhost'),
      apiBaseUrl: world.api.baseUrl,
      scope: ['user-read-email'],
    })
    const { app } = createApp(world, {
      options: {
        baseUrl: appUrl,
        cookie: { sameSite: 'strict' },
        providers: { spotify: definition },
      },
    })
    answer = app as never
  })
  afterAll(async () => {
    await chromium?.close()
    appServer.close()
    strangers.close()
    await world.close()
  })

  test('a Strict session is there after the login, and nobody goes in circles', async () => {
    const page = await (await chromium.newContext()).newPage()
    await page.goto(`${appUrl}/guarded`)
    expect(page.url()).toContain('localhost')
    await page.getByRole('button', { name: 'Ada' }).click()
    await page.waitForURL(`${appUrl}/guarded`)
    expect(await page.textContent('body')).toBe('in')
    await page.goto(`${appUrl}/me`)
    expect(await page.textContent('body')).toContain('ada')
  })

  test('a link of a stranger asks first; a frame or a picture begins nothing', async () => {
    const context = await chromium.newContext()
    const page = await context.newPage()
    await page.goto(elsewhere)
    await page.waitForLoadState('networkidle')
    expect(await context.cookies(appUrl)).toEqual([])
    await page.click('#login')
    await page.waitForURL(`${appUrl}/auth/spotify/login**`)
    expect(await page.textContent('h1')).toContain('Go on to spotify?')
    expect(await context.cookies(appUrl)).toEqual([])
    await page.getByRole('link', { name: 'Go on' }).click()
    await page.getByRole('button', { name: 'Ada' }).click()
    await page.waitForURL(`${appUrl}/guarded`)
    expect(await page.textContent('body')).toBe('in')
  })
})
