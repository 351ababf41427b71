import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** How a server is started, and how it is known to be there. */
export interface ServerCommand {
  command: string
  args: readonly string[]
  /** Asked again and again until it gives `true`; a throw counts as not yet. */
  ready(): Promise<boolean>
  /** Seconds to wait for it. Defaults to 20. */
  patience?: number
  cwd?: string
  /** Default: this process's. */
  env?: NodeJS.ProcessEnv
  /** Numeric user to run as, for servers that refuse root. */
  uid?: number
  gid?: number
}

/** A real server as a child process: started, killed, stopped for a while, started again. */
export class ServerProcess {
  readonly #command: ServerCommand
  #child: ChildProcess | undefined
  #output = ''

  private constructor(command: ServerCommand) {
    this.#command = command
  }

  static async start(command: ServerCommand): Promise<ServerProcess> {
    const server = new ServerProcess(command)
    await server.start()
    return server
  }

  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`${this.#command.command} is not running.`)
    return pid
  }

  /** The last of what it has written. */
  get output(): string {
    return this.#output
  }

  /** Starts it (again), with the same command, and waits until it is ready. */
  async start(): Promise<void> {
    const { command, args, cwd, env, uid, gid } = this.#command
    const child = spawn(command, args, { cwd, env, uid, gid, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => (this.#output = (this.#output + data).slice(-4_000)))
    }
    running.add(child)
    child.once('exit', () => running.delete(child))
    await this.#becomeReady(child)
  }

  async #becomeReady(child: ChildProcess): Promise<void> {
    const { command, ready, patience = 20 } = this.#command
    const giveUpAt = performance.now() + patience * 1000
    while (child.exitCode === null && child.signalCode === null) {
      if (await ready().catch(() => false)) return
      if (performance.now() > giveUpAt) {
        child.kill('SIGKILL')
        throw new Error(`${command} was not ready in ${patience} s:\n${this.#output}`)
      }
      await sleep(20)
    }
    throw new Error(`${command} ended (${child.exitCode ?? child.signalCode}):\n${this.#output}`)
  }

  /** SIGKILL: what a crash or a power cut looks like to its clients. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** SIGTERM: an orderly end. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** SIGSTOP: it keeps its connections and answers nothing. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP')
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    // A frozen one hears of an orderly end only once it goes on.
    if (signal !== 'SIGKILL') child.kill('SIGCONT')
    await ended
  }
}

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** A TCP port of 127.0.0.1 that is free at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
