import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a peer can be asked. */
export type PeerQuestion =
  | { ask: 'fill'; key: string; upstream: string }
  /** Through a memory tier. */
  | { ask: 'read'; key: string }
  | { ask: 'write'; key: string; text: string }
  | { ask: 'cooldown'; grantId: string }
  | { ask: 'begin cooldown'; grantId: string; seconds: number }

const program = fileURLToPath(new URL('cache-peer-program.ts', import.meta.url))

/** A process of its own that shares a store with others. */
export class CachePeer {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: { value?: unknown; error?: string }) => void>()
  #asked = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', ({ id, ...answer }: { id: number }) => {
      this.#waiting.get(id)?.(answer)
      this.#waiting.delete(id)
    })
    child.once('exit', () => {
      for (const answer of this.#waiting.values()) answer({ error: 'The peer has ended.' })
    })
  }

  /** `url` is that of the store. */
  static async start(url: string): Promise<CachePeer> {
    const child = fork(program, [url], { execArgv: ['--import', 'tsx'] })
    await once(child, 'message')
    return new CachePeer(child)
  }

  async ask<T>(question: PeerQuestion): Promise<T> {
    const id = (this.#asked += 1)
    const answered = new Promise<{ value?: unknown; error?: string }>((resolve) =>
      this.#waiting.set(id, resolve),
    )
    this.#child.send({ id, ...question })
    const { value, error } = await answered
    if (error !== undefined) throw new Error(error)
    return value as T
  }

  /** SIGKILL. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
