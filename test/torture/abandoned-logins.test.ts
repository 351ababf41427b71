import { expect, test } from 'vitest'
import { abandonLogins } from './abandoned-logins.ts'

test('LI-22 ten thousand logins that nobody finishes leave memory and store as they were', async () => {
  const { bytesEach, entries } = await abandonLogins(10_000)
  // A cookie's worth of each would be 500 bytes; the heap itself breathes by a few hundred kilobytes.
  expect(bytesEach).toBeLessThan(100)
  expect(entries).toBe(0)
})
