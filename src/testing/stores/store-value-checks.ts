import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { bytes, holds, isAbsent, versionOf } from './store-checks.ts'
import type { StoreChecks } from './store-checks.ts'

/** What is written is what is read. */
export const readingChecks: StoreChecks = {
  'a key that was never written is absent': async (store, key) => {
    await isAbsent(store, key())
  },
  'what was set is read back': async (store, key) => {
    await store.set(key(), bytes('value'))
    await holds(store, key(), bytes('value'))
  },
  'a second set replaces the first': async (store, key) => {
    await store.set(key(), bytes('a longer first value'))
    await store.set(key(), bytes('second'))
    await holds(store, key(), bytes('second'))
  },
  'a value keeps every byte from 0 to 255': async (store, key) => {
    const value = Uint8Array.from({ length: 512 }, (_, index) => index % 256)
    await store.set(key(), value)
    await holds(store, key(), value)
    await store.compareAndSwap(key('swapped'), undefined, value)
    await holds(store, key('swapped'), value)
  },
  'an empty value is a value': async (store, key) => {
    await store.set(key(), new Uint8Array())
    await holds(store, key(), new Uint8Array())
    assert.notEqual(
      await store.compareAndSwap(key('swapped'), undefined, new Uint8Array()),
      undefined,
    )
    await holds(store, key('swapped'), new Uint8Array())
  },
  'a part of a larger buffer is stored as that part': async (store, key) => {
    const value = bytes('before|value|after').subarray(7, 12)
    await store.set(key(), value)
    await holds(store, key(), bytes('value'))
  },
  'changing the buffer after set does not change what is stored': async (store, key) => {
    const value = bytes('value')
    const written = store.set(key(), value)
    value.fill(0)
    await written
    await holds(store, key(), bytes('value'))
    value.fill(1)
    await holds(store, key(), bytes('value'))
  },
  'changing the buffer after compareAndSwap does not change what is stored': async (store, key) => {
    const value = bytes('value')
    const written = store.compareAndSwap(key(), undefined, value)
    value.fill(0)
    await written
    await holds(store, key(), bytes('value'))
    value.fill(1)
    await holds(store, key(), bytes('value'))
  },
  'what was handed over is read back, and no reader can change it': async (store, key) => {
    await store.set(key(), bytes('value'), { transfer: true })
    const found = await store.get(key())
    found!.value.fill(0)
    await holds(store, key(), bytes('value'))
    await store.compareAndSwap(key(), found!.version, bytes('next'), { transfer: true })
    await holds(store, key(), bytes('next'))
  },
  'changing a buffer that get returned does not change what is stored': async (store, key) => {
    await store.set(key(), bytes('value'))
    const found = await store.get(key())
    found?.value.fill(0)
    await holds(store, key(), bytes('value'))
  },
  'keys that look alike are different keys': async (store, key) => {
    const names = ['a', 'a:', 'a:b', 'a_b', 'a-b', 'ab', 'a::b', 'a:b:', '0', '00', '__proto__']
    names.push('constructor', 'null', 'undefined', 'k'.repeat(120 - key('').length))
    names.push(`${'k'.repeat(119 - key('').length)}l`)
    for (const name of names) await store.set(key(name), bytes(name))
    for (const name of names) await holds(store, key(name), bytes(name))
    assert.equal(await store.delete(key('a')), true)
    for (const name of names.slice(1)) await holds(store, key(name), bytes(name))
  },
  'names that every object has are absent like any other': async (store) => {
    for (const name of ['constructor', '__proto__']) {
      await isAbsent(store, name)
      assert.equal(await store.compareAndDelete(name, 'version'), false)
    }
  },
  'a value of 1 MB, or of the largest size there is, is read back': async (store, key) => {
    const value = randomBytes(Math.min(2 ** 20, store.maxValueBytes))
    await store.set(key(), value)
    await holds(store, key(), value)
    await store.compareAndSwap(key('swapped'), undefined, value)
    await holds(store, key('swapped'), value)
  },
  'a value of more than maxValueBytes throws a RangeError and changes nothing': async (
    store,
    key,
  ) => {
    if (store.maxValueBytes > 2 ** 28) return
    const tooLarge = new Uint8Array(store.maxValueBytes + 1)
    await store.set(key(), bytes('old'))
    const version = await versionOf(store, key())
    await assert.rejects(store.set(key(), tooLarge), RangeError)
    await assert.rejects(store.compareAndSwap(key(), version, tooLarge), RangeError)
    await assert.rejects(store.compareAndSwap(key('new'), undefined, tooLarge), RangeError)
    await holds(store, key(), bytes('old'), version)
    await isAbsent(store, key('new'))
  },
}

/** What is deleted is gone. */
export const deletingChecks: StoreChecks = {
  'delete tells whether there was something': async (store, key) => {
    assert.equal(await store.delete(key()), false)
    await store.set(key(), bytes('value'))
    assert.equal(await store.delete(key()), true)
    await isAbsent(store, key())
    assert.equal(await store.delete(key()), false)
  },
  'compareAndDelete deletes the version it is given and no other': async (store, key) => {
    await store.set(key(), bytes('first'))
    const first = await versionOf(store, key())
    await store.set(key(), bytes('second'))
    assert.equal(await store.compareAndDelete(key(), first), false)
    assert.equal(await store.compareAndDelete(key(), 'no such version'), false)
    const second = await versionOf(store, key())
    await holds(store, key(), bytes('second'), second)
    assert.equal(await store.compareAndDelete(key(), second), true)
    await isAbsent(store, key())
    assert.equal(await store.compareAndDelete(key(), second), false)
  },
}
