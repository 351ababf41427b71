import { LRUCache } from 'lru-cache'
import { memoryStore } from '../../src/stores/memory.ts'
import { sideBySide } from '../side-by-side.ts'
import { keysInTurn, value } from './value.ts'

/** Against an awaited lru-cache that copies what comes in and goes out, as a store has to. */
export async function memory(): Promise<boolean[]> {
  const store = memoryStore()
  const cache = new LRUCache<string, Uint8Array>({
    max: 10_000,
    maxSize: 64 * 2 ** 20,
    sizeCalculation: ({ byteLength }) => byteLength,
  })
  const key = keysInTurn(1_000)
  const pace = { atMost: 1.5, atATime: 1, calls: 100_000 }
  const set = await sideBySide({
    ...pace,
    name: 'memory set',
    bare: async () => cache.set(key(), new Uint8Array(value)),
    ours: () => store.set(key(), value, { ttl: 600 }),
  })
  const get = await sideBySide({
    ...pace,
    name: 'memory get',
    bare: async () => new Uint8Array(cache.get(key())!),
    ours: () => store.get(key()),
  })
  return [get, set]
}
