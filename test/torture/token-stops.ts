import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { type ArenaTimeouts, longerTimeouts, shortTimeouts, TokenArena } from './token-arena.ts'
import { type Aftermath, type Blow, inLanes, TokenLane } from './token-lane.ts'
import type { Mark } from './token-marks.ts'
import type { TokenResult } from './token-result.ts'

/** What a provider does with refresh tokens that come once more. */
export type ProviderManner = 'strict' | 'grace window' | 'no rotation' | 'no revocation'

/** How much is done. */
export interface StopsOptions {
  url: string
  /** How often a process is stopped. */
  stops: number
  /** Users whose processes are stopped at the same time. Default 4. */
  lanes?: number | undefined
  /** Default `strict`: each refresh token is good once, and one that comes back ends its grant. */
  manner?: ProviderManner | undefined
  /** Default the shortest that do. */
  timeouts?: ArenaTimeouts | undefined
  /** How many leases the longest stop may last. Default 10. */
  longest?: number | undefined
  progress?: ((stops: number) => void) | undefined
}

/** A holder of a lease has not sent anything yet at these. */
const beforeSending: readonly Mark[] = [
  'before take',
  'after take',
  'before check',
  'after check',
  'started',
  'created',
  'connected',
]

/** From here on it may have. `sending` is after the last check and before the first byte. */
const afterSending: readonly Mark[] = ['sending', 'sent', 'reply', 'before write', 'after write']

/** A process is stopped before it sends, for a tenth of a lease to ten: nothing comes of it. */
export async function tortureStopped(options: StopsOptions): Promise<TokenResult> {
  const figures = { stops: 0, 'presented twice': 0, 'longest wait, ms': 0 }
  const wrong = await strikeAll(options, beforeSending, (_blow, { reached, ...aftermath }) => {
    const { outcomes, end, presentations } = aftermath
    figures.stops += reached ? 1 : 0
    figures['presented twice'] += presentations > 1 ? 1 : 0
    const slowest = Math.max(...outcomes.map((outcome) => outcome.slowest))
    figures['longest wait, ms'] = Math.max(figures['longest wait, ms'], Math.round(slowest * 1000))
    const failures = outcomes.flatMap((outcome) => outcome.failures)
    const tokens = new Set(outcomes.flatMap((outcome) => outcome.tokens))
    return [
      presentations !== 1 && `presented ${presentations} times`,
      failures.length > 0 && `${failures.length} x ${failures[0]}`,
      tokens.size !== 1 && `${tokens.size} different tokens`,
      end.is !== 'kept' && inWords(end),
    ]
  })
  return { figures, wrong }
}

/** A process is stopped after it has sent: at most once more, and told apart where that costs a login. */
export async function tortureLost(options: StopsOptions): Promise<TokenResult> {
  const { manner = 'strict', timeouts = longerTimeouts } = options
  const figures = { stops: 0, 'presented once more': 0, lost: 0, 'told late': 0 }
  const wrong = await strikeAll({ timeouts, ...options }, afterSending, (blow, aftermath) => {
    const { reached, end, presentations, gaps, spoiled } = aftermath
    figures.stops += reached ? 1 : 0
    figures['presented once more'] += presentations > 1 ? 1 : 0
    figures.lost += end.is === 'lost' ? 1 : 0
    figures['told late'] += spoiled ? 1 : 0
    return [
      presentations > 2 && `presented ${presentations} times`,
      blow.mark !== 'sending' &&
        gaps.some((gap) => gap < timeouts.lease) &&
        `after ${gaps.join(', ')} s`,
      end.is === 'wrong' && inWords(end),
      end.is === 'lost' && manner !== 'strict' && inWords(end),
      // Where what was sent late found no answer, nobody knows why others' tokens are revoked.
      end.is === 'lost' && end.reason !== 'rotation-lost' && !spoiled && inWords(end),
      end.is === 'lost' && presentations < 2 && 'lost, though presented once',
    ]
  })
  return { figures, wrong }
}

/**
 * Tokens that are written late: by a process that stood still until others were refused what it had
 * spent (the provider revokes nothing), and by one that others have overtaken.
 */
export async function tortureLate(options: StopsOptions): Promise<TokenResult> {
  const { timeouts = longerTimeouts, progress } = options
  const figures = { stops: 0, 'presented once more': 0 }
  const strict = { ...options, timeouts, manner: 'no revocation' } as const
  // Others were refused a moment ago, and doubt it.
  const moment = (random: SeededRandom) => timeouts.lease + 0.15 + 0.2 * random.next()
  const wrong = await strikeAll(
    { ...strict, stops: Math.ceil(options.stops / 2) },
    ['before write'],
    (_blow, { reached, outcomes, end, presentations }) => {
      figures.stops += reached ? 1 : 0
      figures['presented once more'] += presentations > 1 ? 1 : 0
      const failures = outcomes.flatMap((outcome) => outcome.failures)
      return [
        failures.length > 0 && `${failures.length} x ${failures[0]}`,
        end.is !== 'kept' && inWords(end),
      ]
    },
    moment,
  )
  const arena = await openArena({ ...options, timeouts, manner: 'grace window' })
  const others = await arena.startAll(2)
  const lane = new TokenLane(arena, arena.users[0]!, others)
  try {
    for (let index = 0; index < Math.floor(options.stops / 2); index += 1) {
      if (!(await lane.overtake()))
        wrong.push(`${index}: older tokens took the place of newer ones`)
      figures.stops += 1
      progress?.(1)
    }
  } finally {
    await lane.close()
    await arena.close()
  }
  return { figures, wrong }
}

/** Stops processes at all the marks in turn; gives what `judge` finds wrong. */
async function strikeAll(
  options: StopsOptions,
  marks: readonly Mark[],
  judge: (blow: Blow, aftermath: Aftermath) => Array<string | false>,
  lasting?: (random: SeededRandom) => number,
): Promise<string[]> {
  const { timeouts = shortTimeouts, longest = 10, stops, progress } = options
  const arena = await openArena(options)
  const random = new SeededRandom(`stops ${options.manner}`)
  const blows = Array.from({ length: stops }, (_, index): Blow => {
    // From a tenth of a lease on, evenly on a logarithmic scale.
    const usual = 0.1 * timeouts.lease * (10 * longest) ** random.next()
    const later = lasting ? 0 : random.pick([0, 0, 0.1, 0.5]) * random.next()
    return { mark: marks[index % marks.length]!, seconds: lasting?.(random) ?? usual, later }
  })
  const wrong: string[] = []
  try {
    await inLanes({ arena, others: 2 }, blows, async (lane, blow, index) => {
      const aftermath = await lane.strike(blow)
      const goesOn = await lane.goesOn(aftermath.end)
      const about = `${index}, ${blow.mark} for ${blow.seconds?.toFixed(2)} s`
      for (const what of [...judge(blow, aftermath), goesOn]) {
        if (what) wrong.push(`${about}: ${what}`)
      }
      progress?.(1)
    })
    return wrong
  } finally {
    await arena.close()
  }
}

async function openArena(options: StopsOptions): Promise<TokenArena> {
  const { url, lanes = 4, manner = 'strict', timeouts = shortTimeouts } = options
  const users = Array.from({ length: lanes }, (_, index) => `user-${index}`)
  const arena = await TokenArena.open(url, users, timeouts)
  const { switches } = arena.provider
  if (manner === 'grace window') switches.graceWindow = 60
  if (manner === 'no rotation') switches.rotate = false
  if (manner === 'no revocation') switches.familyRevocation = false
  return arena
}

function inWords(end: Aftermath['end']): string {
  if (end.is === 'lost') return `the grant was lost (${end.reason})`
  return end.is === 'wrong' ? end.what : end.is
}
