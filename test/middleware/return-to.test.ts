import fc from 'fast-check'
import { expect, test } from 'vitest'
import { safeReturnTo } from '../../src/middleware/return-to.ts'
import { hostileRows } from '../hostile.ts'

const rows = hostileRows('returnTo').map(
  (row) => [row.id, JSON.stringify(row.input).slice(0, 60), row] as const,
)

test.each(rows)('%s returnTo %s', (_id, _input, row) => {
  expect(safeReturnTo(row.input, '/auth')).toBe(row.expect.location)
})

test('what is no UTF-8, or grows too long for a cookie when it is encoded, is no target', () => {
  for (const path of ['/%5c%5cevil.example/%', '/%2f%2fevil.example%ff', `/${'ü'.repeat(1_000)}`]) {
    expect(safeReturnTo(path, '/auth')).toBe('/')
  }
})

test("the library's own routes are no targets", () => {
  for (const path of ['/auth', '/auth/spotify/login', '/auth/logout?x', '/a/../auth/session']) {
    expect(safeReturnTo(path, '/auth')).toBe('/')
  }
  expect(safeReturnTo('/authors', '/auth')).toBe('/authors')
})

test('a target has up to 2,048 characters, as it comes and as it is kept', () => {
  const longest = `/${'x'.repeat(2_047)}`
  expect(safeReturnTo(longest, '/auth')).toBe(longest)
  expect(safeReturnTo(`${longest}x`, '/auth')).toBe('/')
  expect(safeReturnTo(`/${'x/../'.repeat(500)}short`, '/auth')).toBe('/')
})

test('a path that becomes one of another host when a proxy decodes it is no target', () => {
  for (const path of [
    '/%252e//evil.example',
    '/%25252e//evil.example',
    '/%252e//evil.example/https://app.invalid/x',
    '//app.invalid/x',
  ]) {
    expect(safeReturnTo(path, '/auth'), path).toBe('/')
  }
})

test('a path may be encoded three times over, and not more often', () => {
  expect(safeReturnTo('/a%252541?b#c', '/auth')).toBe('/a%252541?b#c')
  expect(safeReturnTo('/a%25252541', '/auth')).toBe('/')
})

test('no text leads off the origin, however often it is decoded, and a safe one stays as it is', () => {
  const nasty = fc.string({
    unit: fc.constantFrom(...'/\\.:@?#%25cfe09a\t\n \u200b\u2028'.split('')),
    maxLength: 24,
  })
  const anything = fc.oneof(
    nasty,
    nasty.map((text) => `/${text}`),
    fc.string({ unit: 'binary' }),
    fc.webPath(),
  )
  fc.assert(
    fc.property(anything, (text) => {
      const path = safeReturnTo(text, '/auth')
      let location = path
      for (let round = 0; round < 4; round += 1) {
        expect(new URL(location, 'https://app.example').origin).toBe('https://app.example')
        expect(location).toMatch(/^\/(?![/\\])/)
        try {
          location = decodeURIComponent(location.split(/[?#]/)[0]!)
        } catch {
          break
        }
      }
      expect(safeReturnTo(path, '/auth')).toBe(path)
    }),
    { numRuns: 5_000 },
  )
})
