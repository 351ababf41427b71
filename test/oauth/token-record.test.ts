import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decodeRecord,
  encodeRecord,
  newGrant,
  type TokenRecord,
} from '../../src/oauth/token-record.ts'
import { hostileRows } from '../hostile.ts'

const record: TokenRecord = {
  ...newGrant(),
  provider: 'spotify',
  profile: { subject: 'ada', name: 'Ada' },
  scope: ['a', 'b'],
  authorizedAt: 1,
  tokens: { accessToken: 'at', refreshToken: 'rt', expiresAt: 2, receivedAt: 1 },
}

test('a record is what was encoded, under the key it was encoded for and no other', () => {
  const bytes = encodeRecord('key', record)
  expect(decodeRecord('key', bytes)).toEqual({ ...record, cacheKey: Buffer.from(record.cacheKey) })
  expect(decodeRecord('other', bytes)).toBeUndefined()
})

test.each(
  hostileRows('storeValue')
    .filter(({ input }) => input.raw !== undefined)
    .map((row) => [row.id, row] as const),
)('%s is no record', (_id, row) => {
  expect(decodeRecord('key', Buffer.from(row.input.raw))).toBeUndefined()
  expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined()
})

test('whatever a member is replaced by, decoding never throws and gives a whole record or none', () => {
  const encoded = JSON.parse(Buffer.from(encodeRecord('key', record)).toString()) as Record<
    string,
    unknown
  >
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(encoded)), fc.jsonValue(), (name, value) => {
      const decoded = decodeRecord(
        'key',
        Buffer.from(JSON.stringify({ ...encoded, [name]: value })),
      )
      if (!decoded) return
      expect(typeof decoded.grantId).toBe('string')
      expect(typeof decoded.profile.subject).toBe('string')
      expect(decoded.scope.every((scope) => typeof scope === 'string')).toBe(true)
      expect(typeof decoded.tokens.accessToken).toBe('string')
    }),
    { numRuns: 2_000 },
  )
})
