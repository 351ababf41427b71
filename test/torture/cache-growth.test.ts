import { expect, test } from 'vitest'
import { growCache } from './cache-growth.ts'

// The long form, with 100,000, is `npm run torture cache growth`.
test(
  'CA-12 calls that never come again are not kept in the process',
  { timeout: 120_000 },
  async () => {
    const { bytesEach } = await growCache({ calls: 4_000, memory: false })
    // What is remembered is still filling up (16 MiB of opened replies, thousands of keys). A reply and
    // its keys would be 3,000 bytes; less than that only the long form can tell.
    expect(bytesEach).toBeLessThan(1_000)
  },
)
