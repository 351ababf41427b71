import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../stores/store.ts'
import { bytes, holds, isAbsent, oneWins, patience, versionOf } from './store-checks.ts'
import type { StoreChecks } from './store-checks.ts'

/** What has expired is absent in every condition. */
export const expiryChecks: StoreChecks = {
  'a value with a ttl is there before it and absent after it': async (store, key) => {
    await store.set(key(), bytes('short'), { ttl: 0.05 })
    await store.set(key('long'), bytes('long'), { ttl: 60 })
    await sleep(100)
    await isAbsent(store, key())
    await holds(store, key('long'), bytes('long'))
  },
  'a ttl below one second is not rounded down to nothing': async (store, key) => {
    for (let tries = 0; tries < 20; tries += 1) {
      const startedAt = performance.now()
      await store.set(key(), bytes('value'), { ttl: 0.9 })
      const found = await store.get(key())
      if (found) return
      if (performance.now() - startedAt < 800) assert.fail('it was absent before its time')
    }
    assert.fail('the store is too slow to tell')
  },
  'a ttl of more than 30 days, and of a year, is not taken for an instant': async (store, key) => {
    for (const ttl of [2_592_001, 366 * 86_400]) {
      await store.set(key(), bytes('set'), { ttl })
      await holds(store, key(), bytes('set'))
      const version = await versionOf(store, key())
      const swapped = await store.compareAndSwap(key(), version, bytes('swapped'), { ttl })
      await holds(store, key(), bytes('swapped'), swapped)
    }
  },
  'delete finds nothing once the value has expired': async (store, key) => {
    await expired(store, key())
    assert.equal(await store.delete(key()), false)
  },
  'compareAndDelete finds nothing once the value has expired': async (store, key) => {
    const version = await expired(store, key())
    assert.equal(await store.compareAndDelete(key(), version), false)
  },
  'compareAndSwap with its version fails once the value has expired': async (store, key) => {
    const version = await expired(store, key())
    assert.equal(await store.compareAndSwap(key(), version, bytes('new')), undefined)
    await isAbsent(store, key())
  },
  'compareAndSwap without a version succeeds once the value has expired': async (store, key) => {
    await expired(store, key())
    const version = await store.compareAndSwap(key(), undefined, bytes('new'))
    assert.equal(typeof version, 'string')
    await holds(store, key(), bytes('new'), version)
  },
  'of 50 concurrent creations over an expired value exactly one wins': async (store, key) => {
    await expired(store, key())
    const tries = Array.from({ length: 50 }, (_, index) =>
      store.compareAndSwap(key(), undefined, bytes(`caller ${index}`)),
    )
    await oneWins(store, key(), await Promise.all(tries))
  },
  'a value created with a ttl expires': async (store, key) => {
    await store.compareAndSwap(key(), undefined, bytes('value'), { ttl: 0.05 })
    await sleep(100)
    await isAbsent(store, key())
  },
  'a value replaced with a ttl expires': async (store, key) => {
    const version = await store.compareAndSwap(key(), undefined, bytes('first'))
    await store.compareAndSwap(key(), version, bytes('second'), { ttl: 0.05 })
    await sleep(100)
    await isAbsent(store, key())
  },
  'a set without a ttl ends the former ttl': async (store, key) => {
    await store.set(key(), bytes('first'), { ttl: 0.05 })
    await store.set(key(), bytes('second'))
    await sleep(100)
    await holds(store, key(), bytes('second'))
  },
  'a compareAndSwap without a ttl ends the former ttl': async (store, key) => {
    for (const ttl of patience) {
      await store.set(key(), bytes('first'), { ttl })
      const found = await store.get(key())
      const swapped = await store.compareAndSwap(key(), found?.version, bytes('second'))
      if (!found || swapped === undefined) continue
      await sleep(ttl * 1000 + 100)
      return holds(store, key(), bytes('second'), swapped)
    }
    assert.fail('the store is too slow to tell')
  },
}

/** A ttl of zero or less, and one that is no number. */
export const noTtlChecks: StoreChecks = {
  'a set with a ttl of zero or less stores nothing and what was there is gone': async (
    store,
    key,
  ) => {
    for (const ttl of [0, -0, -1, -0.001, -2_592_001, -Infinity]) {
      await store.set(key(), bytes('old'))
      await store.set(key(), bytes('new'), { ttl })
      await isAbsent(store, key())
      assert.equal(await store.delete(key()), false)
    }
  },
  'a compareAndSwap with a ttl of zero or less succeeds and leaves nothing': async (store, key) => {
    for (const ttl of [0, -1]) {
      const version = await store.compareAndSwap(key(), undefined, bytes('old'))
      const swapped = await store.compareAndSwap(key(), version, bytes('new'), { ttl })
      assert.equal(typeof swapped, 'string')
      assert.notEqual(swapped, version)
      await isAbsent(store, key())
      const created = await store.compareAndSwap(key(), undefined, bytes('new'), { ttl })
      assert.equal(typeof created, 'string')
      await isAbsent(store, key())
    }
  },
  'a compareAndSwap with a ttl of zero or less changes nothing where the condition fails': async (
    store,
    key,
  ) => {
    await store.set(key(), bytes('old'))
    const version = await versionOf(store, key())
    for (const wrong of [undefined, 'no such version']) {
      assert.equal(await store.compareAndSwap(key(), wrong, bytes('new'), { ttl: 0 }), undefined)
    }
    await holds(store, key(), bytes('old'), version)
  },
  'a ttl that is NaN throws a RangeError and changes nothing': async (store, key) => {
    await store.set(key(), bytes('old'))
    const version = await versionOf(store, key())
    const ttl = Number.NaN
    await assert.rejects(store.set(key(), bytes('new'), { ttl }), RangeError)
    await assert.rejects(store.compareAndSwap(key(), version, bytes('new'), { ttl }), RangeError)
    await assert.rejects(
      store.compareAndSwap(key('absent'), undefined, bytes('new'), { ttl }),
      RangeError,
    )
    await holds(store, key(), bytes('old'), version)
    await isAbsent(store, key('absent'))
  },
  'a ttl that is undefined is none': async (store, key) => {
    await store.set(key(), bytes('value'), { ttl: undefined })
    await holds(store, key(), bytes('value'))
  },
}

/** Leaves an expired value and gives the version it had. */
async function expired(store: Store, key: string): Promise<string> {
  const version = await store.compareAndSwap(key, undefined, bytes('expired'), { ttl: 0.05 })
  assert.equal(typeof version, 'string')
  await sleep(100)
  return version ?? ''
}
