// An API that answers after some milliseconds with who has asked for what; see cache-outage.ts.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const takes = 5

const server = createServer((request, response) => {
  const text = `${request.headers.authorization} ${request.url}`
  setTimeout(() => response.end(text), takes)
})
server.keepAliveTimeout = 120_000
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
