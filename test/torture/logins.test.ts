import { expect, test } from 'vitest'
import { tortureLogins } from './login-torture.ts'

// The long form is `npm run torture logins`.
test('OC-10 OC-14 tabs of many browsers finish in any order, and equal callbacks send one code', async () => {
  const options = { seed: 'short', browsers: 20, tabs: 5, repeated: 5 }
  const { succeeded, wrong } = await tortureLogins(options)
  expect(wrong).toEqual([])
  expect(succeeded).toBe(100)
}, 60_000)
