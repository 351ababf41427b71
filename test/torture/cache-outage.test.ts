import { afterAll, describe, expect, test } from 'vitest'
import { component } from '../components.ts'
import { removeBuiltPrograms } from './built-program.ts'
import { tortureCacheOutage } from './cache-outage.ts'
import { outageManners } from './outage-torture.ts'

afterAll(removeBuiltPrograms)

// The long form is `npm run torture cache outage`.
describe.skipIf(!component('redis-server').present)('CA-18 a cache whose Redis', () => {
  // That it is used again within two seconds is more than a busy machine may have.
  test.each(outageManners)(
    'is %s for a while under load fails no request, and is used again soon',
    { retry: 2, timeout: 60_000 },
    async (manner) => {
      const { wrong, figures } = await tortureCacheOutage({ manner, seconds: 2.5, rate: 60 })
      expect(wrong).toEqual([])
      expect(figures['hits before it']).toBeGreaterThan(0)
    },
  )
})
