import { request } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Certificate } from './self-signed.ts'

/** One https address in front of processes that speak http, as in production. */
export interface HttpsFront {
  origin: string
  /** Ports of this machine, asked in turn. */
  readonly ports: number[]
  close(): Promise<void>
}

/** Starts the front on a free port; it passes the Host header on, and says which scheme it was asked by. */
export async function httpsFront(certificate: Certificate): Promise<HttpsFront> {
  const ports: number[] = []
  let turn = 0
  const server = createServer(certificate, (req, res) => {
    const port = ports[turn++ % ports.length]
    const headers = { ...req.headers, 'x-forwarded-proto': 'https' }
    const options = { host: '127.0.0.1', port, path: req.url, method: req.method, headers }
    const passedOn = request(options, (reply) => {
      res.writeHead(reply.statusCode ?? 502, reply.headers)
      reply.pipe(res)
    })
    passedOn.on('error', () => res.headersSent || res.writeHead(502).end())
    res.on('close', () => passedOn.destroy())
    req.pipe(passedOn)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `https://127.0.0.1:${port}`,
    ports,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
