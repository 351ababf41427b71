import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parsedUrl } from '../parsed-url.ts'

const maxFormBytes = 65_536
/** The Fetch standard's forbidden methods. */
const unrequestable = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** One header of a Node request, as text. */
export function headerOf(req: IncomingMessage, name: string): string | undefined {
  const value = req.headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}

/** The head of a request, as a web-standard one. */
export function webRequest(req: IncomingMessage, origin: string): Request {
  const headers = Object.entries(req.headersDistinct).flatMap(([name, values = []]) =>
    values.map((value): [string, string] => [name, value]),
  )
  const { originalUrl = req.url ?? '/' } = req as { originalUrl?: string }
  // A request line can name a whole URL (RFC 9112 section 3.2.2), and methods that `Request` refuses.
  const path = originalUrl.startsWith('/')
    ? originalUrl
    : (parsedUrl(originalUrl)?.href.replace(/^[a-z][\w+.-]*:\/*[^/?#]*/i, '') ?? '/')
  const { method = 'GET' } = req
  return new Request(`${origin}${path}`, {
    method: unrequestable.has(method) ? 'GET' : method,
    headers,
  })
}

/** A posted form: what a body parser has made of it, else the body itself, up to 64 KB. */
export async function formOf(req: IncomingMessage & { body?: unknown }): Promise<URLSearchParams> {
  if (typeof req.body === 'object' && req.body !== null) {
    const texts = Object.entries(req.body).filter(([, value]) => typeof value === 'string')
    return new URLSearchParams(texts as Array<[string, string]>)
  }
  if (req.readableEnded) return new URLSearchParams()
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of req as AsyncIterable<Buffer | string>) {
    const bytes = Buffer.from(chunk)
    size += bytes.length
    if (size > maxFormBytes) return new URLSearchParams()
    chunks.push(bytes)
  }
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

/** Writes a `Response` to Node's, with its cookies beside those that are there. */
export async function sendResponse(res: ServerResponse, response: Response): Promise<void> {
  res.statusCode = response.status
  for (const [name, value] of response.headers) {
    if (name !== 'set-cookie') res.setHeader(name, value)
  }
  appendCookies(res, response.headers.getSetCookie())
  if (response.body === null) res.end()
  else await pipeline(Readable.fromWeb(response.body as never), res)
}

/** Adds `Set-Cookie` values to those that others have set. */
export function appendCookies(res: ServerResponse, cookies: readonly string[]): void {
  if (cookies.length === 0) return
  const set = res.getHeader('set-cookie') ?? []
  res.setHeader('set-cookie', [...(Array.isArray(set) ? set : [String(set)]), ...cookies])
}
