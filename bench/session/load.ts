import { Agent, get as request } from 'node:http'

/** How much, and as whom. */
interface Load {
  cookie: string
  requests: number
  connections: number
}

/** Sends so many requests, and gives the bytes of `Set-Cookie` on each reply. Throws for any but 200. */
export async function get(url: string, load: Load): Promise<{ setCookie: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: load.connections })
  let [left, setCookie] = [load.requests, 0]
  const lane = async () => {
    while (left > 0) {
      left -= 1
      setCookie = await one(url, agent, load.cookie)
    }
  }
  await Promise.all(Array.from({ length: load.connections }, lane))
  agent.destroy()
  return { setCookie }
}

function one(url: string, agent: Agent, cookie: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { agent, headers: { cookie } }, (reply) => {
      reply.resume()
      reply.on('end', () => {
        if (reply.statusCode === 200)
          return resolve((reply.headers['set-cookie'] ?? []).join('').length)
        reject(new Error(`${url} answered ${reply.statusCode}`))
      })
    }).on('error', reject)
  })
}
