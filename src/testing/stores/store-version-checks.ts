import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../stores/store.ts'
import { bytes, holds, isAbsent, oneWins, versionOf } from './store-checks.ts'
import type { StoreChecks } from './store-checks.ts'

/** Comparisons are atomic and versions are used once. */
export const versionChecks: StoreChecks = {
  'compareAndSwap without a version creates what is absent': async (store, key) => {
    const version = await store.compareAndSwap(key(), undefined, bytes('value'))
    assert.equal(typeof version, 'string')
    await holds(store, key(), bytes('value'), version)
  },
  'compareAndSwap without a version leaves what is present': async (store, key) => {
    await store.set(key(), bytes('present'))
    const version = await versionOf(store, key())
    assert.equal(await store.compareAndSwap(key(), undefined, bytes('new')), undefined)
    await holds(store, key(), bytes('present'), version)
  },
  'compareAndSwap with the present version replaces': async (store, key) => {
    await store.set(key(), bytes('first'))
    const first = await versionOf(store, key())
    const second = await store.compareAndSwap(key(), first, bytes('second'))
    assert.equal(typeof second, 'string')
    assert.notEqual(second, first)
    await holds(store, key(), bytes('second'), second)
    const third = await store.compareAndSwap(key(), second, bytes('third'))
    await holds(store, key(), bytes('third'), third)
  },
  'compareAndSwap with another version writes nothing': async (store, key) => {
    const first = await store.compareAndSwap(key(), undefined, bytes('first'))
    await store.set(key(), bytes('second'))
    const second = await versionOf(store, key())
    assert.equal(await store.compareAndSwap(key(), first, bytes('third')), undefined)
    assert.equal(await store.compareAndSwap(key(), 'no such version', bytes('third')), undefined)
    assert.equal(await store.compareAndSwap(key(), '', bytes('third')), undefined)
    await holds(store, key(), bytes('second'), second)
  },
  'compareAndSwap with a version writes nothing where the key is absent': async (store, key) => {
    assert.equal(await store.compareAndSwap(key(), 'version', bytes('value')), undefined)
    assert.equal(await store.compareAndSwap(key(), '', bytes('value')), undefined)
    const version = await store.compareAndSwap(key(), undefined, bytes('value'))
    await store.delete(key())
    assert.equal(await store.compareAndSwap(key(), version, bytes('value')), undefined)
    await isAbsent(store, key())
  },
  'no version is used twice, also not after a delete, an expiry or a new creation': async (
    store,
    key,
  ) => {
    const versions: Array<string | undefined> = []
    const round = async () => {
      versions.push(await store.compareAndSwap(key(), undefined, bytes('same')))
      await store.set(key(), bytes('same'))
      versions.push(await versionOf(store, key()))
      versions.push(await store.compareAndSwap(key(), versions.at(-1), bytes('same')))
    }
    await round()
    await store.delete(key())
    await round()
    await store.compareAndDelete(key(), versions.at(-1) ?? '')
    await round()
    await store.set(key(), bytes('same'), { ttl: 0 })
    await round()
    await store.set(key(), bytes('same'), { ttl: 0.05 })
    await sleep(100)
    await round()
    assert.equal(versions.includes(undefined), false)
    assert.equal(new Set(versions).size, versions.length)
  },
  'of 50 concurrent creations exactly one wins': async (store, key) => {
    const tries = Array.from({ length: 50 }, (_, index) =>
      store.compareAndSwap(key(), undefined, bytes(`caller ${index}`)),
    )
    await oneWins(store, key(), await Promise.all(tries))
  },
  'of 50 concurrent replacements of one version exactly one wins': async (store, key) => {
    const first = await store.compareAndSwap(key(), undefined, bytes('first'))
    const tries = Array.from({ length: 50 }, (_, index) =>
      store.compareAndSwap(key(), first, bytes(`caller ${index}`)),
    )
    await oneWins(store, key(), await Promise.all(tries))
  },
  'of 50 concurrent compareAndDelete of one version exactly one wins': async (store, key) => {
    await store.set(key(), bytes('value'))
    const version = await versionOf(store, key())
    const tries = Array.from({ length: 50 }, () => store.compareAndDelete(key(), version))
    assert.equal((await Promise.all(tries)).filter(Boolean).length, 1)
  },
  'of 100 concurrent optimistic increments none is lost': async (store, key) => {
    await Promise.all(Array.from({ length: 100 }, () => increment(store, key())))
    await holds(store, key(), bytes('100'))
  },
}

async function increment(store: Store, key: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const found = await store.get(key)
    const count = found ? Number(Buffer.from(found.value).toString()) : 0
    if (await store.compareAndSwap(key, found?.version, bytes(String(count + 1)))) return
    // As clients do: without a pause the tries grow by the square of how many there are.
    await sleep(Math.random() * 2 ** Math.min(tries, 10))
  }
}
