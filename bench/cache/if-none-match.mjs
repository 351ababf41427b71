/** A condition as it is written by hand. */
export async function open() {
  const known = new Map()
  const get = async (url) => {
    const found = known.get(url)
    const reply = await fetch(url, found && { headers: { 'if-none-match': found.etag } })
    const text = await reply.text()
    if (reply.status === 304) return new Response(found.text).json()
    known.set(url, { text, etag: reply.headers.get('etag') })
    return new Response(text).json()
  }
  return { get }
}
