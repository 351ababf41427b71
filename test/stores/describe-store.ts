import { afterAll, describe, expect, test } from 'vitest'
import { KeyRing } from '../../src/key-ring.ts'
import { guarded } from '../../src/stores/guarded.ts'
import { sealed } from '../../src/stores/sealed.ts'
import type { Store } from '../../src/stores/store.ts'
import { storeContract } from '../../src/testing/store-contract.ts'

/** The operations that only some stores have. */
export type OptionalOperation =
  | 'keys'
  | 'clear'
  | 'getMany'
  | 'setMany'
  | 'deleteMany'
  | 'increment'
  | 'ttl'
  | 'expire'

/** All of them. */
export const everyOperation: readonly OptionalOperation[] = [
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
      expect(everyOperation.filter((operation) => operation in store)).toEqual(operations)
    })
    describeContract('the store contract', make)
    describeContract('the store contract, sealed and guarded', () =>
      sealed(guarded(make(), limits), keyRing),
    )
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
