import { join } from 'node:path'
import { cachedFetch, type CachedFetchOptions } from '../../src/cache/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import type { BenchPlace } from '../cache.ts'
import { sideBySide } from '../side-by-side.ts'
import { reply } from './reply.mjs'

const sizes = { few: 1_000, many: 1_000_000 }
/** So many of them are asked for, in turns. */
const hot = 500
const filling = Buffer.alloc(64, 'x')
const atMost = 1.1
const slack = 1.3

/** A hit beside a million entries, to one beside a thousand. */
export async function many({ folder }: BenchPlace): Promise<boolean> {
  const memory = (entries: number) => memoryStore({ maxBytes: 2 ** 30, maxEntries: entries * 2 })
  const onDisk = (entries: number) => sqliteStore(join(folder, `${entries}.sqlite`))
  const inMemory = [memory(sizes.few), memory(sizes.many)] as const
  const inSqlite = [onDisk(sizes.few), onDisk(sizes.many)] as const
  for (const [few, lots] of [inMemory, inSqlite]) {
    await fill(few, sizes.few)
    await fill(lots, sizes.many)
  }
  const met = [
    await compared('memory', inMemory, {}, 20_000),
    await compared('SQLite', inSqlite, {}, 2_000),
    await compared('a memory tier before SQLite', inSqlite, { memory: {} }, 20_000),
  ]
  for (const store of inSqlite) await store.close()
  return met.every(Boolean)
}

async function fill(store: Store, entries: number): Promise<void> {
  const atATime = 1_000
  for (let at = 0; at < entries; at += atATime) {
    const some = Array.from(
      { length: atATime },
      (_, index) => `behalf:response:filling:${at + index}`,
    )
    await store.setMany!(
      some.map((key) => [key, filling]),
      { ttl: 3_600 },
    )
  }
}

async function compared(
  name: string,
  [few, lots]: readonly [Store, Store],
  options: CachedFetchOptions,
  calls: number,
): Promise<boolean> {
  const [bare, ours] = await Promise.all([few, lots].map((store) => hits({ ...options, store })))
  return sideBySide({
    name: `hit beside 1,000,000 entries, ${name}`,
    bare: bare!,
    ours: ours!,
    atMost,
    slack,
    atATime: 1,
    calls,
  })
}

async function hits(options: CachedFetchOptions): Promise<() => Promise<unknown>> {
  const { headers, body } = reply('/2k')
  const cached = cachedFetch(async () => new Response(body, { headers }), options)
  const urls = Array.from({ length: hot }, (_, index) => `https://api.example.com/v1/${index}`)
  for (const url of urls) await cached.json(url)
  let at = 0
  return () => {
    at = (at + 1) % hot
    return cached.json(urls[at]!)
  }
}
