import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import type { Store, StoredValue } from '../../src/stores/store.ts'
import { SeededRandom } from '../../src/testing/api/seeded-random.ts'
import { type Chaos, chaosStore } from '../../src/testing/index.ts'
import { lyingStore } from '../torture/cache-lying-store.ts'
import { cacheBefore } from './cache-caller.ts'
import { cacheStoresForTests } from './cache-stores.ts'

const stores = await cacheStoresForTests()
afterAll(async () => {
  for (const { close } of stores) await close()
})

const users = ['ada', 'grace', 'mei']
const urls = ['a', 'b', 'c'].map((name) => `https://api.example/v1/${name}`)

/** Each user's reply to each URL is another one, and of another length. */
const replyTo = (user: string, url: string) =>
  `${user} ${url} ${user.repeat(url.charCodeAt(23) % 9)}`

/** Calls of all users for all URLs, at random; tells what anybody was given that is not theirs. */
async function callAll(store: Store, calls: number) {
  const random = new SeededRandom('calls')
  const wrong: string[] = []
  const asked = { user: '' }
  const { fetch, seen, cache } = cacheBefore(
    (request) => new Response(replyTo(asked.user, request.url)),
    { store, rules: [{ match: '/v1/*', ttl: 60, tags: ['all'] }] },
  )
  let hits = 0
  for (let call = 0; call < calls; call += 1) {
    const [user, url] = [random.pick(users), random.pick(urls)]
    asked.user = user
    const response = await fetch(url, { user }).catch((error: unknown) => error)
    if (!(response instanceof Response)) wrong.push(`${user} ${url}: ${String(response)}`)
    else {
      if (response.headers.get('cache-status')?.includes('; hit')) hits += 1
      const text = await response.text()
      if (text !== replyTo(user, url)) wrong.push(`${user} ${url}: ${text.slice(0, 100)}`)
    }
    if (random.next() < 0.02) await cache.delete({ tags: ['all'] }).catch(() => {})
  }
  return { wrong, asked: seen.length, hits }
}

describe.each(stores)('a store over $name that', ({ name, open }) => {
  const opened = () => open(`lying-${randomBytes(4).toString('hex')}`)

  test('CA-08 CA-09 gives others’, older, changed and cut values gives nobody a wrong byte', async () => {
    const store = lyingStore(await opened(), 0.3, new SeededRandom(name))
    const { wrong, hits } = await callAll(store, 250)
    expect(wrong).toEqual([])
    expect(hits).toBeGreaterThan(0)
  })

  test('CA-09 gives an older value with a newer version has it read as what it is', async () => {
    const inner = await opened()
    let older: StoredValue | undefined
    let isOlder = false
    const lie = (key: string, found: StoredValue | undefined) => {
      if (!key.includes(':response:') || !found) return found
      older ??= { ...found, value: new Uint8Array(found.value) }
      return isOlder ? { value: older.value, version: found.version } : found
    }
    const { getMany } = inner
    const store: Store = Object.assign(Object.create(inner) as Store, {
      get: async (key: string) => lie(key, await inner.get(key)),
      getMany:
        getMany &&
        (async (keys: readonly string[]) => {
          const found = await getMany.call(inner, keys)
          return found.map((one, index) => lie(keys[index]!, one))
        }),
      set: inner.set.bind(inner),
      setMany: inner.setMany?.bind(inner),
      compareAndSwap: inner.compareAndSwap.bind(inner),
    })
    Object.defineProperties(store, {
      reach: { value: inner.reach },
      maxValueBytes: { value: inner.maxValueBytes },
      // What it has at hand are no replies of a store.
      atHand: { value: undefined },
    })
    const bodies = ['the first, which is a long one', 'two']
    const { fetch } = cacheBefore(
      (_request, calls) =>
        new Response(bodies[calls - 1], { headers: { 'x-number': 'n'.repeat(calls * 7) } }),
      { store, rules: { '/v1/*': 60 } },
    )
    for (const mode of ['default', 'default', 'reload', 'default'] as const) {
      await (await fetch(undefined, { mode })).text()
    }
    isOlder = true
    const response = await fetch()
    expect(response.headers.get('cache-status')).toContain('hit')
    expect(await response.text()).toBe(bodies[0])
  })

  const faults: Array<[string, Chaos]> = (
    ['throw', 'delay', 'corrupt', 'drop', 'swap'] as const
  ).flatMap((fault) =>
    [0.3, 1].map((rate): [string, Chaos] => [
      `${fault} (${rate})`,
      { fault, rate, seconds: fault === 'delay' ? 0.01 : undefined },
    ]),
  )

  test.each(faults)('CA-18 knows the fault %s costs no caller a reply', async (_what, chaos) => {
    const { wrong, asked } = await callAll(chaosStore(await opened(), [chaos]), 60)
    expect(wrong).toEqual([])
    const everyCall = chaos.rate === 1 && ['throw', 'drop'].includes(chaos.fault)
    expect(asked).toBeGreaterThan(everyCall ? 59 : 8)
  })
})
