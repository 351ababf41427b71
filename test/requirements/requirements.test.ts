import { expect, test } from 'vitest'
import { advisories, requirements } from './requirements.ts'

test('every requirement has a test whose title begins with its id', () => {
  const all = requirements()
  expect(all.length).toBeGreaterThan(100)
  expect(all.filter(({ tests }) => tests.length === 0).map(({ id }) => id)).toEqual([])
})

test('every advisory of others on the page has a test that names it', () => {
  const all = advisories()
  expect(all.length).toBeGreaterThan(60)
  expect(all.filter(({ tests }) => tests.length === 0).map(({ id }) => id)).toEqual([])
})
