import { once } from 'node:events'
import { type IncomingMessage, request as plainRequest } from 'node:http'
import { request as secureRequest } from 'node:https'
import { text } from 'node:stream/consumers'

/** What a browser sends that opens a page; Node's `fetch` always calls itself one of a script. */
const navigation = {
  accept: 'text/html',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
}

/** Seconds. */
const patience = 10

/** A reply as the browser gets it. */
export interface BrowserReply {
  status: number
  header(name: string): string | undefined
  cookies: readonly string[]
  body: string
}

/** Opens an address as a browser would, without following where it leads; `undefined`: no answer. */
export async function openAsBrowser(url: string): Promise<BrowserReply | undefined> {
  const send = url.startsWith('https:') ? secureRequest : plainRequest
  const signal = AbortSignal.timeout(patience * 1000)
  try {
    const request = send(url, { headers: navigation, signal, agent: false })
    const [reply] = (await once(request.end(), 'response')) as [IncomingMessage]
    const { statusCode: status = 0, headers } = reply
    const header = (name: string) => headers[name]?.toString()
    return { status, header, cookies: headers['set-cookie'] ?? [], body: await text(reply) }
  } catch {
    return undefined
  }
}
