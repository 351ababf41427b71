import { Agent, interceptors, request } from 'undici'

/** undici's `request`, which gives no `Response`, behind its own cache, in memory. */
export async function open() {
  const dispatcher = new Agent().compose(interceptors.cache({ type: 'private' }))
  return { get: async (url) => (await request(url, { dispatcher })).body.json() }
}
