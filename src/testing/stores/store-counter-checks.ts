import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { bytes, checksOf, holds, isAbsent, patience, versionOf } from './store-checks.ts'
import type { StoreChecks } from './store-checks.ts'

const counting = checksOf('increment', {
  'increment counts from 0, up and down, and get finds the digits': async (store, key) => {
    assert.equal(await store.increment(key(), 5), 5)
    assert.equal(await store.increment(key(), -7), -2)
    await holds(store, key(), bytes('-2'))
    await store.set(key(), bytes('40'))
    assert.equal(await store.increment(key(), 2), 42)
    assert.equal(await store.increment(key(), 0), 42)
  },
  'of 100 concurrent increments none is lost': async (store, key) => {
    const counts = await Promise.all(
      Array.from({ length: 100 }, () => store.increment(key(), 1, { ttl: 60 })),
    )
    assert.equal(new Set(counts).size, 100)
    await holds(store, key(), bytes('100'))
  },
  'increment gives a new version, and a counter can be compared like any value': async (
    store,
    key,
  ) => {
    await store.increment(key(), 1)
    const first = await versionOf(store, key())
    await store.increment(key(), 1)
    assert.equal(await store.compareAndSwap(key(), first, bytes('9')), undefined)
    const second = await versionOf(store, key())
    assert.notEqual(second, first)
    assert.notEqual(await store.compareAndSwap(key(), second, bytes('9')), undefined)
    assert.equal(await store.increment(key(), 1), 10)
    assert.equal(await store.compareAndDelete(key(), await versionOf(store, key())), true)
    assert.equal(await store.increment(key(), 1), 1)
  },
  'a counter keeps the lifetime it began with, and begins again after it': async (store, key) => {
    for (const ttl of patience) {
      await store.delete(key())
      await store.increment(key(), 1, { ttl })
      if ((await store.increment(key(), 1, { ttl: 60 })) !== 2) continue
      await sleep(ttl * 1000 + 100)
      await isAbsent(store, key())
      assert.equal(await store.increment(key(), 1, { ttl: 60 }), 1)
      return
    }
    assert.fail('the store is too slow to tell')
  },
  'increment of what is no safe integer throws a RangeError and changes nothing': async (
    store,
    key,
  ) => {
    const add = (name: string, by: number) => store.increment(name, by)
    for (const text of ['', 'text', '1.5', '1e3', ' 1', '9007199254740993', '\xff']) {
      await store.set(key(), bytes(text))
      await assert.rejects(add(key(), 1), RangeError, text)
      await holds(store, key(), bytes(text))
    }
    await store.set(key(), bytes(String(Number.MAX_SAFE_INTEGER)))
    await assert.rejects(add(key(), 1), RangeError)
    assert.equal(await add(key(), -1), Number.MAX_SAFE_INTEGER - 1)
    for (const by of [0.5, Number.NaN, Infinity, 2 ** 53]) {
      await assert.rejects(add(key('absent'), by), RangeError)
    }
    await isAbsent(store, key('absent'))
  },
})

const remaining = checksOf('ttl', {
  'ttl tells what is left, Infinity for ever, undefined for what is absent': async (store, key) => {
    assert.equal(await store.ttl(key()), undefined)
    await store.set(key(), bytes('value'))
    assert.equal(await store.ttl(key()), Infinity)
    for (const ttl of [60, 2_592_001]) {
      await store.set(key(), bytes('value'), { ttl })
      const left: number = (await store.ttl(key())) ?? 0
      assert.equal(left > ttl - 30 && left <= ttl + 1, true, `${left} s are left of ${ttl}`)
    }
    await store.set(key(), bytes('value'), { ttl: 0.05 })
    await sleep(100)
    assert.equal(await store.ttl(key()), undefined)
  },
})

const extending = checksOf('expire', {
  'expire gives another lifetime and keeps value and version': async (store, key) => {
    assert.equal(await store.expire(key(), 60), false)
    await store.set(key(), bytes('value'))
    const version = await versionOf(store, key())
    assert.equal(await store.expire(key(), 60), true)
    await holds(store, key(), bytes('value'), version)
    assert.equal(await store.expire(key(), 0.05), true)
    await sleep(100)
    await isAbsent(store, key())
    assert.equal(await store.expire(key(), 60), false)
    await isAbsent(store, key())
  },
  'expire with zero or less deletes, and with Infinity keeps for ever': async (store, key) => {
    for (let found = false; !found;) {
      const startedAt = performance.now()
      await store.set(key(), bytes('value'), { ttl: 0.5 })
      found = await store.expire(key(), Infinity)
      // Only where a disk has stalled it may have ended meanwhile.
      assert.ok(found || performance.now() - startedAt >= 500, 'what was there is found')
    }
    await store.set(key('gone'), bytes('value'))
    assert.equal(await store.expire(key('gone'), 0), true)
    await isAbsent(store, key('gone'))
    await sleep(600)
    await holds(store, key(), bytes('value'))
    await assert.rejects(store.expire(key(), Number.NaN), RangeError)
  },
})

/** The operations on counters and lifetimes that a store may have. */
export const counterChecks: StoreChecks = { ...counting, ...remaining, ...extending }
