import { randomBytes } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { chunked } from '../../src/stores/chunked.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { chaosStore } from '../../src/testing/stores/chaos-store.ts'

const kilobyte = 1024
const value = (bytes: number) => randomBytes(bytes)

function small(): { inner: Store; store: Store } {
  const inner = memoryStore({ maxBytes: 10_000_000 })
  return { inner, store: chunked(inner, { chunkBytes: kilobyte }) }
}

async function names(store: Store): Promise<string[]> {
  const found: string[] = []
  for await (const key of store.keys?.('') ?? []) found.push(key)
  return found.toSorted()
}

test('a value that fits stays one entry, a larger one is split', async () => {
  const { inner, store } = small()
  await store.set('fits', value(kilobyte - 1))
  await store.set('splits', value(kilobyte))
  await store.set('large', value(10 * kilobyte))
  expect(await names(store)).toEqual(['fits', 'large', 'splits'])
  expect(await names(inner)).toHaveLength(3 + 1 + 10)
})

test('whatever becomes of a value, no chunk of it stays behind', async () => {
  const { inner, store } = small()
  const big = () => value(5 * kilobyte)
  await store.set('key', big())
  await store.set('key', big())
  const version = (await store.get('key'))?.version
  expect(await names(inner)).toHaveLength(6)
  expect(await store.compareAndSwap('key', 'another', big())).toBeUndefined()
  expect(await store.compareAndSwap('key', undefined, big())).toBeUndefined()
  expect(await names(inner)).toHaveLength(6)
  const swapped = await store.compareAndSwap('key', version, big())
  expect(await names(inner)).toHaveLength(6)
  expect(await store.compareAndDelete('key', 'another')).toBe(false)
  expect(await store.compareAndDelete('key', swapped ?? '')).toBe(true)
  expect(await names(inner)).toEqual([])
  await store.set('key', big())
  expect(await store.delete('key')).toBe(true)
  await store.set('key', big())
  await store.set('key', value(10))
  expect(await names(inner)).toEqual(['key'])
  await store.set('key', big())
  await store.set('key', big(), { ttl: 0 })
  expect(await names(inner)).toEqual([])
  await store.set('key', big())
  await store.clear?.('key')
  expect(await names(inner)).toEqual([])
})

test('a value with a chunk missing or damaged is absent, and can be created anew', async () => {
  for (const damage of ['missing', 'damaged', 'short', 'swapped'] as const) {
    const { inner, store } = small()
    const whole = value(3 * kilobyte)
    await store.set('key', whole)
    const [first = '', second = ''] = await names(inner)
    const other = (await inner.get(second))?.value ?? whole
    if (damage === 'missing') await inner.delete(first)
    if (damage === 'damaged') await inner.set(first, value(kilobyte))
    if (damage === 'short') await inner.set(first, value(kilobyte - 1))
    if (damage === 'swapped') await inner.set(first, other)
    expect(await store.get('key'), damage).toBeUndefined()
    expect(await store.getMany?.(['key'])).toEqual([undefined])
    const version = await store.compareAndSwap('key', undefined, whole)
    expect(version).toBeDefined()
    expect((await store.get('key'))?.version).toBe(version)
  }
})

test('a head that nobody here wrote is a miss, whatever it asks us to read', async () => {
  const { inner, store } = small()
  await store.set('real', value(3 * kilobyte))
  const head = Buffer.from((await inner.get('real'))?.value ?? [])
  const heads = [Buffer.from(''), Buffer.from([7]), Buffer.from('text'), head.subarray(0, 24)]
  for (const at of [13, 17]) {
    const huge = Buffer.from(head)
    huge.writeUInt32BE(0xffffffff, at)
    heads.push(huge)
  }
  for (const planted of heads) {
    await inner.set('key', planted)
    expect(await store.get('key')).toBeUndefined()
    expect(await store.compareAndSwap('key', undefined, value(10))).toBeDefined()
  }
})

test('ST-02 clearing what begins with a key and a colon leaves that key', async () => {
  const { inner, store } = small()
  await store.set('a', value(5 * kilobyte))
  await store.set('a:b', value(5 * kilobyte))
  await store.set('app:x:1', value(5 * kilobyte))
  await store.clear?.('a:')
  expect(await store.get('a')).toBeDefined()
  expect(await store.get('a:b')).toBeUndefined()
  await store.clear?.('app:x:')
  expect(await names(inner)).toHaveLength(1 + 5)
})

test('ST-01 chunks of the keys that behalf makes have keys of the same kind, and long keys have chunks too', async () => {
  const { inner, store } = small()
  const response = `${'n'.repeat(32)}:response:0123456789ab:${'f'.repeat(64)}`
  await store.set(response, value(5 * kilobyte))
  for (const name of await names(inner)) expect(name).toMatch(/^[a-z0-9:_-]{1,120}$/)
  for (const key of ['k'.repeat(1_024), `${'k'.repeat(1_000)}:x`]) {
    await store.set(key, value(5 * kilobyte))
    expect((await store.get(key))?.value.byteLength).toBe(5 * kilobyte)
  }
})

test('a planted head makes us read no more than its value could have', async () => {
  const { inner, store } = small()
  await store.set('real', value(3 * kilobyte))
  const head = Buffer.from((await inner.get('real'))?.value ?? [])
  head.writeUInt32BE(65_536, 13)
  await inner.set('real', head)
  const read = vi.spyOn(inner, 'getMany')
  expect(await store.get('real')).toBeUndefined()
  expect(read).not.toHaveBeenCalled()
  head.writeUInt32BE(64, 13)
  head.writeUInt32BE(64 * kilobyte, 17)
  await inner.set('real', head)
  expect(await store.get('real')).toBeUndefined()
  expect(read).toHaveBeenCalledTimes(1)
})

test('a reader between two writers always finds one whole value', async () => {
  const { store } = small()
  const filled = (byte: number) => new Uint8Array(20 * kilobyte).fill(byte)
  await store.set('key', filled(0))
  const writers = Promise.all(
    [1, 2].map(async (byte) => {
      for (let round = 0; round < 100; round += 1) await store.set('key', filled(byte))
    }),
  )
  let whole = 0
  for (let read = 0; read < 200; read += 1) {
    const found = await store.get('key')
    if (!found) continue
    expect(new Set(found.value).size).toBe(1)
    expect(found.value.byteLength).toBe(20 * kilobyte)
    whole += 1
  }
  await writers
  expect(whole).toBeGreaterThan(0)
})

describe('when the store fails in between', () => {
  test('a write whose head was not written leaves the former value', async () => {
    const inner = memoryStore()
    const store = chunked(inner, { chunkBytes: kilobyte })
    await store.set('key', Buffer.from('former'))
    const failing = chunked(chaosStore(inner, [{ fault: 'throw', operations: ['set'] }]), {
      chunkBytes: kilobyte,
    })
    await expect(failing.set('key', value(3 * kilobyte), { ttl: 60 })).rejects.toThrow('ECONNRESET')
    expect(Buffer.from((await store.get('key'))?.value ?? '').toString()).toBe('former')
  })

  test('a write whose chunks were not written leaves the former value', async () => {
    const inner = memoryStore()
    await chunked(inner, { chunkBytes: kilobyte }).set('key', Buffer.from('former'))
    const dropping = chunked(chaosStore(inner, [{ fault: 'drop', operations: ['setMany'] }]), {
      chunkBytes: kilobyte,
    })
    await dropping.set('key', value(3 * kilobyte), { ttl: 60 })
    expect(await dropping.get('key')).toBeUndefined()
  })
})

test('expire lengthens and ends a split value as a whole', async () => {
  const { inner, store } = small()
  await store.set('key', value(3 * kilobyte), { ttl: 0.2 })
  expect(await store.expire?.('key', 60)).toBe(true)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect((await store.get('key'))?.value.byteLength).toBe(3 * kilobyte)
  expect(await store.expire?.('key', 0)).toBe(true)
  expect(await names(inner)).toEqual([])
  expect(await store.expire?.('key', 60)).toBe(false)
})

test('sizes that are none are refused', () => {
  for (const chunkBytes of [0, 1023, Number.NaN]) {
    expect(() => chunked(memoryStore(), { chunkBytes })).toThrow(ConfigError)
  }
  expect(() => chunked(memoryStore(), { maxBytes: -1 })).toThrow(ConfigError)
})
