import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStore } from '../../src/stores/create-store.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { component } from '../components.ts'
import { startRedis } from '../support/redis-servers.ts'

/** A backend that the cache's tests run on. */
export interface CacheStoreForTests {
  name: string
  /** A store of its own for each place. */
  make: (place: string) => Store
  close: () => Promise<void>
}

/** Memory, SQLite, files and Redis, as far as they are there; to be closed when the tests are done. */
export async function cacheStoresForTests(): Promise<CacheStoreForTests[]> {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-cache-'))
  const opened: Store[] = []
  const open = (url: string) => {
    const store = createStore(url)
    opened.push(store)
    return store
  }
  const closeAll = async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()))
    rmSync(folder, { recursive: true, force: true })
  }
  const stores: CacheStoreForTests[] = [
    { name: 'memory', make: () => memoryStore(), close: closeAll },
    {
      name: 'sqlite',
      make: (place) => open(`sqlite:${join(folder, place)}.sqlite`),
      close: async () => {},
    },
    { name: 'file', make: (place) => open(`file:${join(folder, place)}`), close: async () => {} },
  ]
  if (!component('redis-server').present) return stores
  const server = await startRedis()
  let database = 0
  const make = () => open(`${server.url}/${database++}`)
  // The stores close before their server does.
  return [...stores, { name: 'redis', make, close: () => server.close() }]
}
