import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { callsShown, launch, logIn, visitor, type Visitor } from './browser.ts'
import { runApp, type RunningApp } from './running-app.ts'

const { present, path } = component('chromium')
const markup = '<script>document.title = "broken"</script>'
const users = [
  { id: 'ada', name: 'Ada Moreau', country: 'FR' },
  { id: 'grace', name: 'Grace Adeyemi', country: 'GB' },
  { id: 'mallory', name: markup },
]

describe.skipIf(!present)('examples/express in a browser', () => {
  let browser: Browser
  let running: RunningApp
  let someone: Visitor

  beforeAll(async () => {
    browser = await launch(path)
    running = await runApp(users)
  })
  beforeEach(async () => {
    running.api.reset()
    running.provider.reset()
    someone = await visitor(browser, running.baseUrl)
  })
  afterEach(() => someone.close())
  afterAll(async () => {
    await browser?.close()
    await running?.close()
  })

  const text = (selector: string) => someone.page.locator(selector).first().textContent()

  test('log in, see profile and top tracks, like one, log out', async () => {
    const { page } = someone
    await logIn(page, 'Ada Moreau')
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Ada Moreau')
    expect(await text('.facts')).toContain('ada@example.test')
    expect(await text('.facts')).toContain('France')
    expect(await page.locator('.track').count()).toBe(12)

    const button = page.getByRole('button', { name: /^Like / }).first()
    const name = (await button.getAttribute('aria-label'))!.slice('Like '.length)
    await button.click()
    const unlike = page.getByRole('button', { name: `Unlike ${name}`, exact: true })
    await unlike.waitFor()
    await page.reload()
    await unlike.click()
    await page.getByRole('button', { name: `Like ${name}`, exact: true }).waitFor()
    expect(await page.locator('.earlier').textContent()).toContain('DELETE /v1/me/library')

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('link', { name: 'Log in with Spotify' }).waitFor()
    await page.goto('/top')
    expect(new URL(page.url()).origin).toBe(running.provider.issuer)
  })

  test('the panel shows misses first, and hits after a reload', async () => {
    const { page } = someone
    await logIn(page, 'Ada Moreau')
    const topTracks = 'GET /v1/me/top/tracks?time_range&limit'
    const likes = 'GET /v1/me/library/contains?uris bypass 200'
    expect(await callsShown(page)).toEqual(['GET /v1/me miss 200', likes, `${topTracks} miss 200`])
    await page.reload()
    expect(await callsShown(page)).toEqual(['GET /v1/me hit 200', likes, `${topTracks} hit 200`])
    expect(running.api.requestsTo('me/top/tracks')).toBe(1)
    expect(await text('.sums')).toMatch(/59 min \d+ s left|1 h left/)
    expect(await page.locator('.call code').last().textContent()).toMatch(/^[\w-]{12}$/)
  })

  test('an expired access token costs one refresh and is not noticed', async () => {
    const { page } = someone
    await logIn(page, 'Ada Moreau')
    running.provider.expireAccessTokens()
    await page.goto('/top?period=long_term')
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Ada Moreau')
    expect(await page.locator('.track').count()).toBe(12)
    expect(running.provider.seen.refreshRequests).toBe(1)
  })

  test('a grant that was revoked at the provider leads to a new login', async () => {
    const { page } = someone
    await logIn(page, 'Ada Moreau')
    running.provider.revokeGrants('ada')
    expect((await page.reload())?.status()).toBe(401)
    expect(await text('.code')).toBe('reauth_required')
    await page.getByRole('link', { name: 'Log in with Spotify' }).click()
    await page.getByRole('button', { name: 'Ada Moreau' }).click()
    await page.waitForURL('**/top')
  })

  test('a cancelled login is explained, and can be tried again', async () => {
    const { page } = someone
    await page.goto('/auth/spotify/login')
    await page.getByRole('button', { name: 'Cancel' }).click()
    await page.waitForURL('**/login-failed?*')
    expect(await text('.code')).toBe('access_denied')
    await page.getByRole('link', { name: 'Log in with Spotify' }).click()
    await page.getByRole('button', { name: 'Ada Moreau' }).click()
    await page.waitForURL('**/top')
  })

  test('an API that fails is told on the error page', async () => {
    const { page } = someone
    await logIn(page, 'Ada Moreau')
    running.api.switches.status = 503
    expect((await page.reload())?.status()).toBe(503)
    expect(await text('.code')).toBe('upstream_error')
    expect((await page.goto('/nowhere'))?.status()).toBe(404)
    expect(await text('.code')).toBe('not_found')
  })

  test('a second user of the same browser sees nothing of the first', async () => {
    const { page } = someone
    await logIn(page, 'Ada Moreau')
    const partition = await page.locator('.call dd code').first().textContent()
    await page.getByRole('button', { name: 'Log out' }).click()
    await logIn(page, 'Grace Adeyemi')
    const seen = await page.content()
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Grace Adeyemi')
    expect((await callsShown(page)).filter((call) => call.includes(' hit '))).toEqual([])
    expect(await page.locator('.earlier').count()).toBe(0)
    for (const trace of ['Ada', 'ada@', 'France', partition!]) expect(seen).not.toContain(trace)
  })

  test('what the API says is text, never markup', async () => {
    await logIn(someone.page, markup)
    expect(await someone.page.getByRole('heading', { level: 1 }).textContent()).toBe(markup)
    expect(await someone.page.title()).not.toBe('broken')
  })

  test('a form of another origin likes nothing', async () => {
    const { page } = someone
    await logIn(page, 'Ada Moreau')
    const action = await page.locator('.track form').first().getAttribute('action')
    const elsewhere = await someone.page.context().newPage()
    // Another port is the same site: the cookie comes along.
    await elsewhere.goto(`${running.api.origin}/images/none.svg`)
    await elsewhere.setContent(
      `<form method="post" action="${running.baseUrl}${action}"><button>Go</button></form>`,
    )
    const [reply] = await Promise.all([
      elsewhere.waitForResponse((response) => response.url().includes('/tracks/')),
      elsewhere.getByRole('button').click(),
    ])
    expect(reply.status()).toBe(403)
    expect(running.api.requests.filter(({ method }) => method !== 'GET')).toEqual([])
  })

  test('no token is in a page, an address, a cookie, the log or the database', async () => {
    const { page } = someone
    await logIn(page, 'Ada Moreau')
    running.provider.expireAccessTokens()
    await page.reload()
    await page.goto('/auth/session')
    const files = await readdir(running.folder)
    const bytes = files.map((file) => readFile(join(running.folder, file), 'latin1'))
    const database = (await Promise.all(bytes)).join('\n')
    await page.goto('/top')
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.waitForURL('**/')
    const places = { browser: await someone.received(), log: running.log.join('\n'), database }
    expect(running.tokens.size).toBeGreaterThanOrEqual(4)
    expect(database.length).toBeGreaterThan(1000)
    expect(places.browser).toContain('Ada Moreau')
    for (const [place, content] of Object.entries(places)) {
      const found = [...running.tokens].filter((token) => content.includes(token))
      expect(found, place).toEqual([])
    }
  })
})
