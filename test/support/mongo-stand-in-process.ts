import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { MongoClient } from 'mongodb'
import { freePort, ServerProcess } from './server-process.ts'

/** A MongoDB to test against; `process` is there where it is the stand-in, which can be killed. */
export interface MongoServer {
  /** With a database of this test run only. */
  url: string
  process: ServerProcess | undefined
  close(): Promise<void>
}

/** The server of `MONGODB_URL`, or the stand-in as a process of its own. */
export async function startMongo(): Promise<MongoServer> {
  const given = process.env['MONGODB_URL']
  if (given === undefined) return startMongoStandInProcess()
  const url = new URL(given)
  url.pathname = `/behalf_${randomBytes(6).toString('hex')}`
  return { url: url.href, process: undefined, close: () => drop(url.href) }
}

async function drop(url: string): Promise<void> {
  const client = new MongoClient(url)
  await client.db().dropDatabase()
  await client.close()
}

/** The stand-in, also where there is a real server: for tests that kill and freeze it. */
export async function startMongoStandInProcess(): Promise<
  MongoServer & { process: ServerProcess }
> {
  const port = await freePort()
  const program = fileURLToPath(new URL('mongo-stand-in-program.ts', import.meta.url))
  const server = await ServerProcess.start({
    command: process.execPath,
    args: ['--import', 'tsx', program, String(port)],
    ready: () => listens(port),
  })
  const url = `mongodb://127.0.0.1:${port}/test`
  return { url, process: server, close: () => server.stop() }
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } finally {
    socket.destroy()
  }
}
