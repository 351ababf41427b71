import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'

/** What becomes of something that goes through; `undefined` is not passed on. */
export type Pass = (data: Buffer, to: Socket) => Buffer | undefined

/** Stands between a store and a memcached, and changes what goes through. */
export class MemcachedStandIn {
  /** What the store sends. */
  request: Pass = (data) => data
  /** What the server answers. */
  reply: Pass = (data) => data
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(port: number): Promise<MemcachedStandIn> {
    const server = createServer({ noDelay: true })
    const standIn = new MemcachedStandIn(server)
    server.on('connection', (client) => standIn.#join(client, connect(port, '127.0.0.1')))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return standIn
  }

  get url(): string {
    return `memcached://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** How many connections there are. */
  get connections(): number {
    return this.#sockets.size
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket, server: Socket): void {
    this.#sockets.add(client)
    client.on('close', () => {
      this.#sockets.delete(client)
      server.destroy()
    })
    server.on('close', () => client.destroy())
    for (const socket of [client, server]) socket.on('error', () => {})
    client.on('data', (data: Buffer) => write(server, this.request(data, server)))
    server.on('data', (data: Buffer) => write(client, this.reply(data, client)))
  }
}

function write(socket: Socket, data: Buffer | undefined): void {
  if (data && !socket.destroyed) socket.write(data)
}
