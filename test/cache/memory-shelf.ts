import type { RepositoryKey } from '../../src/cache/repositories/repository-key.ts'
import type { Shelf, Shelved } from '../../src/cache/repositories/shelf.ts'

/** A shelf in memory that does what a cache does with headers, and tells what it was asked. */
export function memoryShelf() {
  const items = new Map<string, Shelved>()
  const place = (repository: string, key: RepositoryKey) => JSON.stringify([repository, ...key])
  const finds: number[] = []
  const shelf: Shelf = {
    async find(repository, keys) {
      finds.push(keys.length)
      return keys.map((key) => items.get(place(repository, key)))
    },
    async keep(repository, given) {
      return Promise.all(
        given.map(async ({ key, name, response, ttl }) => {
          const control = response.headers.get('cache-control') ?? ''
          if (control.includes('no-store')) return false
          const bytes = await response.arrayBuffer()
          const { headers } = response
          const storedAt = Date.now()
          items.set(place(repository, key), {
            key,
            name,
            storedAt,
            freshUntil: storedAt + ttl * 1000,
            response: () => new Response(bytes, { headers }),
          })
          return true
        }),
      )
    },
    async forget(repository, keys) {
      return keys.map((key) => items.delete(place(repository, key)))
    },
    async *list(repository) {
      for (const [name, item] of items) {
        if (name.startsWith(`${JSON.stringify([repository]).slice(0, -1)},`)) yield item
      }
    },
  }
  return { shelf, items, finds }
}
