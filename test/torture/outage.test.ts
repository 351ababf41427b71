import { describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { tortureOutageAtReply } from './outage-reply.ts'
import { outageManners, tortureOutage } from './outage-torture.ts'

// The long form is `npm run torture tokens outage`.
describe.skipIf(!component('redis-server').present)('SE-13 a token store that is away', () => {
  test.each(outageManners)(
    '%s: every request is answered with 503 soon, and nobody has to log in again',
    async (manner) => {
      const { wrong, figures } = await tortureOutage({ manner, seconds: 1.5, browsers: 6 })
      expect(wrong).toEqual([])
      // They do not wait until it is back.
      expect(figures['p99, ms']).toBeLessThan(1_000)
    },
    60_000,
  )

  test('while new tokens come takes none of them away, also when the app is closing', async () => {
    const { wrong, figures } = await tortureOutageAtReply({ rounds: 4, seconds: [0.3, 1] })
    expect(wrong).toEqual([])
    expect(figures['presented twice']).toBe(0)
  }, 60_000)
})
