import { setTimeout as sleep } from 'node:timers/promises'
import type { TestProvider } from '../../src/testing/index.ts'
import type { RunningRedis } from '../../test/support/redis-servers.ts'
import { login } from '../session/browser.ts'
import { Child } from './child.ts'
import { failures } from './failures.ts'
import { definitionOfOnce, Presentations } from './presentations.ts'
import { cookiesAfter, repliesTo } from './storm/replies.ts'
import { printTable } from './table.ts'

const requests = 200
/** Seconds for which the first tokens are good. */
const lifetime = 1
/** Seconds that the provider takes for a token reply. */
const delay = 0.1

const legend = `"one token": how often the one was presented that was presented most. "no token": calls that got
none. "a dead one": calls that got one which the provider takes no longer when all have their
answer. "then": what the next request of this visitor meets. With one request in place of
${requests} each of them refreshed once and worked on.
${definitionOfOnce}`

interface Contestant {
  name: string
  program: string
  /** Where it answers with a token. */
  path: string
  /** It has to meet the bar. */
  isOurs?: boolean
}

const path = '/token'
const contestants: readonly Contestant[] = [
  { name: 'behalf, own session cookie', program: 'behalf-session', path, isOurs: true },
  { name: 'behalf, forUser()', program: 'behalf-user', path, isOurs: true },
  { name: 'express-openid-connect', program: 'express-openid-connect', path },
  { name: 'express-session + refreshTokenGrant', program: 'express-session', path },
  { name: 'iron-session + refreshTokenGrant', program: 'iron-session', path },
  { name: "Auth.js, its guide's recipe", program: 'auth-express', path: '/auth/session' },
]

/**
 * A page that asks for 200 things at once, the access token having expired; each refresh token is
 * good once, and a second presentation ends the login. Gives whether we met the bar: one token
 * request, none failed, the session works on, in one process and in four.
 */
export async function storm(provider: TestProvider, redis: RunningRedis): Promise<boolean> {
  provider.switches.delay = delay
  const outcomes: Outcome[] = []
  for (const processes of [1, 4]) {
    for (const contestant of contestants) {
      outcomes.push(await play(contestant, processes, { provider, store: redis.url }))
      process.stderr.write(`\r${outcomes.length} of ${2 * contestants.length} storms `)
    }
  }
  process.stderr.write('\r\n')
  console.log(`${requests} requests at expiry; a token reply takes ${delay * 1000} ms`)
  printTable([
    ['', 'processes', 'token requests', 'one token', 'no token', 'a dead one', 'then', ''],
    ...outcomes.map(rowOf),
  ])
  console.log(legend)
  return outcomes.every(isFine)
}

interface Outcome {
  contestant: Contestant
  processes: number
  tokenRequests: number
  mostPresented: number
  withoutToken: number
  withDeadToken: number
  worksOn: boolean
}

interface Surroundings {
  provider: TestProvider
  store: string
}

async function play(
  contestant: Contestant,
  processes: number,
  { provider, store }: Surroundings,
): Promise<Outcome> {
  const program = new URL('./storm/app.mjs', import.meta.url)
  const settings = { program: contestant.program, store, ...provider.overrides }
  const children: Child[] = []
  try {
    while (children.length < processes) children.push(await Child.start(program, settings))
    const origins = children.map(({ greeting }) => greeting as string)
    const alone = await atExpiry(provider, urlsAt(origins, contestant.path, 1))
    if (alone.tokenRequests !== 1 || !alone.worksOn) {
      throw new Error(`${contestant.name} cannot refresh at all: ${JSON.stringify(alone)}`)
    }
    const all = await atExpiry(provider, urlsAt(origins, contestant.path, requests))
    return { contestant, processes, ...all }
  } finally {
    for (const child of children) child.stop()
  }
}

/** In turns at each process; the first one is where the visitor logs in. */
function urlsAt(origins: readonly string[], route: string, count: number): URL[] {
  return Array.from({ length: count }, (_, at) => new URL(route, origins[at % origins.length]))
}

async function atExpiry(
  provider: TestProvider,
  urls: readonly URL[],
): Promise<Omit<Outcome, 'contestant' | 'processes'>> {
  provider.switches.expiresIn = lifetime
  const cookie = await login(urls[0]!.origin)
  provider.switches.expiresIn = undefined
  await sleep(lifetime * 1000 + 100)

  const presentations = new Presentations(provider)
  const replies = await repliesTo(urls, cookie)
  const { requests: tokenRequests, most: mostPresented } = presentations
  const { withoutToken, withDeadToken } = failures(provider, replies)

  const [next] = await repliesTo(urls.slice(-1), cookiesAfter(cookie, replies))
  const worksOn = provider.accountOf(next?.token ?? '') !== undefined
  return { tokenRequests, mostPresented, withoutToken, withDeadToken, worksOn }
}

function isFine({ contestant, worksOn, ...counts }: Outcome): boolean {
  const failed = counts.withoutToken + counts.withDeadToken
  return !contestant.isOurs || (counts.tokenRequests === 1 && failed === 0 && worksOn)
}

function rowOf(outcome: Outcome): Array<string | number> {
  const { contestant, processes, worksOn, ...counts } = outcome
  const { tokenRequests, mostPresented, withoutToken, withDeadToken } = counts
  const then = worksOn ? 'works on' : 'logged out'
  const times = `${mostPresented} x`
  const verdict = isFine(outcome) ? '' : 'MISSED'
  const failed = [withoutToken, withDeadToken]
  return [contestant.name, processes, tokenRequests, times, ...failed, then, verdict]
}
