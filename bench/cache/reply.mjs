import { createHash } from 'node:crypto'

/** JSON of so many bytes, as a list of an API is; `of` makes it another one. */
export function json(bytes, of = '') {
  const items = []
  let text = ''
  for (let id = 1; text.length < bytes; id += 1) {
    const uri = `spotify:track:4uLU6hMCjMI75M1A2tKUQC${id}`
    items.push({ id, uri, name: `Number ${id} ${of}`, popularity: 1 / id, explicit: false })
    text = JSON.stringify({ href: `https://api.example.com/v1/tracks?of=${of}`, items })
  }
  return text
}

const bodies = new Map([
  ['/2k', json(2_048)],
  ['/64k', json(65_536)],
  ['/asked', json(2_048)],
])

/** What the API answers at a path. */
export function reply(path) {
  const [name] = path.split('?')
  const body = bodies.get(name)
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': name === '/asked' ? 'max-age=0, must-revalidate' : 'max-age=600',
    etag: `"${createHash('sha1').update(body).digest('hex')}"`,
    'x-request-id': '6f1c0f6e-5a35-4e5e-9f0b-3c1f2d0a9b77',
  }
  return { headers, body }
}
