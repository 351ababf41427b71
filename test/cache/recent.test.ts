import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Recent } from '../../src/recent.ts'

const names = fc.constantFrom(...'abcdefghijkl')

test('what is remembered is what was set last, and never more than there is room for', () => {
  const step = fc.oneof(
    fc.record({ is: fc.constant('set' as const), name: names, value: fc.nat() }),
    fc.record({ is: fc.constantFrom('get' as const, 'delete' as const), name: names }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(step), (most, steps) => {
      const recent = new Recent<number>(most)
      const set = new Map<string, number>()
      for (const one of steps) {
        if (one.is === 'set') {
          recent.set(one.name, one.value)
          set.set(one.name, one.value)
          expect(recent.get(one.name)).toBe(one.value)
        } else if (one.is === 'get') {
          expect([set.get(one.name), undefined]).toContain(recent.get(one.name))
        } else {
          recent.delete(one.name)
          set.delete(one.name)
          expect(recent.get(one.name)).toBeUndefined()
        }
      }
    }),
  )
})

test.each([2, 10, 1_000])('of %i no more are kept, and what is asked for stays', (most) => {
  const recent = new Recent<number>(most)
  recent.set('asked for', 0)
  for (let index = 0; index < most * 3; index += 1) {
    recent.set(`other ${index}`, index)
    if (most > 2) expect(recent.get('asked for')).toBe(0)
  }
  const others = Array.from({ length: most * 3 }, (_, index) => `other ${index}`)
  expect(others.filter((name) => recent.get(name) !== undefined).length).toBeLessThanOrEqual(most)
  expect(recent.get(others.at(-1)!)).toBe(most * 3 - 1)
})
