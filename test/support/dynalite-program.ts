import type { Server } from 'node:http'
import { createRequire } from 'node:module'

const dynalite = createRequire(import.meta.url)('dynalite') as (options: object) => Server

const server = dynalite({ createTableMs: 0, deleteTableMs: 0 })
// Node ends an idle connection after five seconds, at times just when the SDK takes it up again;
// DynamoDB itself leaves it open for longer than a test does nothing.
server.keepAliveTimeout = 0
server.listen(Number(process.argv[2]), '127.0.0.1')
