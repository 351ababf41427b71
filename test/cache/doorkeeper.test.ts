import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Doorkeeper } from '../../src/cache/stored/doorkeeper.ts'

const keyOf = (name: number) => `behalf:response:abc:${hash('sha256', String(name), 'hex')}`

test('a key is known from its second time on, for as long as few others come', () => {
  const doorkeeper = new Doorkeeper(1_000)
  expect(doorkeeper.knows(keyOf(1))).toBe(false)
  expect(doorkeeper.knows(keyOf(2))).toBe(false)
  expect(doorkeeper.knows(keyOf(1))).toBe(true)
  expect(doorkeeper.knows(keyOf(1))).toBe(true)
})

test('keys that come once are not known, however many there are', () => {
  const doorkeeper = new Doorkeeper(1_000)
  const keys = Array.from({ length: 100_000 }, (_, name) => keyOf(name))
  expect(keys.filter((key) => doorkeeper.knows(key))).toEqual([])
})
