import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const tries = 100
const host = '127.0.0.1'

/** The wanted port, or the next one that nobody listens on; 0 means any. */
export async function freePort(wanted: number): Promise<number> {
  for (let port = wanted; port < wanted + tries; port += 1) {
    try {
      const server = await listening(() => {}, port)
      const { port: found } = server.address() as AddressInfo
      await new Promise((resolve) => server.close(resolve))
      return found
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
  throw new Error(`All ports from ${wanted} to ${wanted + tries - 1} are taken; set PORT.`)
}

/** A server that listens on this machine only. */
export function listening(listener: RequestListener, port: number): Promise<Server> {
  const server = createServer(listener)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => resolve(server))
  })
}
