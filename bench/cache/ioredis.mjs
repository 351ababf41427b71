import { Redis } from 'ioredis'

/** The least that any cache in Redis does. */
export async function open({ store }) {
  const client = new Redis(store)
  const get = async (url) => {
    const found = await client.get(url)
    if (found !== null) return JSON.parse(found)
    const text = await (await fetch(url)).text()
    await client.set(url, text)
    return JSON.parse(text)
  }
  return { get }
}
