import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { longerTimeouts, TokenArena } from './token-arena.ts'
import { type Blow, inLanes } from './token-lane.ts'
import { type Mark, storeMarks } from './token-marks.ts'
import type { TokenResult } from './token-result.ts'

/** How much is done. */
export interface KillsOptions {
  url: string
  /** How often a process is killed at each mark. */
  kills: number
  /** Default all of them. */
  marks?: readonly Mark[] | undefined
  /** Gives a refresh token's successor once more, so that nothing can be lost. Default `false`. */
  graceWindow?: boolean | undefined
  /** Users whose processes are killed at the same time. Default 4. */
  lanes?: number | undefined
  progress?: ((kills: number) => void) | undefined
}

const request: readonly Mark[] = ['started', 'created', 'connected', 'sending', 'sent', 'reply']

/** All of them: around each operation on the store, in the midst of each write, around the request. */
export const killMarks: readonly Mark[] = [...storeMarks, ...request]

/** What was sent and not kept: only here a login may be lost. */
export const losing: ReadonlySet<Mark> = new Set([
  'sent',
  'reply',
  'before write',
  'during write',
] satisfies Mark[])

/** Processes are killed at marked points of a refresh; others look what became of the grant. */
export async function tortureKills(options: KillsOptions): Promise<TokenResult> {
  const { url, kills, marks = killMarks, graceWindow = false, lanes = 4, progress } = options
  const users = Array.from({ length: lanes }, (_, index) => `user-${index}`)
  const arena = await TokenArena.open(url, users, longerTimeouts)
  if (graceWindow) arena.provider.switches.graceWindow = 60
  const random = new SeededRandom('kills')
  const blows = Array.from({ length: kills * marks.length }, (_, index): Blow => {
    const later = random.pick([0, 0, 0.1, 0.5]) * random.next()
    return { mark: marks[index % marks.length]!, seconds: undefined, later }
  })
  const wrong: string[] = []
  const figures = { kills: 0, lost: 0, 'presented once more': 0 }
  try {
    await inLanes({ arena, others: 2 }, blows, async (lane, { mark, ...blow }, index) => {
      const { reached, end, presentations } = await lane.strike({ mark, ...blow })
      figures.kills += reached ? 1 : 0
      figures.lost += end.is === 'lost' ? 1 : 0
      figures['presented once more'] += presentations > 1 ? 1 : 0
      const mayBeLost = losing.has(mark) && !graceWindow
      const whatIsWrong = [
        !reached && 'the mark was not reached',
        presentations > (losing.has(mark) ? 2 : 1) && `presented ${presentations} times`,
        end.is === 'lost' && !mayBeLost && `the grant was lost (${end.reason})`,
        end.is === 'lost' && end.reason !== 'rotation-lost' && `told as ${end.reason}`,
        end.is === 'wrong' && end.what,
        await lane.goesOn(end),
      ]
      for (const what of whatIsWrong) if (what) wrong.push(`${index}, ${mark}: ${what}`)
      progress?.(1)
    })
    return { figures, wrong }
  } finally {
    await arena.close()
  }
}
