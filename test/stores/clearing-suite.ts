import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { UnsupportedOperationError } from '../../src/errors.ts'
import { cacheManager } from '../../src/stores/cache-manager.ts'
import { each } from '../../src/stores/many-keys.ts'
import type { Store } from '../../src/stores/store.ts'

const runs = { numRuns: 30 }
const patience = 60_000
const value = Buffer.from('value')

/** Few characters, so that names begin alike; among them what patterns, SQL and paths are made of. */
const nameOf = (units: readonly string[]) =>
  fc.string({ unit: fc.constantFrom(...units), minLength: 1, maxLength: 4 })
const inKeys = nameOf(['a', 'b', '-', '_', ':', ':'])
const anyText = nameOf(['a', 'b', '*', '?', '%', '_', '.', ':', '\\', '[', "'", 'é'])
const pattern = nameOf(['a', 'b', '*', '*', ':', '.'])

/** More of the kind `storeClear` of hostile.json: what goes is what lies under what was cleared. */
export function describeClearing(make: () => Store): void {
  describe('clearing', () => {
    const store = make()
    afterAll(() => store.close())
    /** Tells whether it was done: a store may say that it cannot. */
    const done = (work: Promise<void>) =>
      work.then(
        () => true,
        (error: unknown) => {
          expect(error).toBeInstanceOf(UnsupportedOperationError)
          return false
        },
      )
    const root = () => `clearing-${randomBytes(6).toString('hex')}`

    test.skipIf(store.clear === undefined)(
      'ST-02 whatever prefix is cleared, keys that begin with it go and no others',
      async () => {
        const keys = fc.uniqueArray(inKeys, { minLength: 1, maxLength: 8 })
        await fc.assert(
          fc.asyncProperty(keys, fc.constantFrom('', ':'), inKeys, async (names, end, prefix) => {
            const at = root()
            const all = names.map((name) => `${at}${end}${name}`)
            const cleared = `${at}${end}${prefix}`
            await each(all, (key) => store.set(key, value, { ttl: 60 }))
            const isDone = await done(store.clear!(cleared))
            const found = await each(all, (key) => store.get(key))
            const left = all.filter((_key, index) => found[index] !== undefined)
            expect(left).toEqual(all.filter((key) => !isDone || !key.startsWith(cleared)))
          }),
          runs,
        )
      },
      patience,
    )

    test(
      'ST-02 whatever namespace is cleared, or pattern in it, what lies under it goes and nothing else',
      async () => {
        const entries = fc.uniqueArray(fc.tuple(anyText, anyText), {
          minLength: 2,
          maxLength: 8,
          selector: (names) => names.join(' '),
        })
        const which = fc.option(pattern, { nil: undefined })
        await fc.assert(
          fc.asyncProperty(entries, fc.nat(8), anyText, which, async (all, at, other, wanted) => {
            const suffix = root()
            const managerOf = (name: string) =>
              cacheManager(store, { namespace: `${name}${suffix}` })
            for (const [namespace, key] of all) await managerOf(namespace).set(key, 1)
            // One that there is, or one that there may not be.
            const cleared = all[at]?.[0] ?? other
            const isDone = await done(managerOf(cleared).clear(wanted))
            const found = await each(all, ([namespace, key]) => managerOf(namespace).get(key))
            const left = all.filter((_entry, index) => found[index] !== undefined)
            const goes = globOf(wanted ?? '*')
            expect(left).toEqual(
              all.filter(([namespace, key]) => {
                return !isDone || namespace !== cleared || !goes.test(key)
              }),
            )
          }),
          runs,
        )
      },
      patience,
    )
  })
}

/** What a pattern of a cache manager means: `*` is any text, all else itself. */
function globOf(text: string): RegExp {
  const parts = text.split('*').map((part) => part.replace(/[^\w]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('.*')}$`, 's')
}
