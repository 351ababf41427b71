import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenArena } from './token-arena.ts'
import type { Outcome } from './token-calls.ts'
import type { Mark } from './token-marks.ts'
import type { TokenProcess } from './token-process.ts'

/** What is done to a process in the midst of a refresh. */
export interface Blow {
  mark: Mark
  /** Seconds that it is stopped for; `undefined` for one that is killed. */
  seconds: number | undefined
  /** Seconds between the blow and the calls of others. */
  later: number
}

/** What came of a blow. */
export interface Aftermath {
  /** It came by the mark. */
  reached: boolean
  /** What the calls were given, those of a killed process left out. */
  outcomes: Outcome[]
  /** Seconds between the presentations of the refresh token in question; one less than there were. */
  gaps: number[]
  presentations: number
  /**
   * In the end: all processes have one good token; all say that a login was lost, with that
   * reason; or anything else.
   */
  end: { is: 'kept' } | { is: 'lost'; reason: string } | { is: 'wrong'; what: string }
  /** The tokens in the store are none that the provider takes, though they look valid. */
  spoiled: boolean
}

/** Calls that each process makes at once. */
const callsAtOnce = 3

/** One user whose tokens are refreshed by a process to which something happens, and by others. */
export class TokenLane {
  readonly #arena: TokenArena
  readonly #user: string
  readonly #others: readonly TokenProcess[]
  #victim: Promise<TokenProcess>

  constructor(arena: TokenArena, user: string, others: readonly TokenProcess[]) {
    this.#arena = arena
    this.#user = user
    this.#others = others
    this.#victim = arena.start()
  }

  /** Lets the token expire, and the process that refreshes it be stopped or killed. */
  async strike(blow: Blow): Promise<Aftermath> {
    const [arena, user] = [this.#arena, this.#user]
    const victim = await this.#victim
    await arena.expire(user)
    const refreshToken = await arena.refreshTokenOf(user)
    arena.presentations.forget(refreshToken)
    const { reached, own } = await this.#begin(victim, blow)
    if (!reached) return this.#report(false, [(await own)!], refreshToken)

    const others = this.#others.map((one) => one.call(user, callsAtOnce, blow.later))
    if (blow.seconds === undefined) {
      await victim.ended
      this.#victim = arena.start()
    } else {
      await sleep(blow.seconds * 1000)
      victim.resume()
    }
    const outcomes = await Promise.all([own, ...others])
    return this.#report(
      true,
      outcomes.flatMap((outcome) => outcome ?? []),
      refreshToken,
    )
  }

  /**
   * Lets a process stand still with tokens that it has not written, until others have taken over and
   * refreshed once more; tells whether what they have is still there when it has gone on.
   */
  async overtake(): Promise<boolean> {
    const [arena, user] = [this.#arena, this.#user]
    const victim = await this.#victim
    await arena.expire(user)
    const { reached, own } = await this.#begin(victim, {
      mark: 'before write',
      seconds: 1,
      later: 0,
    })
    if (!reached) return false
    await Promise.all(this.#others.map((one) => one.lastWord(user)))
    await arena.expire(user)
    await Promise.all(this.#others.map((one) => one.lastWord(user)))
    const newest = await arena.refreshTokenOf(user)
    victim.resume()
    await own
    return (await arena.refreshTokenOf(user)) === newest
  }

  /** Whether its token can be refreshed once more; connects the user anew where it was lost. */
  async goesOn(end: Aftermath['end']): Promise<string | undefined> {
    if (end.is === 'lost') await this.#arena.connect(this.#user)
    await this.#arena.expire(this.#user)
    const words = await this.#others[0]!.lastWord(this.#user)
    return this.#arena.isGood(words, this.#user) ? undefined : `does not go on: ${words}`
  }

  async close(): Promise<void> {
    await (await this.#victim).close()
  }

  /** Resolves when the process is at the mark, or has its tokens without having come by. */
  async #begin(victim: TokenProcess, { mark, seconds }: Blow) {
    const signal = seconds === undefined ? 'SIGKILL' : 'SIGSTOP'
    const atMark = await victim.mark(mark, signal)
    const own = victim.call(this.#user, callsAtOnce).catch((): Outcome | undefined => undefined)
    const reached = await Promise.race([atMark.reached.then(() => true), own.then(() => false)])
    if (!reached) await victim.unmark()
    return { reached, own }
  }

  async #report(reached: boolean, outcomes: Outcome[], refreshToken: string): Promise<Aftermath> {
    const { end, spoiled } = await this.#settled()
    const times = this.#arena.presentations.of(refreshToken)
    const gaps = times.slice(1).map((at, index) => (at - times[index]!) / 1000)
    return { reached, outcomes, gaps, presentations: times.length, end, spoiled }
  }

  /** What all processes say once nobody has to wait any more. */
  async #settled(): Promise<Pick<Aftermath, 'end' | 'spoiled'>> {
    const [arena, user] = [this.#arena, this.#user]
    const processes = [...this.#others, await this.#victim]
    let said = await Promise.all(processes.map((one) => one.lastWord(user)))
    const spoiled = said.some((words) => !words.startsWith('reauth') && !arena.isGood(words, user))
    if (spoiled) {
      // An API would have refused it with a 401.
      await processes[0]!.callRefused(user)
      said = await Promise.all(processes.map((one) => one.lastWord(user)))
    }
    const [one = '', ...rest] = new Set(said)
    if (rest.length > 0) return { spoiled, end: { is: 'wrong', what: [one, ...rest].join(' | ') } }
    const [code, reason = ''] = one.split(' ')
    if (code === 'reauth_required') return { spoiled, end: { is: 'lost', reason } }
    return { spoiled, end: arena.isGood(one, user) ? { is: 'kept' } : { is: 'wrong', what: one } }
  }
}

/** Does something to each of a list, in as many lanes at once. */
export async function inLanes<T>(
  { arena, others }: { arena: TokenArena; others: number },
  tasks: readonly T[],
  work: (lane: TokenLane, task: T, index: number) => Promise<void>,
): Promise<void> {
  const bystanders = await arena.startAll(others)
  let next = 0
  await Promise.all(
    arena.users.map(async (user) => {
      const lane = new TokenLane(arena, user, bystanders)
      for (let index = next++; index < tasks.length; index = next++) {
        await work(lane, tasks[index]!, index)
      }
      await lane.close()
    }),
  )
}
