import { Agent, get as request } from 'node:http'

/** What a contestant has answered. */
export interface Reply {
  /** `undefined` when the call has failed. */
  token: string | undefined
  /** `name=value` of each cookie that it sets. */
  cookies: readonly string[]
}

/** Asks all of them at the same time as one visitor; gives the replies as they come in. */
export async function repliesTo(urls: readonly URL[], cookie: string): Promise<Reply[]> {
  const agent = new Agent({ maxSockets: urls.length })
  const replies: Reply[] = []
  const ask = async (url: URL) => void replies.push(await replyTo(url, agent, cookie))
  await Promise.all(urls.map(ask))
  agent.destroy()
  return replies
}

/** The cookies that a browser has after these replies. */
export function cookiesAfter(cookie: string, replies: readonly Reply[]): string {
  const jar = new Map<string, string>()
  const all = [...cookie.split('; '), ...replies.flatMap(({ cookies }) => cookies)]
  for (const pair of all) jar.set(pair.slice(0, pair.indexOf('=')), pair)
  return [...jar.values()].join('; ')
}

function replyTo(url: URL, agent: Agent, cookie: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    request(url, { agent, headers: { cookie } }, async (reply) => {
      let body = ''
      for await (const part of reply.setEncoding('utf8')) body += String(part)
      const cookies = (reply.headers['set-cookie'] ?? []).map((text) => text.split(';')[0]!)
      resolve({ token: reply.statusCode === 200 ? tokenIn(body) : undefined, cookies })
    }).on('error', reject)
  })
}

function tokenIn(body: string): string | undefined {
  const { token } = JSON.parse(body) as { token?: string }
  return token
}
