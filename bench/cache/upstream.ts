import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { reply } from './reply.mjs'

/** An API, and what came there. */
export interface Upstream {
  readonly origin: string
  readonly seen: { calls: number; notModified: number }
  close(): void
}

/**
 * Answers `/2k` and `/64k`, which may be reused for ten minutes, and `/asked`, which has to be asked
 * about each time: JSON with an `ETag`, as APIs send it.
 */
export async function startUpstream(): Promise<Upstream> {
  const seen = { calls: 0, notModified: 0 }
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    seen.calls += 1
    const { headers, body } = reply(request.url ?? '')
    const isKnown = request.headers['if-none-match'] === headers.etag
    if (isKnown) seen.notModified += 1
    response.writeHead(isKnown ? 304 : 200, headers)
    response.end(isKnown ? undefined : body)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { origin: `http://127.0.0.1:${port}`, seen, close }
}
