import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { createWorld, navigation, type World } from '../middleware/express-app.ts'
import { approve, begin, serveApp, type ServedApp } from './served-app.ts'
import { sendRequest, WebBrowser } from './web-browser.ts'

/** How much is tried. */
export interface LoginTortureOptions {
  /** Decides the order of everything. */
  seed: string
  browsers: number
  /** Logins that each browser begins and finishes in any order. */
  tabs: number
  /** How often one callback is sent twenty times at once. */
  repeated: number
  /** Is told of each login that is over. */
  progress?: () => void
}

/** What came of it; nothing wrong is an empty list. */
export interface LoginTortureResult {
  succeeded: number
  wrong: string[]
}

/** Browsers that are busy at the same time. */
const atOnce = 16
const copies = 20

/** Many browsers log in in several tabs at once; then single callbacks come many times at once. */
export async function tortureLogins(options: LoginTortureOptions): Promise<LoginTortureResult> {
  const world = await createWorld()
  const app = await serveApp(world, { cache: false })
  const result: LoginTortureResult = { succeeded: 0, wrong: [] }
  try {
    let next = 0
    const worker = async () => {
      while (next < options.browsers) await oneBrowser(app, world, options, next++, result)
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    const tokenRequests = world.provider.seen.codeRequests
    if (tokenRequests !== options.browsers * options.tabs) {
      result.wrong.push(`${tokenRequests} codes were sent for ${result.succeeded} logins`)
    }
    for (let round = 0; round < options.repeated; round += 1) await repeat(app, world, result)
    return result
  } finally {
    await app.close()
    await world.close()
  }
}

/** Tabs begin and finish in an order of chance; each has to come back to its own page. */
async function oneBrowser(
  app: ServedApp,
  world: World,
  { seed, tabs, progress }: LoginTortureOptions,
  index: number,
  result: LoginTortureResult,
): Promise<void> {
  const random = new SeededRandom(`${seed} ${index}`)
  const browser = new WebBrowser(app.origin)
  const user = random.pick(world.provider.users).id
  const begun: Array<{ page: string; authorization: string }> = []
  const steps: string[] = []
  let [toBegin, toFinish] = [tabs, tabs]
  while (toFinish > 0) {
    if (begun.length === 0 || (toBegin > 0 && random.next() < 0.6)) {
      const page = `/tab/${tabs - toBegin--}`
      begun.push({ page, authorization: await begin(browser, page) })
      steps.push(`begin ${page}`)
      continue
    }
    toFinish -= 1
    const [tab] = begun.splice(random.between(0, begun.length - 1), 1)
    const landed = await browser.navigate(await approve(tab!.authorization, user))
    steps.push(`finish ${tab!.page}: ${landed.status}`)
    if (landed.status === 303 && landed.location === tab!.page) result.succeeded += 1
    else result.wrong.push(`browser ${index}: ${steps.join(', ')}`)
    progress?.()
  }
  const me = await browser.navigate('/me')
  const { id } = JSON.parse(me.text) as { id?: string }
  if (id !== user) result.wrong.push(`browser ${index} is ${id}, not ${user}: ${steps.join(', ')}`)
}

/** RFC 6749 section 4.1.2: a code that is sent twice may cost the tokens it was exchanged for. */
async function repeat(app: ServedApp, world: World, result: LoginTortureResult): Promise<void> {
  const browser = new WebBrowser(app.origin)
  const callback = await approve(await begin(browser, '/'), 'ada')
  const before = world.provider.seen.codeRequests
  const headers = { ...navigation, cookie: browser.cookie }
  const replies = await Promise.all(
    Array.from({ length: copies }, () =>
      sendRequest(new URL(callback, app.origin), 'GET', headers),
    ),
  )
  const asked = world.provider.seen.codeRequests - before
  const loggedIn = replies.filter(({ status }) => status === 303)
  const failed = replies.filter(({ status }) => status >= 500)
  if (asked !== 1 || loggedIn.length === 0 || failed.length > 0) {
    result.wrong.push(
      `${copies} equal callbacks: ${asked} token requests, ${loggedIn.length} logins, ${failed.length} failures`,
    )
  }
  browser.take(loggedIn[0]?.cookies ?? [])
  const me = await browser.navigate('/me')
  if (me.status !== 200) result.wrong.push(`nobody is logged in after ${copies} equal callbacks`)
}
