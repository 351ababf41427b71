import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

/** What one visitor's browser has been given, to be searched for what it must not have. */
export interface Visitor {
  page: Page
  /** Addresses of all requests, bodies of all pages and whatever scripts could read. */
  received(): Promise<string>
  close(): Promise<void>
}

/** Starts headless Chromium. */
export function launch(executablePath: string): Promise<Browser> {
  const args = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ]
  return chromium.launch({ executablePath, args })
}

/** A visitor with cookies of their own, who opens pages of the app at `baseURL`. */
export async function visitor(browser: Browser, baseURL: string): Promise<Visitor> {
  const context = await browser.newContext({ baseURL })
  const page = await context.newPage()
  const texts: Array<Promise<string>> = []
  context.on('request', (request) => texts.push(Promise.resolve(request.url())))
  context.on('response', (response) => {
    texts.push(response.text().catch(() => ''))
    texts.push(Promise.resolve(JSON.stringify(response.headers())))
  })
  return {
    page,
    received: async () => [...(await Promise.all(texts)), await cookiesOf(context)].join('\n'),
    close: () => context.close(),
  }
}

async function cookiesOf(context: BrowserContext): Promise<string> {
  return JSON.stringify(await context.cookies())
}

/** Goes in by the buttons that a person presses. */
export async function logIn(page: Page, name: string): Promise<void> {
  await page.goto('/')
  await page.getByRole('link', { name: 'Log in with Spotify' }).click()
  await page.getByRole('button', { name }).click()
  await page.waitForURL('**/top*')
}

const navigation = {
  accept: 'text/html',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
}

/** Goes in without looking at any page. */
export async function enter({ request }: BrowserContext, user = 'ada'): Promise<void> {
  const once = { maxRedirects: 0, headers: navigation }
  const begun = await request.get('/auth/spotify/login', once)
  const approved = await request.post(begun.headers()['location']!, {
    form: { user },
    maxRedirects: 0,
  })
  const landed = await request.get(approved.headers()['location']!, once)
  if (landed.status() !== 303) throw new Error(`The login ended with ${landed.status()}.`)
}

/** The panel as text: one line per call, such as `GET /v1/me miss 200`. */
export async function callsShown(page: Page): Promise<string[]> {
  const calls = await page.locator('.call').all()
  const lines = calls.map(async (call) => {
    const request = await call.locator('.request').textContent()
    const verdict = await call.locator('.badge').textContent()
    const [status] = await call.locator('dd').allTextContents()
    return `${request} ${verdict} ${status}`
  })
  return (await Promise.all(lines)).toSorted()
}
