import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { Store } from '../../stores/store.ts'
import { bytes } from './store-checks.ts'
import type { MakeKey, StoreChecks } from './store-checks.ts'
import { counterChecks } from './store-counter-checks.ts'
import { expiryChecks, noTtlChecks } from './store-expiry-checks.ts'
import { manyKeysChecks } from './store-many-keys-checks.ts'
import { noticesChecks } from './store-notices-checks.ts'
import { deletingChecks, readingChecks } from './store-value-checks.ts'
import { versionChecks } from './store-version-checks.ts'

/** One thing that every store does; `run` rejects with an `AssertionError` where it does not. */
export interface StoreContractCase {
  title: string
  run: () => Promise<void>
}

/**
 * The contract of a `Store` as tests, for any test runner:
 *
 *     for (const { title, run } of storeContract(() => myStore())) test(title, run)
 *
 * Each case makes a store, uses keys that begin with a random first segment, deletes them and closes
 * the store. All of them may share one backend and run at the same time. What is asked of an
 * operation that the store does not have passes.
 */
export function storeContract(makeStore: () => Promise<Store> | Store): StoreContractCase[] {
  return Object.entries(cases).map(([title, check]) => ({
    title,
    async run() {
      const store = await makeStore()
      const keys = new Keys()
      try {
        await check(store, keys.key)
      } finally {
        await Promise.allSettled(keys.used.map((key) => store.delete(key)))
        await store.close()
      }
    },
  }))
}

class Keys {
  readonly used: string[] = []
  readonly #prefix = `contract-${randomBytes(8).toString('hex')}:`
  readonly key: MakeKey = (name = 'key') => {
    const key = this.#prefix + name
    this.used.push(key)
    return key
  }
}

const itself: StoreChecks = {
  'it says how far its comparisons reach, whether it is durable and what it takes': async (
    store,
  ) => {
    assert.equal(['process', 'host', 'cluster'].includes(store.reach), true)
    assert.equal(typeof store.durable, 'boolean')
    assert.equal(store.maxValueBytes > 0, true)
  },
  'closing twice does no harm': async (store, key) => {
    await store.set(key(), bytes('value'))
    await store.close()
    await store.close()
  },
}

const cases: StoreChecks = {
  ...readingChecks,
  ...deletingChecks,
  ...versionChecks,
  ...expiryChecks,
  ...noTtlChecks,
  ...manyKeysChecks,
  ...counterChecks,
  ...noticesChecks,
  ...itself,
}
