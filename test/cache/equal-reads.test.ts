import { expect, test } from 'vitest'
import { cachedFetch } from '../../src/cache/index.ts'
import { EqualReads } from '../../src/cache/stored/equal-reads.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'

/** As if it were another process', whose store may have a thousand operations under way. */
function counted() {
  const store = memoryStore()
  let reads = 0
  const outside: Store = new Proxy(store, {
    get(target, property: keyof Store) {
      if (property === 'reach') return 'host'
      if (property === 'atHand') return undefined
      if (property === 'getMany') {
        return async (keys: readonly string[]) => {
          reads += 1
          await new Promise((resolve) => setTimeout(resolve, 5))
          return target.getMany!(keys)
        }
      }
      const member = target[property]
      return typeof member === 'function' ? (member as () => unknown).bind(target) : member
    },
  })
  return { store: outside, reads: () => reads }
}

test('CA-15 three thousand callers who look for the same at once cost the store one read, and are one call', async () => {
  const { store, reads } = counted()
  let calls = 0
  const upstream = async () => new Response(String((calls += 1)))
  const cached = cachedFetch(upstream, { store, defaultTtl: 60, collapse: 'store' })
  const ask = () =>
    Promise.all(
      Array.from({ length: 3_000 }, async () => (await cached('https://api.example/x')).text()),
    )
  expect(new Set(await ask())).toEqual(new Set(['1']))
  const first = reads()
  // One by who looks, one by who fills.
  expect(first).toBeLessThanOrEqual(2)
  const again = await ask()
  expect(new Set(again)).toEqual(new Set(['1']))
  expect(reads()).toBe(first + 1)
  expect(calls).toBe(1)
})

test('of another place each is a read', async () => {
  const reads = new EqualReads<string, number>()
  let begun = 0
  const read = async () => (begun += 1)
  const joined = ['a', 'a', 'b', 'a'].map((place) => reads.join(place, read))
  expect(await Promise.all(joined)).toEqual([1, 1, 2, 1])
})

test('CA-07 who has waited for anything does not get what was read before it', async () => {
  const reads = new EqualReads<string, string>()
  let stored = 'old'
  const read = async () => {
    const found = stored
    await new Promise((resolve) => setTimeout(resolve, 5))
    return found
  }
  const early = reads.join('a', read)
  await new Promise(setImmediate)
  stored = 'new'
  expect(await reads.join('a', read)).toBe('new')
  expect(await early).toBe('old')
})

test('a read that fails fails for all of its turn, and the next is another one', async () => {
  const reads = new EqualReads<string, number>()
  const failing = () => Promise.reject(new Error('gone'))
  const both = [reads.join('a', failing), reads.join('a', async () => 1)]
  const settled = await Promise.allSettled(both)
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(await reads.join('a', async () => 2)).toBe(2)
})
