import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { baseUrl } from './express-app.ts'

/** A reply as its bytes say. */
export interface RawReply {
  status: number
  /** By their names in lower case; cookies are in {@link RawReply.setCookies}. */
  headers: Map<string, string>
  setCookies: string[]
  body: string
}

/**
 * Sends a request to an app byte by byte as it is given: neither its path is tidied up nor its
 * method and headers are checked, as clients would do.
 */
export async function sendAsIs(
  app: RequestListener,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): Promise<RawReply> {
  const server = createServer(app).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  try {
    const { port } = server.address() as AddressInfo
    const sent = { host: new URL(baseUrl).host, ...headers, connection: 'close' }
    const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`)
    return parsed(await exchange(port, `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`))
  } finally {
    server.close()
  }
}

/** A server that refuses early may reset the connection behind its reply. */
function exchange(port: number, request: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.once('error', (error) => (chunks.length > 0 ? undefined : reject(error)))
    socket.once('close', () => resolve(Buffer.concat(chunks).toString()))
  })
}

function parsed(reply: string): RawReply {
  const [head = '', ...rest] = reply.split('\r\n\r\n')
  const [statusLine = '', ...lines] = head.split('\r\n')
  const fields = lines.map((line): [string, string] => {
    const at = line.indexOf(':')
    return [line.slice(0, at).toLowerCase(), line.slice(at + 1).trim()]
  })
  return {
    status: Number(statusLine.split(' ')[1]),
    headers: new Map(fields),
    setCookies: fields.filter(([name]) => name === 'set-cookie').map(([, value]) => value),
    body: rest.join('\r\n\r\n'),
  }
}
