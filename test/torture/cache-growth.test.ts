import { expect, test } from 'vitest'
import { growCache } from './cache-growth.ts'

// The long form, with 100,000, is `npm run torture cache growth`.
test(
  'CA-12 calls that never come again leave nothing behind in the process',
  { timeout: 120_000 },
  async () => {
    const { bytesEach } = await growCache({ calls: 4_000, memory: false })
    // A key's worth of each would be 150 bytes; the heap itself breathes by a few hundred kilobytes.
    expect(bytesEach).toBeLessThan(150)
  },
)
