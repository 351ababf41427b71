import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'

/** What is asked for. */
export interface Asked {
  method?: string
  headers?: Readonly<Record<string, string>>
  body?: string
}

/** What came back. */
export interface Reply {
  status: number
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: string
}

/** One request as it is given, its path untouched, whoever has signed the certificate. */
export function ask(
  url: string,
  { method = 'GET', headers = {}, body = '' }: Asked = {},
): Promise<Reply> {
  const { origin } = new URL(url)
  const path = url.slice(origin.length)
  const request = origin.startsWith('https:') ? overHttps : overHttp
  return new Promise((resolve, reject) => {
    const sent = request(origin, { method, headers, path, rejectUnauthorized: false }, (reply) => {
      const chunks: Buffer[] = []
      reply.on('data', (chunk: Buffer) => chunks.push(chunk))
      reply.once('error', reject)
      reply.once('end', () => {
        const { statusCode: status = 0 } = reply
        resolve({ status, headers: reply.headers, body: Buffer.concat(chunks).toString() })
      })
    })
    sent.once('error', reject)
    sent.end(body)
  })
}
