import { longerTimeouts, TokenArena } from './token-arena.ts'
import { joined } from './token-process.ts'
import type { TokenResult } from './token-result.ts'

/** How much is done. */
export interface SlowOptions {
  url: string
  processes: number
  /** Seconds for which the token endpoint is slow. */
  seconds: number
  manner: 'strict' | 'grace window'
}

const user = 'ada'
const timeouts = longerTimeouts
/** Seconds that a reply takes: longer than a lease. */
const delay = 2 * timeouts.lease

/** A token endpoint that answers when the lease is over: nobody waits for it, and nobody hurries it. */
export async function tortureSlow(options: SlowOptions): Promise<TokenResult> {
  const { url, processes, seconds, manner } = options
  const arena = await TokenArena.open(url, [user], timeouts)
  const { switches } = arena.provider
  if (manner === 'grace window') switches.graceWindow = 600
  const wrong: string[] = []
  try {
    const started = await arena.startAll(processes)
    switches.delay = delay
    await arena.expire(user)
    const refreshToken = await arena.refreshTokenOf(user)
    const calling = await Promise.all(started.map((one) => one.callFor(user, seconds)))
    const { failures, slowest } = joined(calling.map(({ outcome }) => outcome))
    if (slowest > delay) wrong.push(`a call waited for ${slowest} s`)
    const others = failures.filter((words) => !words.startsWith('provider_unavailable'))
    if (others.length > 0) wrong.push(`${others.length} x ${others[0]}`)
    const times = arena.presentations.of(refreshToken)
    const closest = closestOf(times)
    if (closest < timeouts.lease) wrong.push(`two presentations within ${closest} s`)
    if (times.length < 2) wrong.push(`presented ${times.length} times`)

    switches.delay = 0
    const last = await Promise.all(started.map((one) => one.lastWord(user)))
    const isRight = (words: string) =>
      manner === 'strict' ? words === 'reauth_required rotation-lost' : arena.isGood(words, user)
    if (new Set(last).size !== 1) wrong.push(`different ends: ${last.join(' | ')}`)
    else if (!isRight(last[0]!)) wrong.push(`in the end: ${last[0]}`)
    const figures = {
      presentations: times.length,
      'ms between two': Math.round(closest * 1000),
      'calls that were told to come back': failures.length,
    }
    return { figures, wrong }
  } finally {
    await arena.close()
  }
}

function closestOf(times: readonly number[]): number {
  return Math.min(...times.slice(1).map((at, index) => (at - times[index]!) / 1000))
}
