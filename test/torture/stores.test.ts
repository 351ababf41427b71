import { expect, test } from 'vitest'
import { tortureBackends } from './backends.ts'
import { tortureStore } from './store-torture.ts'
import { overlaps } from './mixed-verdict.ts'

// The long form is `npm run torture`.
test.each(tortureBackends())(
  'ST-11 $name: four processes lose no update, hold no lease twice, and see one order of things',
  async ({ start }) => {
    const backend = await start()
    try {
      const result = await tortureStore(backend.url, {
        processes: 4,
        operations: 400,
        histories: 10,
      })
      expect(result.wrong).toEqual([])
      expect(result.operations).toBe(1_600)
      // Each of the four is free at first; how often after that is the machine's to say.
      expect(result.leasesHeld).toBeGreaterThanOrEqual(4)
    } finally {
      await backend.close()
    }
  },
  120_000,
)

test('a lease that two held at once is found', () => {
  const held = (from: number, to: number) => ({ lease: 'lease', from, to })
  expect(overlaps([held(0, 10), held(10, 20), held(30, 40)])).toEqual([])
  expect(overlaps([held(30, 40), held(0, 10), held(9, 20)])).toHaveLength(1)
  expect(overlaps([held(0, 100), held(10, 20), held(50, 60)])).toHaveLength(2)
})
