import type { RawReply } from '../../src/testing/index.ts'
import { type ArenaTimeouts, TokenArena } from './token-arena.ts'
import { joined, type TokenProcess } from './token-process.ts'
import type { TokenResult } from './token-result.ts'

/** How much is done. */
export interface DownOptions {
  url: string
  processes: number
  /** Seconds for which the token endpoint is down; five minutes of the usual time-outs are 9 s. */
  seconds: number
  how: 'answers 503' | 'hangs'
}

const user = 'ada'
const timeouts: ArenaTimeouts = { token: 0.3, lease: 0.8 }

const refusals: Readonly<Record<DownOptions['how'], RawReply>> = {
  'answers 503': {
    status: 503,
    headers: { 'content-type': 'application/json' },
    body: '{"error":"invalid_grant"}',
  },
  hangs: { delivery: 'never' },
}

/** The token endpoint is down while all processes ask for a token that is due, and then expires. */
export async function tortureDown(options: DownOptions): Promise<TokenResult> {
  const { url, processes, seconds, how } = options
  const arena = await TokenArena.open(url, [user], timeouts)
  const wrong: string[] = []
  try {
    const started = await arena.startAll(processes)
    const refreshToken = await arena.refreshTokenOf(user)
    arena.refusal = refusals[how]
    // Due all the time, and good beyond it.
    await arena.age(user, 40)
    const whileGood = await callFor(started, seconds - 3)
    for (const words of new Set(whileGood.failures)) wrong.push(`with a good token: ${words}`)
    // So near its end that callers wait for another, and go on with it when none comes.
    await arena.age(user, 4.5)
    const agedAt = performance.now()
    const atItsEnd = await callFor(started, 1)
    const wasGood = performance.now() - agedAt < 4_000
    for (const words of new Set(wasGood ? atItsEnd.failures : [])) {
      wrong.push(`with a token that is about to expire: ${words}`)
    }
    await arena.expire(user)
    const thereafter = await callFor(started, 1)
    const others = thereafter.failures.filter((words) => !words.startsWith('provider_unavailable'))
    for (const words of new Set(others)) wrong.push(`with an expired token: ${words}`)
    const times = arena.presentations.of(refreshToken)
    wrong.push(...hurried(times))

    arena.refusal = undefined
    const last = await Promise.all(started.map((one) => one.lastWord(user)))
    if (new Set(last).size !== 1 || !arena.isGood(last[0], user)) {
      wrong.push(`in the end: ${[...new Set(last)].join(' | ')}`)
    }
    const figures = {
      attempts: times.length,
      'calls with a good token': whileGood.calls + atItsEnd.calls,
      'calls with an expired one': thereafter.calls,
    }
    if (times.length < 3) wrong.push(`only ${times.length} attempts`)
    return { figures, wrong }
  } finally {
    await arena.close()
  }
}

/** Attempts that came before the back-off allows: half a time-out, doubling up to six. */
function hurried(times: readonly number[]): string[] {
  return times.slice(1).flatMap((at, index) => {
    const gap = (at - times[index]!) / 1000
    const least = 0.8 * Math.min(timeouts.token * 0.5 * 2 ** index, timeouts.token * 6)
    return gap < least ? [`attempt ${index + 2} came ${gap} s after the one before it`] : []
  })
}

/** All processes ask again and again. */
async function callFor(processes: readonly TokenProcess[], seconds: number) {
  const calling = await Promise.all(processes.map((one) => one.callFor(user, seconds)))
  const { failures } = joined(calling.map(({ outcome }) => outcome))
  return { failures, calls: calling.reduce((sum, { calls }) => sum + calls, 0) }
}
