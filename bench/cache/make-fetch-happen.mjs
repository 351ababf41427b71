import fetchMaker from 'make-fetch-happen'

/** npm's own, on the disk. */
export async function open({ folder }) {
  const cached = fetchMaker.defaults({ cachePath: `${folder}/cacache` })
  return { get: async (url) => (await cached(url)).json() }
}
