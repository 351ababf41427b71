import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BehalfEvent } from '../../src/index.ts'
import type { Outcome, TokenSettings } from './token-calls.ts'
import type { Mark } from './token-marks.ts'
import type { TokenReply, TokenTask } from './token-program.ts'

/** How a process is started. */
export interface TokenProcessOptions {
  /** The program as JavaScript, see `buildTokenProgram()`. */
  program: string
  settings: TokenSettings
  /** Added to the environment. */
  env?: NodeJS.ProcessEnv | undefined
}

type Answer = (reply: { result: unknown } | { error: string }) => void

/** Calls of a process that asks again and again. */
const atOnce = 2
/** Seconds for which a grant may be unavailable after all is over. */
const patience = 15

/** A process of its own that uses tokens, and can be stopped or killed in the midst of that. */
export class TokenProcess {
  readonly #child: ChildProcess
  readonly #answers = new Map<number, Answer>()
  readonly #ended: Promise<unknown>
  #next = 0
  #atMark: (mark: Mark) => void = () => {}
  #ahead = 0
  /** What it has told, in order. */
  readonly events: BehalfEvent[] = []
  /** What it has written to its output, errors too. */
  output = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#ended = once(child, 'exit').then(() => {
      running.delete(child)
      const error = `A token process has ended: ${child.signalCode ?? child.exitCode}.`
      for (const answer of this.#answers.values()) answer({ error })
      this.#answers.clear()
    })
    child.on('message', (reply: TokenReply) => this.#hear(reply))
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (part: Buffer) => {
        this.output += String(part)
        process.stderr.write(part)
      })
    }
    running.add(child)
  }

  static async start({ program, settings, env }: TokenProcessOptions): Promise<TokenProcess> {
    const child = fork(program, [JSON.stringify(settings)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: ['--disable-warning=BEHALF_SHORT_LEASE'],
    })
    const made = new TokenProcess(child)
    const tooEarly = made.#ended.then(() => {
      throw new Error('A token process ended before it was ready.')
    })
    await Promise.race([once(child, 'message'), tooEarly])
    tooEarly.catch(() => {})
    return made
  }

  /** Seconds that its clock is ahead of ours. */
  get ahead(): number {
    return this.#ahead
  }

  /** Asks for a user's token, as many times at once. */
  call(user: string, calls = 1, wait = 0): Promise<Outcome> {
    return this.#ask<Outcome>({ do: 'call', user, calls, wait, refused: false })
  }

  /** Asks again and again, for so many seconds; tells of all calls together. */
  async callFor(user: string, seconds: number): Promise<{ calls: number; outcome: Outcome }> {
    const until = performance.now() + seconds * 1000
    const outcomes: Outcome[] = []
    while (performance.now() < until) {
      outcomes.push(await this.call(user, atOnce))
      await sleep(25)
    }
    return { calls: outcomes.length * atOnce, outcome: joined(outcomes) }
  }

  /** Asks until it has a token, or is told that only a login helps; gives the last failure else. */
  async lastWord(user: string): Promise<string> {
    const until = performance.now() + patience * 1000
    for (;;) {
      const { tokens, failures } = await this.call(user)
      const words = tokens[0] ?? failures[0] ?? ''
      const isLast = tokens.length > 0 || words.startsWith('reauth_required')
      if (isLast || performance.now() > until) return words
      await sleep(50)
    }
  }

  /** Asks for another token than the one there is, as after an API's 401. */
  callRefused(user: string): Promise<Outcome> {
    return this.#ask<Outcome>({ do: 'call', user, calls: 1, wait: 0, refused: true })
  }

  /** Arms a mark; `reached` resolves when the process is there, about to get the signal. */
  async mark(mark: Mark, signal: 'SIGSTOP' | 'SIGKILL'): Promise<{ reached: Promise<Mark> }> {
    const reached = new Promise<Mark>((resolve) => (this.#atMark = resolve))
    await this.#ask({ do: 'disconnect' })
    await this.#ask({ do: 'mark', mark, signal })
    return { reached }
  }

  /** Takes a mark back that was not reached. */
  async unmark(): Promise<void> {
    await this.#ask({ do: 'mark', mark: undefined, signal: 'SIGSTOP' })
  }

  /** Lets it go on after a SIGSTOP. */
  resume(): void {
    this.#child.kill('SIGCONT')
  }

  /** Resolves when it is no more. */
  get ended(): Promise<unknown> {
    return this.#ended
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.resume()
    this.#child.send({ id: -1, task: { do: 'close' } satisfies TokenTask })
    const tooLong = setTimeout(() => this.#child.kill('SIGKILL'), 8_000)
    await this.#ended
    clearTimeout(tooLong)
  }

  #ask<T>(task: TokenTask): Promise<T> {
    const id = this.#next++
    return new Promise((resolve, reject) => {
      this.#answers.set(id, (reply) => {
        if ('result' in reply) resolve(reply.result as T)
        else reject(new Error(reply.error))
      })
      this.#child.send({ id, task }, (error) => error && this.#answer(id, { error: String(error) }))
    })
  }

  #answer(id: number, reply: Parameters<Answer>[0]): void {
    this.#answers.get(id)?.(reply)
    this.#answers.delete(id)
  }

  #hear(reply: TokenReply): void {
    if ('id' in reply) this.#answer(reply.id, reply)
    else if ('ready' in reply) this.#ahead = (reply.now - Date.now()) / 1000
    else if ('at' in reply) this.#atMark(reply.at)
    else this.events.push(reply.event)
  }
}

/** What several have brought, as one. */
export function joined(outcomes: readonly Outcome[]): Outcome {
  return {
    tokens: [...new Set(outcomes.flatMap(({ tokens }) => tokens))],
    failures: outcomes.flatMap(({ failures }) => failures),
    errors: outcomes.flatMap(({ errors }) => errors),
    slowest: Math.max(0, ...outcomes.map(({ slowest }) => slowest)),
  }
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})
