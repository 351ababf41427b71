import { component } from '../components.ts'
import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { type ArenaTimeouts, shortTimeouts, TokenArena } from './token-arena.ts'
import { callAtOnce, type Outcome } from './token-calls.ts'
import type { TokenResult } from './token-result.ts'

/** How much is done. */
export interface ExpiriesOptions {
  /** The store's URL; `memory:` is used by this process alone. */
  url: string
  processes: number
  expiries: number
  /** Of all processes together, for each expiry. */
  calls: number
  /** Default the shortest. */
  timeouts?: ArenaTimeouts | undefined
  /** Seconds by which every other process is ahead. Default 0. */
  clocks?: number | undefined
  /** Is told how many calls were made. */
  progress?: ((calls: number) => void) | undefined
}

/**
 * One access token expires again and again, and all processes ask for it at that moment: each time
 * one refresh serves them all.
 */
export async function tortureExpiries(options: ExpiriesOptions): Promise<TokenResult> {
  const { url, processes, expiries, calls, clocks = 0, progress } = options
  const { timeouts = shortTimeouts } = options
  const user = 'ada'
  const arena = await TokenArena.open(url, [user], timeouts)
  const wrong: string[] = []
  // By a clock that is hours ahead new tokens look expired: whoever has it refreshes them once more.
  const atMost = clocks > 60 ? 2 : 1
  const random = new SeededRandom(`expiries ${url.split(':')[0]}`)
  try {
    const started = url === 'memory:' ? [] : await arena.startAll(processes, clockOf(clocks))
    const ahead = Math.max(0, ...started.map((one) => one.ahead))
    if (Math.abs(ahead - clocks) > 1) wrong.push(`clocks are ${ahead} s apart`)
    const callAll = async (): Promise<Outcome[]> => {
      if (started.length === 0) return [await callAtOnce(arena.app, user, calls)]
      // At once, or so that some come while the others are done.
      const spread = random.pick([0, 0, 0.02, 0.08])
      const each = calls / started.length
      return Promise.all(started.map((one) => one.call(user, each, spread * random.next())))
    }
    for (let round = 0; round < expiries; round += 1) {
      arena.provider.switches.delay = random.pick([0, 0, 0.01, 0.04])
      await arena.expire(user)
      const outcomes = await callAll()
      const tokens = new Set(outcomes.flatMap((outcome) => outcome.tokens))
      const failures = outcomes.flatMap((outcome) => outcome.failures)
      if (failures.length > 0) wrong.push(`expiry ${round}: ${failures.length} x ${failures[0]}`)
      if (tokens.size < 1 || tokens.size > atMost)
        wrong.push(`expiry ${round}: ${tokens.size} different tokens`)
      if (![...tokens].some((token) => arena.isGood(token, user))) {
        wrong.push(`expiry ${round}: a token that is not good`)
      }
      progress?.(calls)
    }
    const { refreshRequests, presentedTwice } = arena.provider.seen
    if (refreshRequests < expiries || refreshRequests > atMost * expiries) {
      wrong.push(`${refreshRequests} refreshes for ${expiries} expiries`)
    }
    if (presentedTwice > 0) wrong.push(`${presentedTwice} presented twice`)
    const figures = { expiries, refreshes: refreshRequests, 'presented twice': presentedTwice }
    return { figures, wrong }
  } finally {
    await arena.close()
  }
}

/** What measures durations is left alone. */
function clockOf(ahead: number): ((index: number) => NodeJS.ProcessEnv) | undefined {
  if (ahead === 0) return undefined
  const LD_PRELOAD = component('libfaketime').path
  const shifted = { LD_PRELOAD, FAKETIME: `+${ahead}s`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
  return (index) => (index % 2 === 0 ? {} : shifted)
}
