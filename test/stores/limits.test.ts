import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import {
  checkAmount,
  checkChannel,
  checkCount,
  checkedWrite,
  checkKey,
  checkName,
  checkNamespace,
  checkPrefix,
  checkSeconds,
  checkStore,
  checkValue,
  isKey,
  lifetime,
} from '../../src/stores/limits.ts'
import { hostileRows } from '../hostile.ts'

describe('ST-01 a key', () => {
  test.each([
    ['one character', 'k', true],
    ['1,024 of them', 'k'.repeat(1_024), true],
    ['the edges of printable ASCII', ' ~', true],
    ['other scripts', 'ключ-鍵-💥', true],
    ['controls but NUL', 'a\r\nb\t\u007f', true],
    ['1,024 bytes of 512 characters', 'ü'.repeat(512), true],
    ['no character', '', false],
    ['1,025 characters', 'k'.repeat(1_025), false],
    ['513 characters of 1,026 bytes', 'ü'.repeat(513), false],
    ['a NUL', 'a\0b', false],
    ['a lone half of a pair', 'a\ud800', false],
    ['a lone other half', '\udc00a', false],
    ['a number', 1, false],
    ['nothing', undefined, false],
    ['a list', ['k'], false],
    ['an object that reads as text', { toString: () => 'k' }, false],
  ])('of %s: %j', (_what, key, isTaken) => {
    expect(isKey(key as string)).toBe(isTaken)
    for (const check of [checkKey, ...(key === '' ? [] : [checkPrefix])]) {
      if (isTaken) expect(() => check(key as string)).not.toThrow()
      else expect(() => check(key as string)).toThrow(/^A key must be .* 1 to 1,024 bytes/)
    }
  })

  test('may begin with anything: the empty prefix is one', () => {
    expect(() => checkPrefix('')).not.toThrow()
  })

  test.each(hostileRows('storeKey').map((row) => [row.id, row] as const))(
    '%s is taken as it is, or refused with a RangeError',
    (_id, { input }) => {
      const isText = typeof input === 'string' && !input.includes('\0')
      if (isText) expect(() => checkKey(input)).not.toThrow()
      else expect(() => checkKey(input as string)).toThrow(RangeError)
    },
  )
})

describe('a value', () => {
  test('has as many bytes as the store takes, and not one more', () => {
    expect(() => checkValue(new Uint8Array(10), 10)).not.toThrow()
    expect(() => checkValue(Buffer.alloc(0), 0)).not.toThrow()
    expect(() => checkValue(new Uint8Array(11), 10)).toThrow(
      new RangeError('The value has 11 bytes; this store takes up to 10.'),
    )
  })

  test.each([['text'], [undefined], [null], [[1]], [new ArrayBuffer(1)], [{ byteLength: 1 }]])(
    'that is %j is none',
    (value) => {
      expect(() => checkValue(value as never, 10)).toThrow(
        new RangeError('A value must be a Uint8Array.'),
      )
    },
  )

  test('is copied with its key, its size and its ttl checked', () => {
    const value = new Uint8Array([1, 2])
    const { copy, lives } = checkedWrite('k', value, { ttl: 2 }, 10)
    value[0] = 9
    expect([...copy]).toEqual([1, 2])
    expect(lives).toBe(2_000)
    expect(checkedWrite('k', value, undefined, 10).lives).toBe(Infinity)
    expect(() => checkedWrite('', value, undefined, 10)).toThrow(RangeError)
    expect(() => checkedWrite('k', value, undefined, 1)).toThrow(RangeError)
    expect(() => checkedWrite('k', value, { ttl: Number.NaN }, 10)).toThrow(RangeError)
  })
})

test('a ttl is a number of seconds; none is without an end, and one that is over stores nothing', () => {
  expect(lifetime(undefined)).toBe(Infinity)
  expect(lifetime(Infinity)).toBe(Infinity)
  expect(lifetime(1.5)).toBe(1_500)
  expect(lifetime(0)).toBe(0)
  expect(lifetime(-1)).toBe(0)
  for (const ttl of [Number.NaN, '1', null, {}]) {
    expect(() => lifetime(ttl as never), String(ttl)).toThrow('ttl must be a number of seconds.')
  }
})

test('a counter moves by safe integers', () => {
  for (const by of [0, -1, Number.MAX_SAFE_INTEGER]) expect(() => checkAmount(by)).not.toThrow()
  for (const by of [0.5, Number.NaN, 2 ** 53, '1']) {
    expect(() => checkAmount(by as never)).toThrow(
      new RangeError('A counter moves by a safe integer.'),
    )
  }
})

test('a channel has 1 to 64 of a-z, 0-9, _ and -', () => {
  for (const channel of ['a', '0_-z', 'c'.repeat(64)]) expect(checkChannel(channel)).toBe(channel)
  for (const channel of ['', 'c'.repeat(65), 'A', 'a b', ' a', 'a:', 'é', 'a\n']) {
    expect(() => checkChannel(channel), channel).toThrow(
      new RangeError('A channel must have 1 to 64 of a-z, 0-9, _ and -.'),
    )
  }
})

describe('names that become part of statements, keys and paths', () => {
  test('ST-04 a table: letters, digits and _, no digit first, and none of the backends’ own', () => {
    for (const name of ['a', '_', 'Behalf_1', 'sqlite', 'pgx', 'x_pg_', 'n'.repeat(63)]) {
      expect(checkName('table', name)).toBe(name)
    }
    const refused = ['', '1a', 'a b', 'a-b', 'a;', ' a', 'é', 'n'.repeat(64), 'sqlite_a', 'pg_a']
    for (const name of [...refused, 'SQLITE_a', 'PG_a', 'a\n', 1, undefined, ['a']]) {
      expect(() => checkName('table', name as string), String(name)).toThrow(ConfigError)
    }
    expect(() => checkName('table', 'a b')).toThrow(
      "table must be of letters, digits and '_', begin with no digit and not with sqlite_ or pg_, and have at most 63 characters.",
    )
  })

  test.each(hostileRows('storeConfig').map((row) => [row.id, row] as const))(
    'ST-04 the table of %s is refused',
    (_id, { input }) => {
      const { table, collection, namespace } = input as Record<string, string>
      expect(() => checkName('table', (table ?? collection ?? namespace)!)).toThrow(ConfigError)
    },
  )

  test('a namespace: 1 to 32 of a-z, 0-9, _ and -, and a letter or digit first', () => {
    for (const name of ['a', '0', 'a_-0', 'n'.repeat(32)]) {
      expect(checkNamespace('namespace', name)).toBe(name)
    }
    for (const name of ['', '_a', '-a', 'A', 'a:b', 'a b', 'n'.repeat(33), ' a', 'a\n', 'é']) {
      expect(() => checkNamespace('namespace', name), name).toThrow(
        new ConfigError(
          'namespace must have 1 to 32 of a-z, 0-9, _ and -, and begin with a letter or a digit.',
        ),
      )
    }
  })
})

test('a duration is a number of seconds that timers can wait, 24 days at most', () => {
  expect(checkSeconds('idle', 0)).toBe(0)
  expect(checkSeconds('idle', 0.5)).toBe(0.5)
  expect(checkSeconds('idle', 1e9)).toBe(2_147_483)
  expect(checkSeconds('idle', 2_147_483) * 1_000).toBeLessThan(2 ** 31)
  for (const seconds of [-1, Number.NaN, Infinity, '1', undefined]) {
    expect(() => checkSeconds('idle', seconds as never), String(seconds)).toThrow(
      new ConfigError('idle must be a number of seconds.'),
    )
  }
})

test('a count is a positive integer', () => {
  expect(checkCount('maxEntries', 1)).toBe(1)
  expect(checkCount('maxEntries', Number.MAX_SAFE_INTEGER)).toBe(Number.MAX_SAFE_INTEGER)
  for (const count of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, '1']) {
    expect(() => checkCount('maxEntries', count as never), String(count)).toThrow(
      new ConfigError('maxEntries must be a positive integer.'),
    )
  }
})

test('a store is what can read and compare; the URL of one is told how to become it', () => {
  const store = { get() {}, compareAndSwap() {} }
  expect(checkStore('behalf()', store)).toBe(store)
  for (const given of ['redis://h', undefined, null, {}, { get() {} }, { compareAndSwap() {} }]) {
    expect(() => checkStore('behalf()', given as never), String(given)).toThrow(
      new ConfigError('behalf() needs a store, as createStore(url) makes one.'),
    )
  }
})
