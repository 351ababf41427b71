import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { cachedFetch } from '../../src/cache/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'

/** What is left of calls that never come again. */
export interface CacheGrowth {
  /** Bytes of heap that each one has left behind. */
  bytesEach: number
  calls: number
}

/** Beyond so many the maps of a process are full: the largest is of what cannot be shared. */
const filling = { unshared: 10_500, mixed: 6_000, withMemory: 45_000 }
/** What is remembered by name is let go of by halves, so that a heap goes up and down by megabytes. */
const looks = { count: 8, calls: 1_000 }
const atOnce = 50

/**
 * Makes calls that are all different, in user, URL, tags and fields, of every outcome: kept, not kept,
 * stale, failed, aborted, written, invalidated. The store keeps little, and says that it is outside
 * of the process, so that all that a process remembers beside it is there. `memory`: also before the
 * store, where there are 10,000 values at most.
 */
export async function growCache(
  { calls, memory }: { calls: number; memory: boolean },
  progress: (done: number) => void = () => {},
): Promise<CacheGrowth> {
  const store = outside(memoryStore({ maxBytes: 2 ** 20, maxEntries: 500 }))
  const cached = cachedFetch(answer, {
    store,
    partition: ({ headers }) => headers.get('authorization') ?? undefined,
    secret: 'a-secret-of-the-torture-that-is-long-enough-0123456789',
    rules: [
      { match: '/kept/*', ttl: 60, tags: ['kept'] },
      { match: '/said/*', staleWhileRevalidate: 60, staleIfError: 60 },
      { match: '/said/*', method: 'PUT', invalidates: ['kept'] },
    ],
    repositories: { things: { match: '/things/:id', key: ['id'], ttl: 60 } },
    ...(memory ? { memory: { maxBytes: 2 ** 20 } } : {}),
    collapse: 'store',
    softTimeout: 0.2,
    hardTimeout: 2,
  })
  const full = filling.unshared + (memory ? filling.withMemory : filling.mixed)
  const call = async (number: number) => {
    const path = number <= filling.unshared ? 'private' : paths[number % paths.length]!
    const leaving = new AbortController()
    const asked = cached(`https://api.example/${path}/${number}?q=${number}`, {
      method: number % 23 === 0 ? 'PUT' : 'GET',
      headers: { authorization: `user ${number}`, 'accept-language': `l${number}` },
      signal: leaving.signal,
      ...(number % 5 === 0 ? { tags: [`tag ${number}`] } : {}),
    })
    if (number % 11 === 0) leaving.abort()
    await asked.then((reply) => reply.text()).catch(() => {})
    if (number % 97 === 0) await cached.cache.delete({ tags: [`tag ${number}`] }).catch(() => {})
    // Once more, which refreshes what is stale in the background, and opens what is stored.
    if (number > full && number % 7 !== 0) return
    const headers = { authorization: `user ${number}`, 'accept-language': `l${number}` }
    const again = cached(`https://api.example/${path}/${number}?q=${number}`, { headers })
    await again.then((reply) => reply.text()).catch(() => {})
  }
  let made = 0
  const make = async (count: number, told?: typeof progress) => {
    for (let left = count; left > 0; left -= atOnce) {
      const some = Array.from({ length: Math.min(atOnce, left) }, () => call((made += 1)))
      await Promise.all(some)
      if (made % 1_000 === 0) told?.(1_000)
    }
    await cached.cache.close()
  }
  const highest = async () => {
    let most = 0
    for (let left = looks.count; left > 0; left -= 1) {
      await make(looks.calls)
      most = Math.max(most, await heapUsed())
    }
    return most
  }
  await make(full)
  const before = await highest()
  await make(calls, progress)
  const bytesEach = ((await highest()) - before) / (calls + looks.count * looks.calls)
  await cached.close()
  return { bytesEach, calls }
}

const paths = ['kept', 'said', 'things', 'fails', 'private', 'stale']

const answer: typeof fetch = async (input, init) => {
  const { pathname } = new URL(input instanceof Request ? input.url : String(input))
  init?.signal?.throwIfAborted()
  const [, path, number] = pathname.split('/')
  const body = JSON.stringify({ number, rest: 'r'.repeat(100) })
  const control = {
    said: 'max-age=60',
    private: 'no-store',
    stale: 'max-age=0, stale-while-revalidate=60',
  }[path!]
  if (path === 'fails' && Number(number) % 2 === 0) throw new TypeError('fetch failed')
  return new Response(body, {
    status: path === 'fails' ? 500 : 200,
    headers: {
      'content-type': 'application/json',
      vary: 'Accept-Language',
      ...(control ? { 'cache-control': control } : {}),
    },
  })
}

/** As if it were another process'. What memory would keep for a comparison it may drop here. */
function outside(store: Store): Store {
  const other: Partial<Store> = {
    reach: 'cluster',
    compareAndSwap: async (key, version, value, how) => {
      if ((await store.get(key))?.version !== version) return undefined
      await store.set(key, value, how)
      return (await store.get(key))?.version
    },
  }
  return new Proxy(store, {
    get(target, property: keyof Store) {
      if (property in other) return other[property]
      if (property === 'atHand') return undefined
      const member = target[property]
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member
    },
  })
}

async function heapUsed(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let rounds = 0; rounds < 3; rounds += 1) {
    collect()
    await new Promise(setImmediate)
  }
  return process.memoryUsage().heapUsed
}
