import { cachedFetch } from 'behalf/cache'
import { createStore } from 'behalf/stores'

/** As it is published: `npm run build` comes first. */
export async function open({ store }) {
  const cached = cachedFetch(fetch, { store: createStore(store) })
  return { get: async (url) => (await cached(url)).json() }
}
