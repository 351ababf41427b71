import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { safeReturnTo } from '../../src/middleware/return-to.ts'
import { hostileRows } from '../hostile.ts'
import { navigation, useWorld } from './express-app.ts'
import { approve } from './flow.ts'
import { targets } from './targets.ts'

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

describe.each(Object.entries(targets))('through a whole login on %s', (_name, createApp) => {
  const world = useWorld()

  test('every row lands where it should', async () => {
    const { browser } = createApp(world)
    for (const row of hostileRows('returnTo')) {
      const visitor = browser()
      const reply = await visitor.get(`/auth/spotify/login?${queryOf(row.input)}`).set(navigation)
      expect(reply.status, row.id).toBe(303)
      const back = await approve(new URL(reply.headers['location']!), 'ada')
      const landed = await visitor.get(back).set(navigation)
      expect(landed.status, row.id).toBe(303)
      expect(landed.headers['location'], row.id).toBe(row.expect.location)
    }
  })
})

/** A list arrives as a repeated parameter, an object as qs writes it. */
function queryOf(input: unknown): string {
  // Slashes as they are: 10 kB of %2F would be more than Node's parser takes.
  if (typeof input === 'string')
    return `returnTo=${encodeURIComponent(input).replaceAll('%2F', '/')}`
  if (Array.isArray(input))
    return input.map((one) => `returnTo=${encodeURIComponent(one)}`).join('&')
  return Object.entries(input as object)
    .map(([name, value]) => `returnTo[${name}]=${encodeURIComponent(String(value))}`)
    .join('&')
}
