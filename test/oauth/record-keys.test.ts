import fc from 'fast-check'
import { expect, test } from 'vitest'
import { subjectPartition } from '../../src/cache/stored/partition.ts'
import { isRecordKey, RecordKeys } from '../../src/oauth/record-keys.ts'

test('TK-12 CA-01 each owner has a key of their own at each provider, in each namespace', () => {
  const text = fc.string({ unit: fc.constantFrom(...'a:/",[]\\'.split('')), maxLength: 4 })
  const place = fc.record({
    namespace: fc.constantFrom('a', 'b'),
    kind: fc.constantFrom('user' as const, 'session' as const),
    id: text,
    provider: text,
  })
  type Place = typeof place extends fc.Arbitrary<infer T> ? T : never
  const rings = { a: new RecordKeys('a'), b: new RecordKeys('b') }
  const keyOf = ({ namespace, provider, ...owner }: Place) =>
    rings[namespace as 'a' | 'b'].of(owner, provider)
  fc.assert(
    fc.property(place, place, (one, other) => {
      expect(keyOf(one) === keyOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other))
      expect(keyOf(one)).toBe(keyOf(one))
      expect(keyOf(one)).toMatch(/^[ab]:grant:[0-9a-f]{64}$/)
    }),
    { numRuns: 1_000 },
  )
})

test('a record is found again by the next version', () => {
  expect(new RecordKeys('behalf').of({ kind: 'user', id: 'ada' }, 'spotify')).toBe(
    'behalf:grant:0fad27b43a7930a55acbf8eff570d0878c3ef41490ac91e093dda97a9c1b32ae',
  )
})

test('what is longer or shorter than the key of a record is none', () => {
  const key = new RecordKeys('behalf').of({ kind: 'user', id: 'ada' }, 'spotify')
  expect(isRecordKey(key)).toBe(true)
  expect(key.startsWith(new RecordKeys('behalf').prefix)).toBe(true)
  const upper = `${key.slice(0, -1)}G`
  for (const other of [`${key}:lease`, `${key}0`, key.slice(0, -1), upper, 'behalf:grant:']) {
    expect(isRecordKey(other), other).toBe(false)
  }
})

test('GHSA-7rqj-j65f-68wh CVE-2026-25480 texts that look alike, or fold together, name different people', () => {
  const names = ['ada', 'Ada', 'ADA', ' ada', 'ada ', 'ada\0', 'аda', 'ａｄａ', 'ada\u200b']
  const pairs = ['é', 'e\u0301', 'K', '\u212a', 'k', 'ﬁ', 'fi', 'ß', 'ss', 'SS', 'ı', 'i', 'İ']
  const all = [...names, ...pairs, '1', '01', '１', '../ada', 'a/da', 'a:da']
  const keys = new RecordKeys('behalf')
  const of = (id: string) => keys.of({ kind: 'user', id }, 'spotify')
  expect(new Set(all.map(of)).size).toBe(all.length)
  const authority = { name: 'spotify', issuer: 'https://a.example' }
  const partition = (id: string) => subjectPartition(authority, id, [], Buffer.alloc(32)).id
  expect(new Set(all.map(partition)).size).toBe(all.length)
})
