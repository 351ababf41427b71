import { navigation } from '../middleware/express-app.ts'
import { RollingFleet } from './rolling-fleet.ts'
import type { Pod } from './rolling-pod.ts'
import { pages, RollingVisitor } from './rolling-visitor.ts'
import type { TokenResult } from './token-result.ts'

const older = 'an-older-secret-of-the-torture-0123456789'
const newer = 'the-newer-secret-of-the-torture-0123456789'

/** How much is tried. */
export interface SkippedAppendOptions {
  /** The store's URL. */
  url: string
  browsers: number
}

/**
 * A new secret is used before all processes have it. The one that does not have it meets what it has
 * sealed: it answers 503 and takes nothing away, so that everybody is there when it has it too.
 */
export async function tortureSkippedAppend(options: SkippedAppendOptions): Promise<TokenResult> {
  const fleet = await RollingFleet.open(options.url)
  const { users, seen } = fleet.provider
  const visitors = Array.from(
    { length: options.browsers },
    (_, index) => new RollingVisitor(users[index % users.length]!.id, () => fleet.next()),
  )
  const all = async (ask: (visitor: RollingVisitor) => Promise<Array<string | undefined>>) =>
    (await Promise.all(visitors.map(ask))).flat().filter((wrong) => wrong !== undefined)
  try {
    const old = await fleet.add([older])
    const wrong = await all(async (visitor) => [await visitor.logIn()])
    const recent = await fleet.add([newer, older])
    fleet.provider.expireAccessTokens()
    wrong.push(...(await all(async (visitor) => [await visitor.visit('/me', recent)])))

    const { refreshRequests } = seen
    const notRefused = await all((visitor) => eachPage((page) => refusal(visitor, page, old)))
    if (seen.refreshRequests !== refreshRequests) wrong.push('the older process has refreshed')
    await fleet.end(old)
    const updated = await fleet.add([newer, older])
    wrong.push(...(await all((visitor) => eachPage((page) => visitor.visit(page, updated)))))
    if (seen.presentedTwice > 0) wrong.push(`${seen.presentedTwice} presented twice`)
    const refused = visitors.length * pages.length - notRefused.length
    const figures = { refused, 'presented twice': seen.presentedTwice }
    return { figures, wrong: [...notRefused, ...wrong] }
  } finally {
    await fleet.close()
  }
}

type Page = (typeof pages)[number]

async function eachPage(ask: (page: Page) => Promise<string | undefined>) {
  const wrong: Array<string | undefined> = []
  for (const page of pages) wrong.push(await ask(page))
  return wrong
}

/** What is wrong with how a process without the secret answers. */
async function refusal(visitor: RollingVisitor, page: Page, pod: Pod): Promise<string | undefined> {
  const reply = await visitor.send(page, page === '/guarded' ? navigation : {}, pod)
  if (typeof reply === 'string') return reply
  const { status, location, cookies, text } = reply
  const isTyped = status === 503 && text.includes('store_unavailable')
  if (isTyped && location === undefined && cookies.length === 0) return undefined
  return `${page} at the older process: ${JSON.stringify(reply)}`
}
