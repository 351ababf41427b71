import { expect, test } from 'vitest'
import { requirements } from './requirements.ts'

test('every requirement has a test whose title begins with its id', () => {
  const all = requirements()
  expect(all.length).toBeGreaterThan(100)
  expect(all.filter(({ tests }) => tests.length === 0).map(({ id }) => id)).toEqual([])
})
