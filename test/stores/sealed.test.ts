import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { ConfigError, RetiredSecretError } from '../../src/errors.ts'
import { decrypt, encrypt, KeyRing } from '../../src/key-ring.ts'
import { SealedRecords } from '../../src/oauth/sealed-records.ts'
import { newGrant } from '../../src/oauth/token-record.ts'
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

test('many values are sealed and opened at once, each for its own key', async () => {
  const { inner, store } = stores(oldSecret)
  await store.setMany!([
    ['a', Buffer.from('one')],
    ['b', Buffer.from('two')],
  ])
  for (const key of ['a', 'b']) {
    expect(Buffer.from((await inner.get(key))!.value).toString('latin1')).not.toMatch(/one|two/)
  }
  const texts = async (...keys: string[]) =>
    (await store.getMany!(keys)).map((found) => found && Buffer.from(found.value).toString())
  expect(await texts('b', 'missing', 'a')).toEqual(['two', undefined, 'one'])
  await inner.set('a', (await inner.get('b'))!.value)
  expect(await texts('a', 'b')).toEqual([undefined, 'two'])
  await store.deleteMany!(['a', 'b'])
  expect(await texts('a', 'b')).toEqual([undefined, undefined])
})

test('it is as the store behind it, but cannot count what it cannot read', async () => {
  const { inner, store } = stores(oldSecret)
  expect(inner.increment).toBeTypeOf('function')
  expect(store.increment).toBeUndefined()
  expect([store.reach, store.durable]).toEqual([inner.reach, inner.durable])
  await store.set('key', value, { ttl: 60 })
  expect(await store.ttl!('key')).toBeGreaterThan(50)
  const { version } = (await store.get('key'))!
  expect(await store.compareAndDelete('key', 'another')).toBe(false)
  expect(await store.compareAndDelete('key', version)).toBe(true)
  await store.set('key', value)
  expect(await store.delete('key')).toBe(true)
  expect(await store.delete('key')).toBe(false)
  expect(await inner.get('key')).toBeUndefined()
  const { getMany: _get, setMany: _set, ...few } = inner
  const plain = sealed({ ...few } as never, new KeyRing([oldSecret]))
  expect([plain.getMany, plain.setMany]).toEqual([undefined, undefined])
  let isClosed = false
  const closing = { ...few, close: async () => void (isClosed = true) }
  await sealed(closing as never, new KeyRing([oldSecret])).close()
  expect(isClosed).toBe(true)
})

test('a value is created, replaced and left alone by comparison, with its ttl', async () => {
  const { store } = stores(oldSecret)
  const version = await store.compareAndSwap('key', undefined, value, { ttl: 60 })
  expect(await store.ttl!('key')).toBeGreaterThan(50)
  expect(await store.compareAndSwap('key', 'another', Buffer.from('new'))).toBeUndefined()
  expect(await store.compareAndSwap('key', undefined, Buffer.from('new'))).toBeUndefined()
  expect(await store.get('key')).toEqual({ value, version })
  expect(await store.compareAndSwap('missing', 'another', value)).toBeUndefined()
  expect(await store.get('missing')).toBeUndefined()
})

test('the app has at least one secret, of 32 bytes at least', () => {
  expect(() => new KeyRing([])).toThrow(new ConfigError('secret must hold at least one secret.'))
  const message = 'Each secret must have at least 32 bytes; make one with: npx behalf secret'
  for (const secret of ['', 'x'.repeat(31), 'ü'.repeat(15)]) {
    expect(() => new KeyRing([oldSecret, secret])).toThrow(new ConfigError(message))
  }
  expect(() => new KeyRing(['x'.repeat(32), 'ü'.repeat(16)])).not.toThrow()
})

test('SE-06 what is sealed for a purpose and a context opens for no others', () => {
  const ring = new KeyRing([oldSecret])
  const text = fc.string({ unit: fc.constantFrom(...'a",[]\\'.split('')), maxLength: 3 })
  fc.assert(
    fc.property(text, text, text, text, (purpose, context, other, another) => {
      const opened = ring.open(other, another, ring.seal(purpose, context, value))
      expect(opened.ok).toBe(purpose === other && context === another)
    }),
    { numRuns: 1_000 },
  )
})

test('SE-07 what an older secret has sealed is told to be outdated', () => {
  const open = (ring: KeyRing, by: KeyRing) => ring.open('p', 'c', by.seal('p', 'c', value))
  const [before, after] = [new KeyRing([oldSecret]), new KeyRing([newSecret, oldSecret])]
  expect(open(after, after)).toEqual({ ok: true, value, outdated: false })
  expect(open(after, before)).toEqual({ ok: true, value, outdated: true })
  expect(open(before, after)).toEqual({ ok: false, reason: 'unknown-key' })
  expect(before.open('p', 'c', new Uint8Array())).toEqual({ ok: false, reason: 'corrupt' })
})

test('each purpose and each secret has a key of its own', () => {
  const ring = new KeyRing([oldSecret, newSecret])
  const keys = [ring.derive('a'), ring.derive('b'), new KeyRing([newSecret, oldSecret]).derive('a')]
  expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(3)
  expect(keys[0]).toHaveLength(32)
  expect(ring.derive('a')).toEqual(keys[0])
})

test('what this version has sealed is opened by the next', () => {
  const ring = new KeyRing([oldSecret])
  const kept = Buffer.from(
    'ATcrbXRJ6uuJU93V9gtoMlgliXHOiFcge9jzdb33lm_nCZ-kYvip96es-e4MsJtA',
    'base64url',
  )
  expect(ring.open('purpose', 'context', kept)).toEqual({ ok: true, value, outdated: false })
})

test('what is too short to be sealed is nothing, and the shortest is', () => {
  const [key, context] = [Buffer.alloc(32), Buffer.from('context')]
  const empty = encrypt(key, context, new Uint8Array())
  expect(empty).toHaveLength(28)
  expect(decrypt(key, context, empty)).toHaveLength(0)
  for (let length = 0; length < 28; length += 1) {
    expect(decrypt(key, context, empty.subarray(0, length)), `${length}`).toBeUndefined()
  }
  expect(decrypt(Buffer.alloc(32, 1), context, empty)).toBeUndefined()
  expect(decrypt(key, Buffer.from('another'), empty)).toBeUndefined()
  const ring = new KeyRing([oldSecret])
  expect(ring.open('p', 'c', ring.seal('p', 'c', new Uint8Array()))).toMatchObject({ ok: true })
})

test('a record is opened once while its bytes stay the same, unless it is large or forgotten', () => {
  const records = new SealedRecords(new KeyRing([oldSecret]))
  const sealedOf = (text: string) =>
    records.seal('key', {
      ...newGrant(),
      provider: 'spotify',
      profile: { subject: 'ada', name: text },
      scope: [],
      authorizedAt: 1,
      tokens: { accessToken: 'at', receivedAt: 1 },
    })
  const [small, other, large] = [sealedOf('a'), sealedOf('b'), sealedOf('x'.repeat(9_000))]
  const first = records.open('key', small)
  expect(first?.profile.name).toBe('a')
  expect(records.open('key', Uint8Array.from(small))).toBe(first)
  expect(records.open('key', other)?.profile.name).toBe('b')
  expect(records.open('key', small)).not.toBe(first)

  const kept = Uint8Array.from(small)
  const again = records.open('key', kept)
  kept.fill(0)
  expect(records.open('key', small)).toBe(again)
  expect(records.open('key', kept)).toBeUndefined()

  records.forget('key')
  expect(records.open('key', small)).not.toBe(again)
  expect(records.open('key', large)).not.toBe(records.open('key', large))
  expect(records.open('another key', small)).toBeUndefined()

  // The longest that is remembered has 8,192 bytes.
  const sizes = sealedOf('').length
  const exact = sealedOf('x'.repeat(8_192 - sizes))
  expect(exact).toHaveLength(8_192)
  expect(records.open('key', exact)).toBe(records.open('key', exact))
  const over = sealedOf('x'.repeat(8_193 - sizes))
  expect(records.open('key', over)).not.toBe(records.open('key', over))
})

test('SE-07 a record that another secret has sealed is not taken for nothing, a damaged one is', () => {
  const records = new SealedRecords(new KeyRing([oldSecret]))
  const newer = new KeyRing([newSecret]).seal('token record', 'key', value)
  expect(() => records.open('key', newer)).toThrow(RetiredSecretError)
  expect(records.open('key', Buffer.from('not sealed'))).toBeUndefined()
  expect(records.open('key', new KeyRing([oldSecret]).seal('store', 'key', value))).toBeUndefined()
})
