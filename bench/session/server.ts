import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What a contestant is told: where the provider is, and its client there. */
export interface Settings {
  issuer: string
  store: string | undefined
  authorizationEndpoint: string
  tokenEndpoint: string
  clientId: string
  clientSecret: string | undefined
}

/** A contestant in a process of its own. */
export class Server {
  readonly origin: string
  readonly #process: ChildProcess

  static async start(program: string, settings: Settings): Promise<Server> {
    const path = fileURLToPath(new URL('./contestant.mjs', import.meta.url))
    const child = fork(path, [program, JSON.stringify(settings)], { execArgv: [] })
    const port = await Promise.race([once(child, 'message'), once(child, 'exit').then(ended)])
    return new Server(child, port[0] as number)
  }

  private constructor(child: ChildProcess, port: number) {
    this.#process = child
    this.origin = `http://127.0.0.1:${port}`
  }

  /** The CPU time it has used so far, in microseconds. */
  async cpu(): Promise<number> {
    this.#process.send('cpu')
    const [used] = (await once(this.#process, 'message')) as [number]
    return used
  }

  stop(): void {
    this.#process.kill()
  }
}

function ended(): never {
  throw new Error('A contestant ended before it listened; what it said is above.')
}
