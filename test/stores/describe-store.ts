import { afterAll, describe, expect, test } from 'vitest'
import { KeyRing } from '../../src/key-ring.ts'
import { chunked } from '../../src/stores/chunked.ts'
import { guarded } from '../../src/stores/guarded.ts'
import { sealed } from '../../src/stores/sealed.ts'
import type { OptionalOperation } from '../../src/stores/optional-operations.ts'
import type { Store } from '../../src/stores/store.ts'
import { storeContract } from '../../src/testing/stores/store-contract.ts'
import { describeCacheManager } from './cache-manager-suite.ts'
import { describeClearing } from './clearing-suite.ts'
import { describeHostileValues } from './hostile-values-suite.ts'
import { describeKeyv } from './keyv-suite.ts'

/** All of them. */
const everyOperation: readonly OptionalOperation[] = [
  'keys',
  'clear',
  'getMany',
  'setMany',
  'deleteMany',
  'increment',
  'ttl',
  'expire',
]

const keyRing = new KeyRing(['0123456789abcdef0123456789abcdef'])
const limits = { name: 'test store', deadline: { read: 15, write: 15 } }

/**
 * Everything that every store must show, on one backend: `make` gives a store each time, all of
 * which keep their values in the same place. `operations` are those it has beyond the required.
 */
export function describeStore(
  name: string,
  make: () => Store,
  operations: readonly OptionalOperation[] = everyOperation,
): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller's
  describe(name, () => {
    const opened: Store[] = []
    afterAll(() => Promise.all(opened.map((store) => store.close())))

    test('it has the operations it is meant to have', () => {
      const store = make()
      opened.push(store)
      expect(everyOperation.filter((operation) => typeof store[operation] === 'function')).toEqual(
        operations,
      )
    })
    describeContract('the store contract', make)
    describeContract('the store contract, sealed, in chunks and guarded', () =>
      sealed(chunked(guarded(make(), limits)), keyRing),
    )
    describeContract('the store contract, in chunks of 100 kB', () =>
      chunked(make(), { maxBytes: 5 * 2 ** 20, chunkBytes: 100_000 }),
    )
    describeHostileValues(make)
    describeCacheManager(make)
    describeClearing(make)
    describeKeyv(make)
  })
}

/** The contract's cases, all at the same time. */
export function describeContract(title: string, make: () => Store): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller's
  describe.concurrent(title, () => {
    // oxlint-disable-next-line vitest/expect-expect, vitest/valid-title -- both are in the contract
    for (const { title: name, run } of storeContract(make)) test(name, run)
  })
}
