import { afterAll, describe, expect, test } from 'vitest'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { UnsupportedOperationError } from '../../src/errors.ts'
import { cacheManager } from '../../src/stores/cache-manager.ts'
import type { CacheManagerOptions } from '../../src/stores/cache-manager.ts'
import type { Store } from '../../src/stores/store.ts'
import { hostileRows } from '../hostile.ts'

/** What a user of `cacheManager` observes, on whatever store is behind it. */
export function describeCacheManager(make: () => Store): void {
  describe('a cache manager', () => {
    const opened: Store[] = []
    const open = (options: CacheManagerOptions = {}) => {
      const store = make()
      opened.push(store)
      const namespace = `manager ${randomBytes(6).toString('hex')}`
      return { store, manager: cacheManager(store, { namespace, ...options }) }
    }
    const { store, manager: shared } = open()
    afterAll(() => Promise.all(opened.map((one) => one.close())))

    test('keeps what JSON can say, and finds nothing where there is nothing', async () => {
      const values = [null, true, '', 'text é', 0, -1.5, 1e21, [1, [2]], { a: { b: null } }, 42, {}]
      for (const [index, value] of values.entries()) await shared.set(`json:${index}`, value)
      const keys = values.map((_, index) => `json:${index}`)
      expect(await shared.getMany([...keys, 'json:none'])).toEqual([...values, undefined])
      for (const [index, value] of values.entries()) {
        expect(await shared.get(`json:${index}`)).toEqual(value)
      }
      expect(await shared.get('json:none')).toBeUndefined()
      expect(await shared.exists('json:0')).toBe(true)
      expect(await shared.existsMany(['json:1', 'json:none', 'json:2'])).toEqual([
        true,
        false,
        true,
      ])
      expect(await shared.delete('json:0')).toBe(true)
      expect(await shared.delete('json:0')).toBe(false)
      expect(await shared.exists('json:0')).toBe(false)
    })

    test('refuses what it could not give back', async () => {
      await expect(shared.set('undefined', undefined)).rejects.toThrow(RangeError)
      await expect(shared.set('function', () => {})).rejects.toThrow(RangeError)
      await expect(shared.set('bigint', 1n)).rejects.toThrow(RangeError)
      await expect(shared.set('', 'no key')).rejects.toThrow(RangeError)
      const milliseconds = 60_000 as unknown as { ttl: number }
      await expect(shared.set('as in Keyv', 1, milliseconds)).rejects.toThrow(/\{ ttl: 60 \}/)
    })

    test('ends values after defaultTtl, or the ttl of a call', async () => {
      const { manager } = open({ defaultTtl: 0.3 })
      await manager.set('default', 1)
      await manager.set('longer', 2, { ttl: 60 })
      await manager.set('gone', 3)
      await manager.set('gone', 3, { ttl: 0 })
      expect(await manager.get('gone')).toBeUndefined()
      await sleep(400)
      expect(await manager.getMany(['default', 'longer'])).toEqual([undefined, 2])
    })

    test('sets many with one ttl, deletes many and tells how many', async () => {
      await shared.setMany({ 'many:a': 1, 'many:b': 'two' }, { ttl: 60 })
      await shared.setMany(new Map([['many:c', [3]]]))
      expect(await shared.getMany(['many:c', 'many:b', 'many:a'])).toEqual([[3], 'two', 1])
      expect(await shared.deleteMany(['many:a', 'many:c', 'many:none'])).toBe(2)
      expect(await shared.getMany(['many:c', 'many:b', 'many:a'])).toEqual([
        undefined,
        'two',
        undefined,
      ])
    })

    test('makes a value once for all who ask at the same time', async () => {
      let made = 0
      const makeIt = async () => {
        await sleep(50)
        made += 1
        return { made }
      }
      const asked = await Promise.all(
        Array.from({ length: 20 }, () => shared.getOrSet('made', makeIt)),
      )
      expect(asked.every((value) => value.made === 1)).toBe(true)
      expect(await shared.getOrSet('made', makeIt)).toEqual({ made: 1 })
      await expect(
        shared.getOrSet('fails', () => {
          throw new Error('made nothing')
        }),
      ).rejects.toThrow('made nothing')
      expect(await shared.getOrSet('fails', () => 'second')).toBe('second')
    })

    test('counts, from many callers at once, and a number that was set as well', async () => {
      const counts = await Promise.all(
        Array.from({ length: 100 }, () => shared.increment('counter')),
      )
      expect(counts.toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 100 }, (_, index) => index + 1),
      )
      expect(await shared.get('counter')).toBe(100)
      await shared.set('counter', -5)
      expect(await shared.increment('counter', 7)).toBe(2)
      await shared.set('counter', { not: 'a number' })
      await expect(shared.increment('counter')).rejects.toThrow(RangeError)
      expect(await shared.get('counter')).toEqual({ not: 'a number' })
    })

    test('sets what does not exist, once', async () => {
      const tries = await Promise.all(
        Array.from({ length: 20 }, (_, index) => shared.setIfNotExists('once', index)),
      )
      expect(tries.filter(Boolean)).toHaveLength(1)
      expect(await shared.get('once')).toBe(tries.indexOf(true))
    })

    test('tells and changes lifetimes, or says that this store cannot', async () => {
      await shared.set('lifetime', 'value', { ttl: 100 })
      if (store.ttl) {
        const left = (await shared.getTtl('lifetime')) ?? 0
        expect(left).toBeGreaterThan(70)
        expect(left).toBeLessThanOrEqual(101)
        expect(await shared.getTtl('no lifetime')).toBeUndefined()
      } else await expect(shared.getTtl('lifetime')).rejects.toThrow(UnsupportedOperationError)
      if (store.expire) {
        expect(await shared.expire('lifetime', 0.1)).toBe(true)
        await sleep(200)
        expect(await shared.get('lifetime')).toBeUndefined()
        expect(await shared.expire('lifetime', 60)).toBe(false)
      } else await expect(shared.expire('lifetime', 1)).rejects.toThrow(UnsupportedOperationError)
    })

    test('clears its own namespace and no other', async () => {
      const { manager } = open()
      const { manager: other } = open()
      await manager.setMany({ a: 1, 'b:c': 2 })
      await other.setMany({ a: 3 })
      await manager.clear()
      expect(await manager.getMany(['a', 'b:c'])).toEqual([undefined, undefined])
      expect(await other.get('a')).toBe(3)
      await manager.set('a', 4)
      expect(await manager.get('a')).toBe(4)
    })

    test('clears and counts what matches a pattern, or says that this store cannot', async () => {
      const { manager } = open()
      const keys = ['stock:A', 'stock:a', 'stock:*', 'stock', 'stocks:A', 'x:stock:A', 'stock.A']
      await manager.setMany(keys.map((key) => [key, key] as const))
      if (!store.keys) {
        await expect(manager.clear('stock:*')).rejects.toThrow(UnsupportedOperationError)
        await expect(manager.countKeys()).rejects.toThrow(UnsupportedOperationError)
        return
      }
      expect(await manager.countKeys()).toBe(7)
      expect(await manager.countKeys('stock:*')).toBe(3)
      expect(await manager.countKeys('*:A')).toBe(3)
      expect(await manager.countKeys('*stock*A')).toBe(4)
      expect(await manager.countKeys('stock:a')).toBe(1)
      expect(await manager.countKeys('stock?a')).toBe(0)
      expect(await manager.countKeys('[st]*')).toBe(0)
      await manager.clear('stock:*')
      expect(await manager.getMany(keys)).toEqual([
        undefined,
        undefined,
        undefined,
        'stock',
        'stocks:A',
        'x:stock:A',
        'stock.A',
      ])
      await manager.clear('*:A')
      expect(await manager.countKeys('**')).toBe(2)
      await manager.clear('stock')
      expect(await manager.countKeys()).toBe(1)
    })

    test.each(hostileRows('storeKey'))('$id is a key of its own, or refused', async (row) => {
      const { manager } = open()
      const { id, input, expect: wanted } = row
      if (wanted.outcome === 'typed-error') {
        await expect(manager.set(input, id)).rejects.toThrow(RangeError)
        await expect(manager.get(input)).rejects.toThrow(RangeError)
        return
      }
      await manager.set('neighbour', 'neighbour')
      try {
        await manager.set(input, id)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
        return
      }
      expect(await manager.getMany(['neighbour', input])).toEqual(['neighbour', id])
      if (store.keys) expect(await manager.countKeys()).toBe(2)
      expect(await manager.delete(input)).toBe(true)
      expect(await manager.get('neighbour')).toBe('neighbour')
    })

    test('the hostile keys are all different keys', async () => {
      const { manager } = open()
      const keys = hostileRows('storeKey')
        .filter((row) => row.expect.outcome === 'ok' && !String(row.input).includes('\0'))
        .filter((row) => Buffer.byteLength(row.input) < 300)
      await manager.setMany(keys.map(({ id, input }) => [input, id] as const))
      expect(await manager.getMany(keys.map(({ input }) => input))).toEqual(
        keys.map(({ id }) => id),
      )
    })

    test.each(hostileRows('storeClear'))('$id ST-02 clearing a namespace is exact', async (row) => {
      const { store: backend } = open()
      const suffix = randomBytes(6).toString('hex')
      const inNamespace = (name: string) => cacheManager(backend, { namespace: `${name}${suffix}` })
      const split = (key: string) => [
        key.slice(0, key.lastIndexOf(':')),
        key.slice(key.lastIndexOf(':') + 1),
      ]
      const { keys, clear } = row.input as { keys: string[]; clear: string }
      const at = keys.map((full) => {
        const [namespace = '', key = ''] = split(full)
        return { full, key, manager: inNamespace(namespace) }
      })
      for (const { manager, key, full } of at) await manager.set(key, full)
      await inNamespace(clear).clear()
      const found = await Promise.all(at.map(({ manager, key }) => manager.get(key)))
      expect(found.filter((value) => value !== undefined)).toEqual(row.expect.remaining)
    })

    const rawValues = hostileRows('storeValue').filter(({ input }) => 'raw' in input)
    test.each(rawValues)('ST-10 $id what somebody else wrote is a miss', async ({ input }) => {
      const { store: backend, manager } = open({ namespace: 'raw' })
      const key = randomBytes(6).toString('hex')
      await backend.set(`_raw:${key}`, Buffer.from(input.raw), { ttl: 60 })
      expect(await manager.get(key)).toBeUndefined()
      expect(({} as Record<string, unknown>)['isAdmin']).toBeUndefined()
    })

    test("SV-16 another key's value is a miss", async () => {
      const { store: backend, manager } = open({ namespace: 'swapped' })
      const [alice, bob] = [randomBytes(6).toString('hex'), randomBytes(6).toString('hex')]
      await manager.set(alice, 'of alice')
      const stored = await backend.get(`_swapped:${alice}`)
      await backend.set(`_swapped:${bob}`, stored?.value ?? Buffer.from(''), { ttl: 60 })
      expect(await manager.getMany([alice, bob])).toEqual(['of alice', undefined])
    })
  })
}
