import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { builtProgram } from './built-program.ts'
import type { StampedeReply, StampedeTask } from './cache-stampede-program.ts'
import { StampedeUpstream } from './cache-stampede-upstream.ts'
import type { TokenResult } from './token-result.ts'

/** What becomes of who makes the call that the others wait for. */
export type LeaderFate = 'answered' | 'aborted' | 'killed' | 'stopped'

/** A stampede of processes. */
export interface StampedeOptions {
  /** The store's URL. */
  url: string
  processes: number
  /** Of each process, all at once. */
  calls: number
  fate: LeaderFate
  /** Seconds that the API takes. Default 0.2. */
  takes?: number | undefined
}

/** Calls that were answered with the reply, and those that were not. */
export interface StampedeCounts {
  served: number
  failures: string[]
}

/** How long the process that leads stands still, in milliseconds. */
const stopped = 4_000

/**
 * All processes ask for the same thing that none has, with `collapse: 'store'`: one call of the API,
 * and one more at most where who made it is lost.
 */
export async function tortureStampede(options: StampedeOptions): Promise<TokenResult> {
  const upstream = await StampedeUpstream.start(options.takes ?? 0.2)
  const crowd = await Crowd.start(options)
  try {
    const asked = crowd.ask(upstream.url, options)
    if (options.fate === 'killed' || options.fate === 'stopped') {
      const leader = await upstream.leader
      if (options.fate === 'killed') crowd.signal(leader, 'SIGKILL')
      else {
        crowd.signal(leader, 'SIGSTOP')
        setTimeout(() => crowd.signal(leader, 'SIGCONT'), stopped)
      }
    }
    const counts = await asked
    return judge(options, upstream.calls, counts)
  } finally {
    crowd.kill()
    upstream.close()
  }
}

function judge(
  { processes, calls, fate }: StampedeOptions,
  upstreamCalls: number,
  counts: ReadonlyArray<StampedeCounts | undefined>,
): TokenResult {
  const all = counts.filter((one) => one !== undefined)
  const served = all.reduce((sum, one) => sum + one.served, 0)
  const lost = fate === 'killed' ? calls : fate === 'aborted' ? processes : 0
  const wrong = all.flatMap(({ failures }) => failures)
  const expected = processes * calls - lost
  if (served !== expected) wrong.push(`${served} of ${expected} were served`)
  const most = fate === 'killed' || fate === 'stopped' ? 2 : 1
  if (upstreamCalls > most) wrong.push(`${upstreamCalls} calls of the API`)
  return { figures: { served, 'upstream calls': upstreamCalls }, wrong }
}

class Crowd {
  readonly #children: readonly ChildProcess[]

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children
  }

  static async start({ url, processes }: StampedeOptions): Promise<Crowd> {
    const program = await builtProgram('cache-stampede-program')
    const children = Array.from({ length: processes }, (_, index) =>
      fork(program, [url, String(index)], { execArgv: [] }),
    )
    const crowd = new Crowd(children)
    process.once('exit', crowd.kill)
    await Promise.all(children.map((child) => once(child, 'message')))
    return crowd
  }

  /** What each process tells; `undefined` for one that was killed. */
  ask(
    upstream: string,
    { calls, fate }: StampedeOptions,
  ): Promise<Array<StampedeCounts | undefined>> {
    return Promise.all(
      this.#children.map(async (child) => {
        const gone = once(child, 'exit').then(() => undefined)
        const told = once(child, 'message').then(([counts]) => counts as StampedeReply)
        child.send({ upstream, calls, aborts: fate === 'aborted' } satisfies StampedeTask)
        return Promise.race([told, gone])
      }),
    )
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.#children[index]?.kill(signal)
  }

  readonly kill = (): void => {
    process.off('exit', this.kill)
    for (const child of this.#children) child.kill('SIGKILL')
  }
}
