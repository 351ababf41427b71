import { randomBytes } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import { KeyRing } from '../../src/key-ring.ts'
import { chunked } from '../../src/stores/chunked.ts'
import { sealed } from '../../src/stores/sealed.ts'
import type { Store } from '../../src/stores/store.ts'
import { hostileRows } from '../hostile.ts'

const rows = hostileRows('storeValue')
const oldKeys = new KeyRing(['0123456789abcdef0123456789abcdef'])
const newKeys = new KeyRing([
  'fedcba9876543210fedcba9876543210',
  '0123456789abcdef0123456789abcdef',
])

/** The hostile values and lifetimes, on whatever store is behind them. */
export function describeHostileValues(make: () => Store): void {
  describe('hostile values', () => {
    const store = make()
    afterAll(() => store.close())
    const newKey = () => `hostile:${randomBytes(8).toString('hex')}`
    const row = (id: string) => rows.find((one) => one.id === id)?.input

    test.each(rows.filter(({ input }) => 'sizeBytes' in input))(
      'ST-06 $id a value of $input.sizeBytes bytes is kept whole or refused',
      async ({ input }) => {
        const value = randomBytes(input.sizeBytes)
        const key = newKey()
        if (value.byteLength > store.maxValueBytes) {
          await expect(store.set(key, value, { ttl: 60 })).rejects.toThrow(RangeError)
          expect(await store.get(key)).toBeUndefined()
        } else expect(await readBack(store, key, value)).toBe(true)
        expect(await readBack(chunked(store), key, value)).toBe(true)
      },
    )

    test('a value of 5 MB is kept, in chunks where it has to be', async () => {
      expect(await readBack(chunked(store), newKey(), randomBytes(5_000_000))).toBe(true)
    })

    test.each(rows.filter(({ input }) => 'ttlSeconds' in input || 'ttlMs' in input))(
      '$id a lifetime of $input',
      async ({ input, expect: wanted }) => {
        const key = newKey()
        const ttl = 'ttlMs' in input ? input.ttlMs / 1000 : Number(input.ttlSeconds)
        const set = store.set(key, Buffer.from('value'), { ttl })
        if (wanted.outcome === 'typed-error') return expect(set).rejects.toThrow(RangeError)
        await set
        await new Promise((resolve) => setTimeout(resolve, 5))
        const found = await store.get(key)
        expect(found !== undefined).toBe(wanted.outcome === 'stored')
        await store.delete(key)
      },
    )

    test('SV-16 two sealed values that were swapped are two misses', async () => {
      const [alice, bob] = [newKey(), newKey()]
      const safe = sealed(store, oldKeys)
      await safe.set(alice, Buffer.from('of alice'), { ttl: 60 })
      await safe.set(bob, Buffer.from('of bob'), { ttl: 60 })
      const [ofAlice, ofBob] = [await store.get(alice), await store.get(bob)]
      await store.set(alice, ofBob?.value ?? Buffer.from(''), { ttl: 60 })
      await store.set(bob, ofAlice?.value ?? Buffer.from(''), { ttl: 60 })
      expect([await safe.get(alice), await safe.get(bob)]).toEqual([undefined, undefined])
    })

    test('SV-18 SV-19 a sealed record cut at any length or with any byte flipped is a miss', async () => {
      expect([row('SV-18'), row('SV-19')]).not.toContain(undefined)
      const key = newKey()
      const safe = sealed(store, oldKeys)
      await safe.set(key, Buffer.from('record'), { ttl: 600 })
      const whole = (await store.get(key))?.value ?? new Uint8Array()
      const damaged = Array.from(whole, (_, at) => [
        whole.subarray(0, at),
        Uint8Array.from(whole, (byte, index) => (index === at ? byte ^ 0x41 : byte)),
      ]).flat()
      for (const bytes of damaged) {
        await store.set(key, bytes, { ttl: 60 })
        // A flipped key id looks like a secret that this process does not have.
        const found = await safe.get(key).catch((error: { code?: string }) => {
          expect(error.code).toBe('store_unavailable')
        })
        expect(found).toBeUndefined()
      }
      expect(damaged.length).toBe(2 * whole.length)
    })

    test('SV-21 what a former secret sealed is read, and sealed anew by the next write', async () => {
      expect(row('SV-21')).toBeDefined()
      const key = newKey()
      await sealed(store, oldKeys).set(key, Buffer.from('record'), { ttl: 60 })
      const rotated = sealed(store, newKeys)
      const found = await rotated.get(key)
      expect(found && Buffer.from(found.value).toString()).toBe('record')
      await rotated.compareAndSwap(key, found?.version, Buffer.from('record'), { ttl: 60 })
      await expect(sealed(store, oldKeys).get(key)).rejects.toThrow(/secret/)
      expect(await rotated.get(key)).toBeDefined()
    })
  })
}

async function readBack(store: Store, key: string, value: Uint8Array): Promise<boolean> {
  await store.set(key, value, { ttl: 60 })
  const found = await store.get(key)
  await store.delete(key)
  return found !== undefined && Buffer.compare(value, found.value) === 0
}
