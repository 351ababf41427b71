import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import {
  checkedTokens,
  checkTokenReply,
  type TokenResponse,
  tokenSetFrom,
} from '../../src/oauth/token-set.ts'
import { hostileRows } from '../hostile.ts'

const good = { access_token: 'at', token_type: 'Bearer', expires_in: 3600, refresh_token: 'rt' }
const refusal = (body: unknown, wanted?: 'bearer' | 'dpop') => {
  const checked = checkTokenReply(body, wanted)
  return checked.ok ? undefined : checked.reason
}
const taken = (body: unknown, wanted?: 'bearer' | 'dpop') => {
  const checked = checkTokenReply(body, wanted)
  return checked.ok ? checked.reply : undefined
}
const sentAt = 1_700_000_000_000
const tokensOf = (reply: object, naming = {}) =>
  tokenSetFrom({ ...good, ...reply } as TokenResponse, sentAt, naming)

describe('OC-23 a token reply', () => {
  const rows = hostileRows('tokenResponse').filter(({ input }) => {
    const { status, body, behaviour } = input as Record<string, unknown>
    return status === 200 && behaviour === undefined && typeof body === 'string'
  })

  test.each(rows.map((row) => [row.id, row.expect.outcome, row] as const))(
    '%s that is JSON is taken or refused as the row says (%s)',
    (_id, outcome, { input }) => {
      let body: unknown
      try {
        body = JSON.parse(input.body as string)
      } catch {
        return expect(outcome).not.toBe('accept')
      }
      const type = (input.headers as Record<string, string> | undefined)?.['content-type'] ?? 'json'
      if (!type.includes('json')) return expect(outcome).not.toBe('accept')
      return expect(taken(body) !== undefined).toBe(outcome === 'accept')
    },
  )

  test.each([undefined, null, 'text', 1, true, [], [good]])(
    'that is %j is refused: it is no JSON object',
    (body) => {
      expect(refusal(body)).toBe('the token reply is not a JSON object')
    },
  )

  test('CVE-2021-41580 with an error in it is refused, whatever else it has', () => {
    for (const error of ['invalid_grant', '', null, false, {}]) {
      expect(refusal({ ...good, error })).toBe('a success status came with an error in the body')
    }
  })

  test('is refused without an access token that a header can carry', () => {
    for (const access_token of [
      undefined,
      null,
      '',
      1,
      {},
      ['at'],
      'a\nb',
      'é',
      'a\u0000',
      '\nat',
    ]) {
      expect(refusal({ ...good, access_token }), String(access_token)).toBe(
        'it has no usable access_token',
      )
    }
    for (const access_token of [' ', '~', 'x'.repeat(65_536)]) {
      expect(taken({ ...good, access_token })).toMatchObject({ access_token })
    }
    expect(refusal({ ...good, access_token: 'x'.repeat(65_537) })).toBeDefined()
  })

  test('with a refresh token that carries nothing has none; with one that is unusable it is refused', () => {
    for (const refresh_token of [null, '', undefined]) {
      expect(taken({ ...good, refresh_token })?.['refresh_token']).toBeUndefined()
    }
    for (const refresh_token of [1, {}, false, 'a\nb', 'ü', 'x'.repeat(65_537)]) {
      expect(refusal({ ...good, refresh_token })).toBe('its refresh_token is unusable')
    }
  })

  test('is of the type that was asked for, in any case; a bearer token is none where a bound one was', () => {
    for (const token_type of ['bearer', 'Bearer', 'BEARER']) {
      expect(taken({ ...good, token_type })).toBeDefined()
      expect(refusal({ ...good, token_type }, 'dpop')).toBe('its token_type is not DPoP')
    }
    for (const token_type of ['dpop', 'DPoP']) {
      expect(taken({ ...good, token_type }, 'dpop')).toBeDefined()
      expect(refusal({ ...good, token_type })).toBe('its token_type is not Bearer')
    }
    for (const token_type of [undefined, null, '', 'mac', 1, ['bearer'], 'bearer ']) {
      expect(refusal({ ...good, token_type })).toBe('its token_type is not Bearer')
    }
  })

  test('may say its lifetime as a number or in digits, and nothing else', () => {
    for (const expires_in of [0, 1.5, 3600, 1e308]) {
      expect(taken({ ...good, expires_in })).toMatchObject({ expires_in })
    }
    expect(taken({ ...good, expires_in: '3600' })).toMatchObject({ expires_in: 3600 })
    expect(taken({ ...good, expires_in: '7' })).toMatchObject({ expires_in: 7 })
    expect(taken({ ...good, expires_in: undefined })?.['expires_in']).toBeUndefined()
    const wrong = [
      -1,
      Number.NaN,
      Infinity,
      null,
      '',
      '-1',
      '1e3',
      ' 1',
      '1 ',
      '1.5',
      'x1',
      '1x',
      true,
    ]
    for (const expires_in of [...wrong, [60], {}, '9'.repeat(400)]) {
      expect(refusal({ ...good, expires_in }), String(expires_in)).toBe(
        'its expires_in is not a number',
      )
    }
  })

  test('may say its scope as text, or leave it out', () => {
    for (const scope of ['', 'a b', null, undefined])
      expect(taken({ ...good, scope })).toBeDefined()
    for (const scope of [1, {}, ['a'], true]) {
      expect(refusal({ ...good, scope })).toBe('its scope is not text')
    }
  })

  test('is not changed by who checks it, and no reason ever tells of a token', () => {
    const body = { ...good, refresh_token: '', expires_in: '60' }
    expect(taken(body)).toEqual({ access_token: 'at', token_type: 'Bearer', expires_in: 60 })
    expect(body).toEqual({ ...good, refresh_token: '', expires_in: '60' })
    const member = fc.oneof(fc.constant('SECRET-TOKEN'), fc.jsonValue(), fc.constant('SECRET\n'))
    const names = ['access_token', 'refresh_token', 'token_type', 'expires_in', 'scope', 'error']
    const replies = fc.dictionary(fc.constantFrom(...names), member)
    fc.assert(
      fc.property(replies, fc.constantFrom('bearer' as const, 'dpop' as const), (reply, wanted) => {
        expect(refusal({ ...good, ...reply }, wanted) ?? '').not.toContain('SECRET')
      }),
      { numRuns: 2_000 },
    )
  })

  test('CVE-2026-48170 of any members is refused, or gives tokens that headers, clocks and stores can take', () => {
    const nasty = fc.oneof(
      fc.jsonValue(),
      fc.string({ unit: 'binary' }),
      fc.constant({ polluted: true }),
      fc.constantFrom(null, '', 'Bearer', 'at', '60', -1, 0, 1e308, '99999999999999999999', '1e5'),
    )
    const names = [...Object.keys(good), 'scope', 'refresh_token_expires_in', '__proto__', 'error']
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), nasty), (members) => {
        const reply = taken(JSON.parse(JSON.stringify({ ...good, ...members })))
        expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
        if (!reply) return
        const tokens = tokenSetFrom(reply as TokenResponse, sentAt, {})
        const sent = new Headers({ authorization: `Bearer ${tokens.accessToken}` })
        expect(sent.get('authorization')).toMatch(/^Bearer/)
        expect(typeof (tokens.refreshToken ?? '')).toBe('string')
        for (const at of [tokens.expiresAt ?? sentAt, tokens.refreshExpiresAt ?? sentAt]) {
          expect(at).toBeGreaterThanOrEqual(sentAt)
          expect(new Date(at).getTime()).not.toBeNaN()
        }
        expect((tokens.scope ?? []).every((name) => name !== '' && typeof name === 'string')).toBe(
          true,
        )
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the tokens of a reply', () => {
  test('expire so long after the request was sent, in a year at the latest', () => {
    expect(tokensOf({ expires_in: 60 }).expiresAt).toBe(sentAt + 60_000)
    expect(tokensOf({ expires_in: 1e308 }).expiresAt).toBe(sentAt + 365 * 24 * 3600 * 1000)
    expect(tokensOf({ expires_in: undefined }).expiresAt).toBeUndefined()
    expect(tokensOf({})).toMatchObject({ accessToken: 'at', refreshToken: 'rt' })
  })

  test('tell when the refresh token ends, under either name; 0 and a hundred years are no end', () => {
    for (const name of ['refresh_token_expires_in', 'refresh_expires_in']) {
      expect(tokensOf({ [name]: 60 }).refreshExpiresAt).toBe(sentAt + 60_000)
      expect(tokensOf({ [name]: '60' }).refreshExpiresAt).toBe(sentAt + 60_000)
      const century = 100 * 365 * 24 * 3600
      for (const seconds of [0, -1, 'x', null, century, Infinity, {}]) {
        expect(tokensOf({ [name]: seconds }).refreshExpiresAt, String(seconds)).toBeUndefined()
      }
      expect(tokensOf({ [name]: century - 1 }).refreshExpiresAt).toBeDefined()
    }
    expect(tokensOf({}).refreshExpiresAt).toBeUndefined()
  })

  test("OC-24 name what was granted, each scope once, by the provider's separator and in the app's terms", () => {
    expect(tokensOf({ scope: 'b a  b ' }).scope).toEqual(['b', 'a'])
    expect(tokensOf({ scope: '' }).scope).toEqual([])
    expect(tokensOf({ scope: null }).scope).toBeUndefined()
    expect(tokensOf({}).scope).toBeUndefined()
    const naming = { scopeSeparator: ',', grantedScope: (name: string) => name.toUpperCase() }
    expect(tokensOf({ scope: 'a,b c' }, naming).scope).toEqual(['A', 'B C'])
  })
})

describe('tokens that the app hands in', () => {
  test('are kept by their names, and the scope as a list', () => {
    const given = { accessToken: 'at', refreshToken: 'rt', expiresAt: 1, scope: 'a b' as never }
    expect(checkedTokens('save()', { ...given, more: 1 } as never)).toEqual({
      accessToken: 'at',
      refreshToken: 'rt',
      expiresAt: 1,
      scope: ['a', 'b'],
    })
    expect(checkedTokens('save()', { accessToken: 'at', scope: ['a', 'b a'] }).scope).toEqual([
      'a',
      'b',
    ])
    expect(checkedTokens('save()', { accessToken: 'at' })).toEqual({
      accessToken: 'at',
      expiresAt: undefined,
      refreshToken: undefined,
      scope: undefined,
    })
  })

  test.each([
    [undefined, 'accessToken'],
    [null, 'accessToken'],
    [{}, 'accessToken'],
    [{ accessToken: 'SECRET\n' }, 'accessToken'],
    [{ accessToken: 'at', refreshToken: 'SECRETÉ' }, 'accessToken'],
    [{ accessToken: 'at', refreshToken: 1 }, 'accessToken'],
    [{ refreshToken: 'SECRET' }, 'accessToken'],
    [{ accessToken: 'SECRET', expiresAt: Number.NaN }, 'expiresAt'],
    [{ accessToken: 'SECRET', expiresAt: '2026-01-01' }, 'expiresAt'],
    [{ accessToken: 'SECRET', scope: 1 }, 'scope'],
    [{ accessToken: 'SECRET', scope: ['a', 1] }, 'scope'],
  ])('%j are refused with what is wrong, and without the token', (given, named) => {
    let refused: unknown
    try {
      checkedTokens('save()', given as never)
    } catch (error) {
      refused = error
    }
    expect(refused).toBeInstanceOf(ConfigError)
    expect(String(refused)).toMatch(new RegExp(`save\\(\\): .*${named}`))
    expect(String(refused)).not.toContain('SECRET')
  })
})
