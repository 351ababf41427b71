import { once } from 'node:events'
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net'

/** Stands between a client and a server of this host, and breaks what goes through it. */
export class TcpProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #bytesToCut: number | undefined

  private constructor(server: Server) {
    this.#server = server
  }

  static async start(port: number): Promise<TcpProxy> {
    const server = createServer()
    const proxy = new TcpProxy(server)
    server.on('connection', (client) => proxy.#join(client, connect(port, '127.0.0.1')))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Resets every connection there is (TCP RST). */
  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Lets through so many more bytes of replies, and then resets every connection. */
  cutAfter(bytes: number): void {
    this.#bytesToCut = bytes
  }

  async close(): Promise<void> {
    this.resetAll()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(client: Socket, server: Socket): void {
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        server.destroy()
      })
    }
    client.on('data', (data) => server.write(data))
    server.on('data', (data: Buffer) => this.#reply(client, data))
  }

  #reply(client: Socket, data: Buffer): void {
    if (this.#bytesToCut === undefined) return void client.write(data)
    const through = data.subarray(0, this.#bytesToCut)
    this.#bytesToCut -= through.byteLength
    if (through.byteLength === data.byteLength) return void client.write(data)
    this.#bytesToCut = undefined
    client.write(through, () => this.resetAll())
  }
}
