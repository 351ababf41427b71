import { create } from 'axios'
import { buildMemoryStorage, setupCache } from 'axios-cache-interceptor'

/** axios, its replies kept as copies so that callers may change what they get. */
export async function open() {
  const axios = setupCache(create({ adapter: 'fetch' }), {
    storage: buildMemoryStorage('double'),
    interpretHeader: true,
  })
  return { get: async (url) => (await axios.get(url)).data }
}
