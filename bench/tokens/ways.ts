import type { TestProvider } from '../../src/testing/index.ts'
import type { RunningRedis } from '../../test/support/redis-servers.ts'
import { Child } from './child.ts'
import { failures } from './failures.ts'
import { definitionOfOnce, Presentations } from './presentations.ts'
import { printTable } from './table.ts'

const processes = 4
const expiries = 50
/** In each process, at each expiry. */
const calls = 50
/** Seconds that the provider takes for a token reply. */
const delay = 0.1

const contestants: readonly Contestant[] = [
  { name: 'behalf', way: 'behalf', isOurs: true },
  { name: 'openid-client alone', way: 'alone' },
  { name: 'single flight in each process', way: 'single-flight' },
  { name: 'single flight + Redis lock, without re-read', way: 'lock' },
]

/**
 * The usual ways of keeping one user's tokens valid in several processes: what each does to the
 * token endpoint, and to the user. Gives whether ours refreshes once at each expiry, fails nobody
 * and logs nobody out.
 */
export async function ways(provider: TestProvider, redis: RunningRedis): Promise<boolean> {
  provider.switches.delay = delay
  const outcomes: Outcome[] = []
  for (const contestant of contestants) {
    const counts = await play(contestant.way, provider, redis.url)
    outcomes.push({ contestant, ...counts })
    process.stderr.write(`\r${outcomes.length} of ${contestants.length} ways `)
  }
  process.stderr.write('\r\n')
  console.log(
    `${expiries} expiries, ${processes} processes x ${calls} calls at each; ` +
      `a token reply takes ${delay * 1000} ms`,
  )
  printTable([
    ['', 'token requests', 'presented again', 'no token', 'a dead one', 'logged out', ''],
    ...outcomes.map(rowOf),
  ])
  console.log(legend)
  return outcomes.every(isFine)
}

interface Counts {
  tokenRequests: number
  presentedAgain: number
  withoutToken: number
  withDeadToken: number
  logouts: number
}

const legend = `"presented again": refresh tokens that were presented more than once. "no token": calls, of
${processes * calls * expiries}, that got none. "a dead one": calls that got one which the provider takes no longer when all
have their answer. "logged out": expiries after which the user had to log in.
${definitionOfOnce}`

interface Contestant {
  name: string
  way: string
  /** It has to meet the bar. */
  isOurs?: boolean
}

type Outcome = Counts & { contestant: Contestant }

async function play(way: string, provider: TestProvider, store: string): Promise<Counts> {
  const program = new URL('./ways/process.mjs', import.meta.url)
  const settings = { way, store, ...provider.overrides }
  const children: Child[] = []
  try {
    while (children.length < processes) children.push(await Child.start(program, settings))
    return await throughExpiries(provider, children)
  } finally {
    for (const child of children) child.stop()
  }
}

async function throughExpiries(
  provider: TestProvider,
  children: readonly Child[],
): Promise<Counts> {
  const presentations = new Presentations(provider)
  const first = children[0]!
  const logIn = () => first.ask({ ask: 'logIn', tokens: provider.issueTokens({ user: 'ada' }) })
  const counts = { withoutToken: 0, withDeadToken: 0, logouts: 0 }
  await logIn()
  for (let expiry = 0; expiry < expiries; expiry += 1) {
    await first.ask({ ask: 'expire' })
    const asked = children.map((child) => child.ask<Call[]>({ ask: 'call', calls }))
    const { withoutToken, withDeadToken } = failures(provider, (await Promise.all(asked)).flat())
    counts.withoutToken += withoutToken
    counts.withDeadToken += withDeadToken

    const next = await first.ask<Call[]>({ ask: 'call', calls: 1 })
    if (failures(provider, next).withDeadToken + failures(provider, next).withoutToken === 0)
      continue
    counts.logouts += 1
    await logIn()
  }
  const { requests: tokenRequests, repeated: presentedAgain } = presentations
  return { ...counts, tokenRequests, presentedAgain }
}

interface Call {
  token?: string
}

function isFine({ contestant, ...counts }: Outcome): boolean {
  const { tokenRequests, presentedAgain, withoutToken, withDeadToken, logouts } = counts
  const wrong = presentedAgain + withoutToken + withDeadToken + logouts
  return !contestant.isOurs || (tokenRequests === expiries && wrong === 0)
}

function rowOf(outcome: Outcome): Array<string | number> {
  const { contestant, tokenRequests, presentedAgain, withoutToken, withDeadToken, logouts } =
    outcome
  const failed = [withoutToken, withDeadToken]
  const verdict = isFine(outcome) ? '' : 'MISSED'
  return [contestant.name, tokenRequests, presentedAgain, ...failed, logouts, verdict]
}
