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
  /** A store of its own for each place; connected, which may take longer than a cache waits. */
  open: (place: string) => Promise<Store>
  close: () => Promise<void>
}

/**
 * Memory, SQLite, files and Redis, as far as they are there; to be closed when the tests are done.
 * None waits for the disk: when that stalls, a cache stores nothing, and rightly so.
 */
export async function cacheStoresForTests(): Promise<CacheStoreForTests[]> {
  const folder = mkdtempSync(join(tmpdir(), 'behalf-cache-'))
  const opened: Store[] = []
  const open = async (url: string) => {
    const store = createStore(url)
    opened.push(store)
    await store.get('connect')
    return store
  }
  const closeAll = async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()))
    rmSync(folder, { recursive: true, force: true })
  }
  const stores: CacheStoreForTests[] = [
    { name: 'memory', open: async () => memoryStore(), close: closeAll },
    {
      name: 'sqlite',
      open: (place) => open(`sqlite:${join(folder, place)}.sqlite?fast=true`),
      close: async () => {},
    },
    {
      name: 'file',
      open: (place) => open(`file:${join(folder, place)}?fsync=false`),
      close: async () => {},
    },
  ]
  if (!component('redis-server').present) return stores
  const server = await startRedis()
  // The stores close before their server does.
  const inRedis = (place: string) => open(`${server.url}?namespace=${place.replaceAll('-', '_')}`)
  return [...stores, { name: 'redis', open: inRedis, close: () => server.close() }]
}
