import fetchMaker from 'make-fetch-happen'

/** npm's own, on the disk. */
export async function open({ store }) {
  const cached = fetchMaker.defaults({ cachePath: `${store.slice('file:'.length)}-cacache` })
  return { get: async (url) => (await cached(url)).json() }
}
