import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a client process is asked to do. */
export type Task =
  | { kind: 'history'; key: string }
  | { kind: 'mixed'; prefix: string; operations: number }
  | { kind: 'close' }

type Reply = { ready: true } | { progress: number } | { result: unknown } | { error: string }

/** Processes that use one store at the same time. */
export class Fleet {
  readonly #children: readonly ChildProcess[]
  readonly #progress: (operations: number) => void

  private constructor(children: readonly ChildProcess[], progress: (operations: number) => void) {
    this.#children = children
    this.#progress = progress
  }

  /** Starts `size` processes, each with a store of its own from `url`. */
  static async start(
    url: string,
    size: number,
    progress: (operations: number) => void = () => {},
  ): Promise<Fleet> {
    const program = fileURLToPath(new URL('client-process.ts', import.meta.url))
    const children = Array.from({ length: size }, (_, index) =>
      fork(program, [url, `client ${index}`], { execArgv: ['--import', 'tsx'] }),
    )
    await Promise.all(children.map(isReady))
    return new Fleet(children, progress)
  }

  /** Gives every process the task at the same time, and waits for all the results. */
  async all<T>(task: Task): Promise<T[]> {
    return Promise.all(this.#children.map((child) => this.#ask<T>(child, task)))
  }

  async close(): Promise<void> {
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        const ended = once(child, 'exit')
        child.send({ kind: 'close' } satisfies Task)
        const tooLong = setTimeout(() => child.kill('SIGKILL'), 5_000)
        await ended
        clearTimeout(tooLong)
      }),
    )
  }

  #ask<T>(child: ChildProcess, task: Task): Promise<T> {
    return new Promise((resolve, reject) => {
      const onExit = () => reject(new Error('A client process has ended.'))
      const onMessage = (reply: Reply) => {
        if ('progress' in reply) return this.#progress(reply.progress)
        child.off('message', onMessage).off('exit', onExit)
        if ('result' in reply) resolve(reply.result as T)
        else reject(new Error('error' in reply ? reply.error : 'An unexpected reply.'))
      }
      child.on('message', onMessage).once('exit', onExit)
      child.send(task)
    })
  }
}

async function isReady(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(() => {
    throw new Error('A client process ended before it was ready.')
  })
  await Promise.race([once(child, 'message'), ended])
  ended.catch(() => {})
}
