import { fileURLToPath } from 'node:url'
import { freePort, ServerProcess } from './server-process.ts'

/** A DynamoDB to test against; `process` is there where it is dynalite, which can be killed. */
export interface DynamodbServer {
  /** A store's URL. */
  url: string
  process: ServerProcess | undefined
  close(): Promise<void>
}

/** The store's URL in `DYNAMODB_URL`, or dynalite. */
export async function startDynamodb(): Promise<DynamodbServer> {
  const url = process.env['DYNAMODB_URL']
  return url === undefined
    ? startDynaliteProcess()
    : { url, process: undefined, close: async () => {} }
}

/**
 * Starts dynalite, a stand-in for DynamoDB in memory, as a process of its own: **not DynamoDB**. It
 * knows no TTL (`UpdateTimeToLive` is an unknown operation) and no throttling, takes any credentials,
 * and has no type for empty bytes.
 */
export async function startDynaliteProcess(): Promise<DynamodbServer & { process: ServerProcess }> {
  const port = await freePort()
  const endpoint = `http://127.0.0.1:${port}`
  const program = fileURLToPath(new URL('dynalite-program.ts', import.meta.url))
  const server = await ServerProcess.start({
    command: process.execPath,
    args: ['--import', 'tsx', program, String(port)],
    ready: async () => (await fetch(endpoint)).status > 0,
  })
  const query = new URLSearchParams({ endpoint, createTable: 'true' })
  const url = `dynamodb://any:secret@eu-central-1/behalf?${query.toString()}`
  return { url, process: server, close: () => server.stop() }
}
