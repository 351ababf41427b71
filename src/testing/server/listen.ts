import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sendReply } from './raw-reply.ts'
import type { RawReply } from './raw-reply.ts'

/** A request that has been read completely. */
export interface ReceivedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A reply with a few words for the log, such as the user's id; never a secret. */
export interface NotedReply extends RawReply {
  note?: string | undefined
}

/** Answers one request; what it throws becomes a 500. */
export type Answer = (request: ReceivedRequest) => NotedReply | Promise<NotedReply>

/** Where a server listens, and who is told of its requests. */
export interface ListenOptions {
  /** Default 0, a free port. */
  port?: number | undefined
  /** Default `127.0.0.1`. */
  host?: string | undefined
  /** Serves https, with this key and certificate in PEM: what runs in production takes nothing else. */
  tls?: { key: string; cert: string } | undefined
  /** Gets one line per request, without query, headers and body. Default none. */
  log?: ((line: string) => void) | undefined
}

/** A server that listens; it answers from `serve` on. */
export interface ListeningServer {
  /** Scheme, host and port, such as `http://127.0.0.1:40123`. */
  readonly origin: string
  serve(answer: Answer): void
  /** Ends open connections too, those that hang included. */
  close(): Promise<void>
}

const maxBodyBytes = 1_048_576

/** Starts an HTTP or HTTPS server on this machine. */
export async function listen(options: ListenOptions = {}): Promise<ListeningServer> {
  const { port = 0, host = '127.0.0.1', tls, log } = options
  const server = tls ? createTlsServer(tls) : createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { port: taken } = server.address() as AddressInfo
  const origin = `${tls ? 'https' : 'http'}://${nameOf(host)}:${taken}`
  return {
    origin,
    serve: (answer) => {
      server.on('request', (request: IncomingMessage, response: ServerResponse) => {
        void respond(answer, request, response, { origin, log })
      })
    },
    close: () => close(server),
  }
}

/** An address that means every interface is none that a browser can go to. */
function nameOf(host: string): string {
  const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return name.includes(':') ? `[${name}]` : name
}

async function respond(
  answer: Answer,
  request: IncomingMessage,
  response: ServerResponse,
  { origin, log }: { origin: string; log: ListenOptions['log'] },
): Promise<void> {
  const { method = 'GET', headers } = request
  let path = ''
  try {
    const body = await readBody(request)
    const url = urlOf(request, origin)
    path = url?.pathname ?? ''
    const read = { method, headers, ...(url && { url }), ...(body !== undefined && { body }) }
    const reply = await replyTo(answer, read)
    log?.(`${method} ${path} ${describe(reply)}`)
    await sendReply(response, reply)
  } catch (error) {
    log?.(`${method} ${path} failed`)
    if (response.headersSent) response.destroy()
    else
      await sendReply(response, { status: 500, body: `The test server failed: ${String(error)}` })
  }
}

function describe({ status = 200, delivery = 'whole', note }: NotedReply): string {
  const words = [delivery === 'whole' ? undefined : delivery, note].filter(Boolean)
  return words.length === 0 ? String(status) : `${status} (${words.join(', ')})`
}

/** A whole URL is a request target too (RFC 9112 section 3.2.2); `*` is none of a resource. */
function urlOf({ url = '' }: IncomingMessage, origin: string): URL | undefined {
  const target = url.startsWith('/') ? `${origin}${url}` : url
  return URL.canParse(target) ? new URL(target) : undefined
}

async function replyTo(
  answer: Answer,
  { url, body, ...request }: Partial<ReceivedRequest> & Pick<ReceivedRequest, 'method' | 'headers'>,
): Promise<NotedReply> {
  if (url === undefined) return { status: 400, body: 'Bad request target' }
  if (body === undefined) return { status: 413, body: 'The body exceeds 1 MiB' }
  return answer({ ...request, url, body })
}

/** `undefined` where it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBodyBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
