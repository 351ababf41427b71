import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An API that takes its time, counts its calls, and tells who made the first one. */
export class StampedeUpstream {
  readonly url: string
  readonly #server: Server
  /** The number of the process that called first. */
  readonly leader: Promise<number>
  #calls = 0

  private constructor(server: Server, seconds: number) {
    this.#server = server
    const { port } = server.address() as AddressInfo
    this.url = `http://127.0.0.1:${port}/v1/thing`
    this.leader = new Promise((resolve) => {
      server.on('request', (request, response) => {
        this.#calls += 1
        resolve(Number(request.headers['x-process']))
        setTimeout(() => response.end(`the thing ${'.'.repeat(2_000)}`), seconds * 1000)
      })
    })
  }

  static async start(seconds: number): Promise<StampedeUpstream> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new StampedeUpstream(server, seconds)
  }

  get calls(): number {
    return this.#calls
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}
