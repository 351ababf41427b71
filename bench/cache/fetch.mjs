/** No cache. */
export async function open() {
  return { get: async (url) => (await fetch(url)).json() }
}
