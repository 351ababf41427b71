import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { ProviderOptions } from '../../src/oauth/provider.ts'
import type { World } from './express-app.ts'

/** A request that came to it. */
export interface SeenRequest {
  /** Number of its connection, from 1. */
  connection: number
  path: string
  authorization: string | undefined
  dpop: string | undefined
}

/** An upstream API that answers as its switch says, byte by byte. */
export class HostileApi {
  readonly seen: SeenRequest[] = []
  /** Writes a reply, or does something worse. */
  answer: (socket: Socket, request: SeenRequest) => void = (socket) =>
    socket.write(reply('200 OK', {}, good))
  readonly #server = createServer((socket) => this.#serve(socket))
  readonly #sockets = new Set<Socket>()
  #connections = 0

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Options of the world's provider, with this as its API; who a user is the world's API still says. */
  behind(
    { spotify, api }: Pick<World, 'spotify' | 'api'>,
    more: ProviderOptions = {},
  ): ProviderOptions {
    return {
      ...spotify,
      apiBaseUrl: `${this.origin}/v1`,
      apiOrigins: [this.origin, api.origin],
      userInfo: `${api.baseUrl}/me`,
      ...more,
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #serve(socket: Socket): void {
    const connection = (this.#connections += 1)
    this.#sockets.add(socket)
    let received = ''
    socket.on('error', () => {})
    socket.once('close', () => this.#sockets.delete(socket))
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1')
      if (!received.includes('\r\n\r\n')) return
      const authorization = /^authorization: (.*)$/im.exec(received)?.[1]?.trim()
      const path = received.split(' ')[1] ?? ''
      const dpop = /^dpop: (.*)$/im.exec(received)?.[1]?.trim()
      const request = { connection, path, authorization, dpop }
      this.seen.push(request)
      received = ''
      this.answer(socket, request)
    })
  }
}

/** The body of an API at which nothing goes wrong. */
export const good = '{"id":"good"}'

/** A reply of HTTP/1.1; its length is told unless the headers tell another one. */
export function reply(status: string, headers: Record<string, string>, body = '{}'): string {
  const all = {
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`
}
