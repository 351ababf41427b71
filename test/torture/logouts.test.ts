import { expect, test } from 'vitest'
import { tortureLogouts } from './logout-torture.ts'

// The long form is `npm run torture logouts`.
test('LO-03 however a logout, refreshes and late saves of a session interleave, nothing comes back', async () => {
  const interleavings = 150
  const result = await tortureLogouts({ seed: 'short', interleavings })
  expect(result.wrong).toEqual([])
  expect(result.loggedOut).toBeGreaterThan(0.9 * interleavings)
  expect(result.orders).toBeGreaterThan(0.9 * interleavings)
  expect(result.refreshes).toBeGreaterThan(0.3 * interleavings)
}, 120_000)
