import { cachedFetch } from 'behalf/cache'
import { createStore } from 'behalf/stores'

/** Without a `Response`. */
export async function open({ store }) {
  const cached = cachedFetch(fetch, { store: createStore(store) })
  return { get: (url) => cached.json(url) }
}
