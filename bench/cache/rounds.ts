import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a contestant is asked to do. */
export interface Settings {
  readonly origin: string
  readonly path: string
  /** A URL that was not asked for before, each time. */
  readonly isNew?: boolean
  readonly atATime: number
  /** A store's URL. */
  readonly store: string
  readonly folder: string
}

/** What one contestant took. */
export interface Taken {
  readonly name: string
  /** CPU time a call, in microseconds; of each round. */
  readonly microseconds: number[]
  /** Time a call as its caller waits, in microseconds; of each round. */
  readonly elapsed: number[]
}

/** What a contestant answers to a turn. */
interface Turn {
  readonly calls: number
  readonly microseconds: number
  readonly elapsed: number
}

const rounds = 16
/** Shorter rounds tell of the garbage collector. */
const round = { milliseconds: 300 }
/** Until all that runs is compiled: V8 takes thousands of calls, which a server has behind it soon. */
const warmUp = { milliseconds: 15_000, most: 25_000 }

const program = fileURLToPath(new URL('./contestant.mjs', import.meta.url))

/** One process for each, all in turns; `around` is called with each contestant's rounds. */
export async function inTurns(
  names: readonly string[],
  settings: Settings,
  around: (name: string, turn: () => Promise<number>) => Promise<void> = async (_, turn) =>
    void (await turn()),
): Promise<ReadonlyMap<string, Taken>> {
  const running: Array<{ taken: Taken; child: ChildProcess }> = []
  try {
    for (const name of names) {
      const child = fork(program, [name, JSON.stringify(settings)], { execArgv: [] })
      running.push({ taken: { name, microseconds: [], elapsed: [] }, child })
      await answerOf(child)
    }
    for (const { taken, child } of running) {
      await around(taken.name, async () => (await run(child, warmUp)).calls)
    }
    for (let left = rounds; left > 0; left -= 1) {
      // Who comes after whom, and after itself, is seen in the figures.
      for (const { taken, child } of shuffled(running)) {
        await around(taken.name, async () => {
          const { calls, microseconds, elapsed } = await run(child, round)
          taken.microseconds.push(microseconds / calls)
          taken.elapsed.push(elapsed / calls)
          return calls
        })
      }
    }
  } finally {
    for (const { child } of running) child.disconnect()
  }
  return new Map(running.map(({ taken }) => [taken.name, taken]))
}

function shuffled<T>(all: readonly T[]): T[] {
  const drawn = all.map((one) => ({ one, lot: Math.random() }))
  return drawn.toSorted((a, b) => a.lot - b.lot).map(({ one }) => one)
}

async function run(child: ChildProcess, turn: object): Promise<Turn> {
  child.send(turn)
  return (await answerOf(child)) as Turn
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const settled = new AbortController()
  const { signal } = settled
  const ended = once(child, 'exit', { signal }).then(() => {
    throw new Error('A contestant ended early; what it said is above.')
  })
  ended.catch(() => {})
  try {
    const [answer] = await Promise.race([once(child, 'message', { signal }), ended])
    return answer
  } finally {
    settled.abort()
  }
}

/** Ours to the floor's, of each round; the median. */
export function ratioOf(
  one: Taken,
  floor: Taken,
  of: 'microseconds' | 'elapsed' = 'microseconds',
): { ratio: number; least: number; most: number } {
  const ratios = one[of].map((time, at) => time / floor[of][at]!).toSorted((a, b) => a - b)
  return { ratio: ratios[Math.floor(ratios.length / 2)]!, least: ratios[0]!, most: ratios.at(-1)! }
}
