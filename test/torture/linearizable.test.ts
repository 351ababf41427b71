import { expect, test } from 'vitest'
import { isLinearizable } from './linearizable.ts'
import type { Call } from './linearizable.ts'

const call = (
  [from, to]: [number, number],
  operation: Call['operation'],
  rest: Partial<Call>,
): Call => ({ from, to, operation, result: true, ...rest })

test('what happened one after the other is in order', () => {
  expect(
    isLinearizable([
      call([0, 1], 'get', { result: null }),
      call([2, 3], 'compareAndSwap', { value: 'a' }),
      call([4, 5], 'get', { result: 'a' }),
      call([6, 7], 'compareAndSwap', { expected: 'a', value: 'b' }),
      call([8, 9], 'compareAndDelete', { expected: 'b' }),
      call([10, 11], 'delete', { result: false }),
    ]),
  ).toBe(true)
})

test('overlapping calls may take effect in either order', () => {
  const write = call([0, 10], 'set', { value: 'a' })
  expect(isLinearizable([write, call([1, 2], 'get', { result: null })])).toBe(true)
  expect(isLinearizable([write, call([1, 2], 'get', { result: 'a' })])).toBe(true)
})

test('finds a stale read', () => {
  expect(
    isLinearizable([
      call([0, 1], 'set', { value: 'a' }),
      call([2, 3], 'set', { value: 'b' }),
      call([4, 5], 'get', { result: 'a' }),
    ]),
  ).toBe(false)
})

test('finds a lost update', () => {
  expect(
    isLinearizable([
      call([0, 1], 'set', { value: 'a' }),
      call([2, 5], 'compareAndSwap', { expected: 'a', value: 'b' }),
      call([2, 5], 'compareAndSwap', { expected: 'a', value: 'c' }),
    ]),
  ).toBe(false)
})

test('finds two who created the same', () => {
  expect(
    isLinearizable([
      call([0, 5], 'compareAndSwap', { value: 'a' }),
      call([0, 5], 'compareAndSwap', { value: 'b' }),
    ]),
  ).toBe(false)
})

test('finds a comparison that failed for no reason', () => {
  expect(
    isLinearizable([
      call([0, 1], 'set', { value: 'a' }),
      call([2, 3], 'compareAndSwap', { expected: 'a', value: 'b', result: false }),
    ]),
  ).toBe(false)
})

test('finds a read that sees a write, and a later one that does not', () => {
  expect(
    isLinearizable([
      call([0, 10], 'set', { value: 'a' }),
      call([1, 2], 'get', { result: 'a' }),
      call([3, 4], 'get', { result: null }),
    ]),
  ).toBe(false)
})
