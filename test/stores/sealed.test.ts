import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { RetiredSecretError } from '../../src/errors.ts'
import { KeyRing } from '../../src/key-ring.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { sealed } from '../../src/stores/sealed.ts'
import { hostileRows } from '../hostile.ts'

const oldSecret = 'an old secret of more than 32 bytes'
const newSecret = 'a new secret of more than 32 bytes.'
const value = Buffer.from('a refresh token')

/** Format version, key id: see key-ring.ts. */
const keyIdBytes = [1, 2, 3, 4]

function stores(...secrets: string[]) {
  const inner = memoryStore()
  return { inner, store: sealed(inner, new KeyRing(secrets)) }
}

test('any value under any key is read back, and the store behind never sees it', async () => {
  const { inner, store } = stores(oldSecret)
  const keys = fc.stringMatching(/^[a-z0-9:_-]{1,120}$/)
  await fc.assert(
    fc.asyncProperty(keys, fc.uint8Array({ minLength: 8, maxLength: 300 }), async (key, bytes) => {
      await store.set(key, bytes)
      expect(Buffer.from((await store.get(key))!.value).equals(bytes)).toBe(true)
      expect(Buffer.from((await inner.get(key))!.value).includes(Buffer.from(bytes))).toBe(false)
    }),
  )
})

test('a value with any single bit flipped is absent, or unavailable where its key id is hit', async () => {
  const { inner, store } = stores(oldSecret)
  await store.set('key', value)
  const { value: intact } = (await inner.get('key'))!
  for (let bit = 0; bit < intact.length * 8; bit += 1) {
    const flipped = Buffer.from(intact)
    flipped[bit >> 3]! ^= 1 << (bit & 7)
    await inner.set('key', flipped)
    const outcome = await store.get('key').then(
      (found) => found?.value,
      (error: Error) => error.name,
    )
    const expected = keyIdBytes.includes(bit >> 3) ? RetiredSecretError.name : undefined
    expect(outcome).toBe(expected)
  }
})

test('a value cut off anywhere, or with something added, is absent', async () => {
  const { inner, store } = stores(oldSecret)
  await store.set('key', value)
  const { value: intact } = (await inner.get('key'))!
  for (let length = 0; length < intact.length; length += 1) {
    await inner.set('key', intact.subarray(0, length))
    expect(await store.get('key')).toBeUndefined()
  }
  await inner.set('key', Buffer.concat([intact, Buffer.alloc(1)]))
  expect(await store.get('key')).toBeUndefined()
})

test('a value moved to another key is absent there', async () => {
  const { inner, store } = stores(oldSecret)
  await store.set('user:1', Buffer.from('one'))
  await store.set('user:2', Buffer.from('two'))
  const [one, two] = [(await inner.get('user:1'))!, (await inner.get('user:2'))!]
  await inner.set('user:1', two.value)
  await inner.set('user:2', one.value)
  expect(await store.get('user:1')).toBeUndefined()
  expect(await store.get('user:2')).toBeUndefined()
})

test('foreign values of hostile.json are absent', async () => {
  const { inner, store } = stores(oldSecret)
  for (const { input } of hostileRows('storeValue')) {
    const raw = (input as { raw?: string }).raw
    if (raw === undefined) continue
    await inner.set('key', Buffer.from(raw))
    expect(await store.get('key')).toBeUndefined()
  }
})

test('a damaged entry counts as absent in compareAndSwap too, so that it can be made anew', async () => {
  const { inner, store } = stores(oldSecret)
  await inner.set('key', Buffer.from('not sealed'))
  const version = await store.compareAndSwap('key', undefined, value)
  expect(await store.get('key')).toEqual({ value, version })
  expect(await store.compareAndSwap('key', undefined, value)).toBeUndefined()
})

test('secrets are rolled by appending the new one, then moving it to the front', async () => {
  const inner = memoryStore()
  const before = sealed(inner, new KeyRing([oldSecret]))
  const appended = sealed(inner, new KeyRing([oldSecret, newSecret]))
  const moved = sealed(inner, new KeyRing([newSecret, oldSecret]))
  const after = sealed(inner, new KeyRing([newSecret]))

  await before.set('key', value)
  expect(await appended.get('key')).toMatchObject({ value })
  await appended.set('key', value)
  expect(await before.get('key')).toMatchObject({ value })
  expect(await moved.get('key')).toMatchObject({ value })
  const version = await moved.compareAndSwap('key', (await moved.get('key'))!.version, value)
  expect(await appended.get('key')).toEqual({ value, version })
  expect(await after.get('key')).toEqual({ value, version })
})

test('a value sealed with a secret that is not there is unavailable, and is left alone', async () => {
  const inner = memoryStore()
  await sealed(inner, new KeyRing([newSecret])).set('key', value)
  const stored = await inner.get('key')
  const behind = sealed(inner, new KeyRing([oldSecret]))
  await expect(behind.get('key')).rejects.toMatchObject({ code: 'store_unavailable', status: 503 })
  expect(await behind.compareAndSwap('key', undefined, value)).toBeUndefined()
  expect(await inner.get('key')).toEqual(stored)
})

test('the largest value shrinks by what sealing adds', async () => {
  const inner = memoryStore({ maxBytes: 1000 })
  const store = sealed(inner, new KeyRing([oldSecret]))
  await store.set('key', Buffer.alloc(store.maxValueBytes))
  expect((await inner.get('key'))?.value.byteLength).toBe(1000)
  await expect(store.set('key', Buffer.alloc(store.maxValueBytes + 1))).rejects.toThrow(RangeError)
})
