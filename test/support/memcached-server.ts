import { once } from 'node:events'
import { connect } from 'node:net'
import { component } from '../components.ts'
import { ServerProcess, freePort } from './server-process.ts'

/** A memcached of the tests' own. */
export class MemcachedServer {
  readonly port: number
  readonly process: ServerProcess

  private constructor(process: ServerProcess, port: number) {
    this.process = process
    this.port = port
  }

  /** `options` of memcached beside those for the address. */
  static async start(options: readonly string[]): Promise<MemcachedServer> {
    const port = await freePort()
    const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
    const server = await ServerProcess.start({
      command: component('memcached').path,
      args: [...user, '-l', '127.0.0.1', '-p', String(port), '-m', '256', ...options],
      ready: async () => (await talk(port, 'version\r\n', /\r\n$/)).startsWith('VERSION'),
    })
    return new MemcachedServer(server, port)
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  get url(): string {
    return `memcached://${this.address}`
  }

  /** Sends commands on a connection of its own and gives the answer, which ends as told. */
  ask(commands: string | Buffer, end = /\r\n$/): Promise<string> {
    return talk(this.port, commands, end)
  }

  async close(): Promise<void> {
    await this.process.kill()
  }
}

/** Starts a memcached on a free port. */
export function startMemcached(options: readonly string[] = []): Promise<MemcachedServer> {
  return MemcachedServer.start(options)
}

async function talk(port: number, commands: string | Buffer, end: RegExp): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.setEncoding('latin1').setTimeout(2000, () => socket.destroy(new Error('no answer')))
  let answer = ''
  socket.on('data', (data: string) => {
    answer += data
    if (end.test(answer)) socket.end()
  })
  socket.write(commands)
  await once(socket, 'close')
  return answer
}
