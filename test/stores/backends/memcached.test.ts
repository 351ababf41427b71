import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { memcachedStore } from '../../../src/stores/memcached.ts'
import type { MemcachedStoreOptions } from '../../../src/stores/memcached.ts'
import type { Store } from '../../../src/stores/store.ts'
import { component } from '../../components.ts'
import { startMemcached } from '../../support/memcached-server.ts'
import type { MemcachedServer } from '../../support/memcached-server.ts'

const memcached = component('memcached')
const servers = memcached.present ? await Promise.all([startMemcached(), startMemcached()]) : []
afterAll(() => Promise.all(servers.map((server) => server.close())))

const value = Buffer.from('value')
let opened: Store[] = []
afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  opened = []
  vi.restoreAllMocks()
})

describe.skipIf(!memcached.present)('on a server', () => {
  const [server, other] = servers as [MemcachedServer, MemcachedServer]
  const open = (options: MemcachedStoreOptions = {}) => {
    const store = memcachedStore(server.url, options)
    opened.push(store)
    return store as Required<Store>
  }
  const openBoth = () => open({ servers: [server.address, other.address] })

  /** An item as the server has it; undefined when it has none of that name. */
  async function item(name: string): Promise<{ left: number; bytes: Buffer } | undefined> {
    const answer = await server.ask(`mg ${name} v t\r\nmn\r\n`, /MN\r\n$/)
    const [, left] = /^VA \d+ t(-?\d+)\r\n/.exec(answer) ?? []
    const bytes = Buffer.from(
      answer.slice(answer.indexOf('\n') + 1, -'\r\nMN\r\n'.length),
      'latin1',
    )
    return left === undefined ? undefined : { left: Number(left), bytes }
  }
  const put = (name: string, bytes: Uint8Array) =>
    server.ask(
      Buffer.concat([Buffer.from(`ms ${name} ${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]),
    )

  describe('what is stored', () => {
    test('CVE-2022-26635 a key that memcached can take is readable, any other is hashed; both hold the value', async () => {
      const store = open()
      await store.set('plain:key', value)
      expect((await item('behalf:plain:key'))?.bytes.toString('latin1')).toMatch(/^bhf1.*value$/s)
      for (const key of ['a b', 'é', 'k\r\nflush_all', 'k'.repeat(244), '\u212A', ' ']) {
        await store.set(key, Buffer.from(key))
        expect(Buffer.from((await store.get(key))!.value).toString()).toBe(key)
      }
      expect(await store.get('plain:key')).toBeDefined()
      await store.set('k'.repeat(243), value)
      expect(await item(`behalf:${'k'.repeat(243)}`)).toBeDefined()
    })

    test('ST-06 the server drops it by itself, soon after its end and not before', async () => {
      const store = open()
      for (const ttl of [0.2, 1, 60, 2_591_999, 2_592_001, 366 * 86_400]) {
        await store.set('dropped', value, { ttl })
        const { left } = (await item('behalf:dropped'))!
        expect(left).toBeGreaterThanOrEqual(ttl)
        expect(left).toBeLessThan(ttl + 8)
      }
      for (const ttl of [1e15, Number.MAX_VALUE, Infinity, undefined]) {
        await store.set('dropped', value, { ttl })
        expect((await item('behalf:dropped'))?.left).toBe(-1)
      }
      await store.set('dropped', value, { ttl: 60 })
      await store.expire('dropped', 600)
      expect((await item('behalf:dropped'))?.left).toBeGreaterThan(590)
    })

    test('a counter that is used all the time ends when it was to end', async () => {
      const store = open()
      const endsAt = performance.now() + 1000
      await store.increment('window', 1, { ttl: 1 })
      let count = 0
      while (performance.now() < endsAt + 300)
        count = await store.increment('window', 1, { ttl: 1 })
      expect(count).toBeLessThan(10_000)
      expect((await item('behalf:window'))?.left).toBeLessThan(8)
      expect(await store.ttl('window')).toBeLessThan(1)
    })

    test('a value of the largest size under the longest key is taken', async () => {
      const store = open()
      const largest = Buffer.alloc(store.maxValueBytes, 7)
      for (const key of ['k', 'é'.repeat(512), `${'s'.repeat(200)}:${'k'.repeat(40)}`]) {
        await store.set(key, largest)
        expect((await store.get(key))?.value.byteLength).toBe(largest.length)
      }
    })

    test('a value that is too large for the server is said to be, and others are not disturbed', async () => {
      const store = open({ maxValueBytes: 4 * 2 ** 20 })
      const results = await Promise.allSettled([
        store.set('small', value),
        store.set('large', Buffer.alloc(2 * 2 ** 20)),
        store.get('small'),
      ])
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(results[1]).toMatchObject({ reason: { code: 'store_unavailable', message: /-I/ } })
    })

    test('what somebody else wrote, or cut off, or moved from another key is a miss', async () => {
      const store = open()
      await store.set('mine', value)
      const { bytes } = (await item('behalf:mine'))!
      const foreign: Buffer[] = [
        Buffer.from(''),
        Buffer.from('text'),
        Buffer.from('bhf1'),
        Buffer.from('7'),
      ]
      foreign.push(Buffer.alloc(100, 255), bytes, Buffer.alloc(2 ** 20 - 600, 'bhf1'))
      for (let length = 1; length < bytes.length - value.length; length += 7) {
        foreign.push(bytes.subarray(0, length))
      }
      for (const wrong of foreign) {
        expect(await put('behalf:theirs', wrong)).toMatch(/^HD/)
        expect(await store.get('theirs')).toBeUndefined()
        expect(await store.getMany(['theirs', 'mine'])).toEqual([undefined, expect.anything()])
        expect(await store.delete('theirs')).toBe(false)
        expect(await store.compareAndSwap('theirs', 'version', value)).toBeUndefined()
        expect(await store.compareAndSwap('theirs', undefined, value)).toBeDefined()
        expect(await store.get('theirs')).toBeDefined()
      }
    })

    test('fifty calls at a time ask for the generations once', async () => {
      const store = open()
      await store.get('seg:warm')
      const gets = async () =>
        Number(/STAT cmd_get (\d+)/.exec(await server.ask('stats\r\n', /END\r\n$/))![1])
      const before = await gets()
      await Promise.all(Array.from({ length: 50 }, (_, index) => store.get(`seg:${index}`)))
      expect((await gets()) - before).toBe(52)
    })
  })

  describe('clocks', () => {
    test.each([-86_400_000, -5000, 5000, 86_400_000])(
      'ST-07 a process whose clock is off by %d ms loses nothing early and keeps nothing for long',
      async (skew) => {
        const [wrong, right] = [open(), open()]
        await right.set('long', value, { ttl: 60 })
        await right.set('short', value, { ttl: 1 })
        await right.set('gone', value, { ttl: 0.01 })
        const { now } = Date
        const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + skew)
        expect(await wrong.get('long')).toBeDefined()
        expect(Math.abs((await wrong.ttl('long'))! - 60)).toBeLessThan(5)
        expect(await wrong.compareAndSwap('long', undefined, value)).toBeUndefined()
        await wrong.set('by wrong', value, { ttl: 60 })
        await wrong.set('short by wrong', value, { ttl: 0.5 })
        clock.mockRestore()
        expect(Math.abs((await right.ttl('by wrong'))! - 60)).toBeLessThan(5)
        await expect
          .poll(() => right.getMany(['short', 'short by wrong']), { timeout: 5500, interval: 100 })
          .toEqual([undefined, undefined])
      },
    )
  })

  describe('clearing', () => {
    test('what one process cleared no other one sees, however often it has seen it', async () => {
      const [one, two] = [open({ namespace: 'c1' }), open({ namespace: 'c1' })]
      for (const prefix of ['', 'a:']) {
        await one.setMany([
          ['a:1', value],
          ['b:1', value],
          ['none', value],
        ])
        expect(await two.get('a:1')).toBeDefined()
        await one.clear(prefix)
        expect(await two.get('a:1')).toBeUndefined()
        expect(await two.increment('a:1', 1)).toBe(1)
        const others = await two.getMany(['b:1', 'none'])
        expect(others.map((found) => found !== undefined)).toEqual(
          prefix === '' ? [false, false] : [true, true],
        )
      }
    })

    test('what is written after another process has cleared is there', async () => {
      const [one, two] = [open({ namespace: 'c2' }), open({ namespace: 'c2' })]
      await two.set('a:1', value)
      for (const prefix of ['', 'a:', 'a:']) {
        await one.clear(prefix)
        await two.set('a:1', value)
        expect(await one.get('a:1')).toBeDefined()
        await one.clear(prefix)
        expect(await two.compareAndSwap('a:1', undefined, value)).toBeDefined()
        expect(await one.get('a:1')).toBeDefined()
      }
    })

    test('of creations and clearings at the same time no two creations hold at once', async () => {
      const stores = Array.from({ length: 4 }, () => open({ namespace: 'c3' }))
      await stores[0]!.set('a:x', value)
      for (let round = 0; round < 30; round += 1) {
        await stores[0]!.clear('a:')
        const tries = stores.flatMap((store) => [
          store.compareAndSwap('a:lock', undefined, value),
          store.compareAndSwap('a:lock', undefined, value),
        ])
        const winners = (await Promise.all(tries)).filter((version) => version !== undefined)
        expect(winners).toHaveLength(1)
        expect((await stores[1]!.get('a:lock'))?.version).toBe(winners[0])
      }
    })

    test.each(['gen@', 'gen@a:'])('where %s is lost nothing old comes back', async (name) => {
      const store = open({ namespace: 'gen' })
      const old = await store.compareAndSwap('a:1', undefined, value)
      const { bytes } = (await item(name))!
      for (const loss of [`md ${name}\r\n`, `ms ${name} 5\r\nwrong\r\n`, `ms ${name} 0\r\n\r\n`]) {
        await store.set('a:1', value)
        await server.ask(loss)
        for (const reader of [store, open({ namespace: 'gen' })]) {
          expect(await reader.get('a:1')).toBeUndefined()
          expect(await reader.compareAndSwap('a:1', old, value)).toBeUndefined()
        }
        await store.set('a:1', value)
        expect(await open({ namespace: 'gen' }).get('a:1')).toBeDefined()
        expect((await item(name))?.bytes).not.toEqual(bytes)
      }
      await store.clear('')
    })

    test('ST-02 another namespace, and what is not behalf\u2019s, stays', async () => {
      const [one, two] = [open({ namespace: 'ns' }), open({ namespace: 'ns_2' })]
      await Promise.all([one.set('a:1', value), two.set('a:1', value), put('other', value)])
      await one.clear('')
      await one.clear('a:')
      expect(await two.get('a:1')).toBeDefined()
      expect(await item('other')).toBeDefined()
      expect(await item('ns:a:1')).toBeDefined()
    })

    test.each(['a', 'a:b', 'a:b:', 'a:*', ':a', 'a::'])('clear(%j) is refused', async (prefix) => {
      const attempt = open().clear(prefix)
      await expect(attempt).rejects.toMatchObject({
        code: 'unsupported_operation',
        operation: 'clear',
      })
    })

    test('keys begin with strange segments, and are cleared by them', async () => {
      const store = open()
      for (const segment of [':', 'é:', 'a b:', `${'s'.repeat(300)}:`, '\u{10FFFF}:', '#:', '@:']) {
        await store.set(`${segment}key`, value)
        await store.set('stays:key', value)
        await store.clear(segment)
        expect(await store.get(`${segment}key`)).toBeUndefined()
        expect(await store.get('stays:key')).toBeDefined()
      }
    })

    test('a thousand segments and more can be used', async () => {
      const store = open({ namespace: 'many' })
      const keys = Array.from({ length: 2_500 }, (_, index) => `s${index}:key`)
      await store.setMany(keys.map((key) => [key, value] as const))
      await store.setMany(keys.map((key) => [key, value] as const))
      expect(await store.getMany(keys)).not.toContain(undefined)
    })
  })

  describe('several servers', () => {
    test('keys are spread, each is on one server only, and clearing reaches all', async () => {
      const store = openBoth()
      const keys = Array.from({ length: 100 }, (_, index) => `spread:${index}`)
      await store.setMany(keys.map((key) => [key, value] as const))
      expect(await store.getMany(keys)).not.toContain(undefined)
      const there = await Promise.all(keys.map((key) => item(`behalf:${key}`)))
      const count = there.filter(Boolean).length
      expect(count).toBeGreaterThan(25)
      expect(count).toBeLessThan(75)
      await store.clear('spread:')
      expect(new Set(await store.getMany(keys))).toEqual(new Set([undefined]))
    })

    test('the order in which they are named does not matter', async () => {
      const one = openBoth()
      const two = open({ servers: [other.address, server.address] })
      const keys = Array.from({ length: 50 }, (_, index) => `order:${index}`)
      await one.setMany(keys.map((key) => [key, value] as const))
      expect(await two.getMany(keys)).not.toContain(undefined)
    })
  })

  test('two processes that compare never both win', async () => {
    const stores = [open(), open(), openBoth(), openBoth()]
    const pairs = [stores.slice(0, 2), stores.slice(2)]
    for (const pair of pairs) {
      for (let round = 0; round < 20; round += 1) {
        const tries = pair.map((store) => store.compareAndSwap('pair', undefined, value))
        expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1)
        await pair[0]!.delete('pair')
      }
    }
  })

  test('what is found is always the key\u2019s own, whatever else is under way', async () => {
    const stores = [open(), open()]
    const wrong: string[] = []
    const work = Array.from({ length: 40 }, async (_, index) => {
      const store = stores[index % 2]!
      for (let round = 0; round < 25; round += 1) {
        const key = `mixed ${(index * 7 + round) % 10}`
        if (round % 3 === 0) await store.set(key, Buffer.from(key.repeat(1 + round * 50)))
        else if (round % 7 === 0) await store.delete(key)
        const found = await store.get(key)
        if (found && !Buffer.from(found.value).toString().startsWith(key)) wrong.push(key)
      }
    })
    await Promise.all(work)
    expect(wrong).toEqual([])
  })
})
