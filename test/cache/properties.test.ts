import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ageValue, currentAge } from '../../src/cache/http/age.ts'
import { deltaSeconds, limitedTo, parseCacheControl } from '../../src/cache/http/cache-control.ts'
import { isNotModified } from '../../src/cache/http/conditional.ts'
import { parseHttpDate } from '../../src/cache/http/http-date.ts'
import { spoiledUrls } from '../../src/cache/http/invalidation.ts'
import { received } from '../../src/cache/http/received.ts'
import { decideReuse, type Standing } from '../../src/cache/http/reuse.ts'
import { decideByHeaders } from '../../src/cache/http/storing.ts'
import { varyingFields } from '../../src/cache/http/vary.ts'
import type { CacheMode } from '../../src/cache/request.ts'
import { decideByRule } from '../../src/cache/upstream/storing-by-rule.ts'
import { cacheBefore, Clock } from './cache-caller.ts'

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom(...'max-age=,";01 \\*private'.split('')) }),
)
/** Header values as they come over the wire. */
const value = text.map((one) => one.replaceAll(/[^\x20-\x7e]/g, '').trim())
const seconds = fc.double({ min: 0, max: 2 ** 31, noNaN: true })

describe('reading what others have written', () => {
  test('CA-03 CA-17 CVE-2022-25881 no header makes it throw', () => {
    fc.assert(
      fc.property(text, (one) => {
        const directives = parseCacheControl(one)
        for (const name of directives.keys()) {
          expect(deltaSeconds(directives, name)).toBeGreaterThanOrEqual(0)
          limitedTo(directives, name)
        }
        parseHttpDate(one)
        varyingFields(one)
        spoiledUrls('https://api.example/', { headers: { get: () => one, has: () => true } })
        const reader = { get: () => one, has: () => true }
        expect(ageValue(reader)).toBeGreaterThanOrEqual(0)
        isNotModified(reader, reader)
      }),
    )
  })

  test('no reply makes a decision throw, and what is stored has finite times', () => {
    const names = ['cache-control', 'age', 'date', 'expires', 'last-modified', 'etag', 'pragma']
    const headers = fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: true })
    const status = fc.integer({ min: 200, max: 599 })
    const context = { kind: 'private', authorized: true } as const
    fc.assert(
      fc.property(headers, status, fc.nat(), fc.nat(), (fields, code, requestedAt, receivedAt) => {
        const reply = received(
          { status: code, headers: new Headers(fields) },
          requestedAt,
          receivedAt,
        )
        for (const decision of [
          decideByHeaders(reply, context),
          decideByRule(reply, { ttl: 60 }, context),
        ]) {
          if (!decision.store) continue
          const { revalidation: _, ...times } = decision.keeping
          for (const time of Object.values(times)) {
            expect(Number.isFinite(time) && time >= 0).toBe(true)
          }
        }
      }),
    )
  })

  test('an HTTP date is read in each of its three forms, and nothing else is one', () => {
    const instant = fc.integer({ min: 0, max: 4_102_444_799 })
    fc.assert(
      fc.property(instant, (at) => {
        expect(parseHttpDate(new Date(at * 1000).toUTCString())).toBe(at * 1000)
      }),
    )
    const same = 784_111_777_000
    for (const form of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
    ]) {
      expect(parseHttpDate(form)).toBe(same)
    }
    for (const none of [
      '0',
      '',
      'Sun, 06 Nov 1994 08:49:37 UTC',
      'Sun, 6 Nov 1994 08:49:37 GMT',
      'Sun, 31 Feb 1994 08:49:37 GMT',
      'Sun, 06 Nov 1994 24:00:00 GMT',
      '1994-11-06T08:49:37Z',
    ]) {
      expect(parseHttpDate(none), none).toBeUndefined()
    }
  })
})

describe('time', () => {
  const standing: fc.Arbitrary<Standing> = fc.record({
    receivedAt: fc.nat(),
    initialAge: seconds,
    lifetime: seconds,
    staleWhileRevalidate: seconds,
    staleIfError: seconds,
    revalidation: fc.constantFrom('always' as const, 'when-stale' as const, 'optional' as const),
  })
  const wish = { mode: 'default' as const, directives: parseCacheControl(null) }

  test('an age never falls, whichever way the clock goes', () => {
    fc.assert(
      fc.property(standing, fc.nat(), fc.nat(), (stored, one, other) => {
        const [before, after] = one < other ? [one, other] : [other, one]
        expect(currentAge(stored, before)).toBeGreaterThanOrEqual(stored.initialAge)
        expect(currentAge(stored, after)).toBeGreaterThanOrEqual(currentAge(stored, before))
      }),
    )
  })

  test('nothing is used without a question once its life is over', () => {
    fc.assert(
      fc.property(standing, fc.nat(), (stored, now) => {
        const isOver = currentAge(stored, now) >= stored.lifetime
        const mustAsk = stored.revalidation === 'always'
        const mayBeStale = stored.revalidation === 'optional'
        const allowed = mustAsk
          ? ['validate']
          : !isOver
            ? ['use']
            : mayBeStale
              ? ['validate', 'use-and-refresh']
              : ['validate']
        expect(allowed).toContain(decideReuse(stored, wish, now))
      }),
    )
  })

  test('a call’s ttl takes nothing that has been stored for longer', () => {
    fc.assert(
      fc.property(standing, fc.nat(), fc.nat({ max: 1e6 }), (stored, now, ttl) => {
        const resident = Math.max(0, now - stored.receivedAt) / 1000
        if (resident > ttl + 1) {
          expect(decideReuse(stored, { ...wish, ttl }, now)).toBe('validate')
        }
      }),
    )
  })
})

/** A cache as slow and plain as can be: what is in it, written down in the words of the rules. */
class Model {
  readonly #entries = new Map<string, Map<string, Kept>>()
  now = 0

  get(user: string, path: string, language: string, mode: CacheMode, upstream: Upstream): Seen {
    const key = `${user} ${path}`
    const variants = this.#entries.get(key) ?? new Map<string, Kept>()
    const kept = variants.get(language)
    if (mode === 'no-store') return { version: upstream.version, asked: true }
    const isFresh = kept !== undefined && this.now - kept.at < kept.maxAge
    const takesAny = mode === 'force-cache' && kept !== undefined
    if (takesAny || (isFresh && mode === 'default')) return { version: kept.version, asked: false }

    const isValidated = kept?.tagged && mode !== 'reload' && upstream.tagged
    const is304 = isValidated === true && upstream.version === kept!.version
    const isStorable = !upstream.noStore && (upstream.maxAge > 0 || upstream.tagged)
    if (isStorable) {
      const { version, maxAge, tagged } = upstream
      variants.set(language, { version, maxAge, tagged, at: this.now })
      this.#entries.set(key, variants)
    } else if (kept || is304) {
      this.#entries.delete(key)
    }
    return { version: upstream.version, asked: true }
  }

  write(user: string, path: string): void {
    this.#entries.delete(`${user} ${path}`)
  }
}

interface Upstream {
  version: number
  maxAge: number
  tagged: boolean
  noStore: boolean
}

interface Kept {
  version: number
  maxAge: number
  tagged: boolean
  at: number
}

interface Seen {
  version: number
  asked: boolean
}

describe('the engine beside a plain model', () => {
  let clock: Clock
  beforeEach(() => {
    clock = new Clock()
  })
  afterEach(() => clock.restore())

  const where = { user: fc.constantFrom('ada', 'grace'), path: fc.constantFrom('a', 'b') }
  const modes: CacheMode[] = ['default', 'default', 'default', 'no-cache', 'reload', 'no-store']
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('get' as const),
        ...where,
        language: fc.constantFrom('de', 'en', 'fr'),
        mode: fc.constantFrom(...modes, 'force-cache' as const),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('pass' as const),
        tens: fc.integer({ min: 1, max: 3 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('write' as const), ...where }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('change' as const),
        anew: fc.boolean(),
        maxAge: fc.constantFrom(0, 5, 15, 25),
        tagged: fc.boolean(),
        noStore: fc.boolean(),
      }),
    },
  )

  test('gives the same replies and asks upstream as often, whatever happens', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const upstream: Upstream = { version: 1, maxAge: 15, tagged: true, noStore: false }
        const model = new Model()
        const { fetch, seen } = cacheBefore(
          (request) => {
            const { version, maxAge, tagged, noStore } = upstream
            const headers: Record<string, string> = {
              vary: 'Accept-Language',
              'cache-control': noStore ? 'no-store' : `max-age=${maxAge}`,
              ...(tagged ? { etag: `"${version}"` } : {}),
            }
            const is304 = tagged && request.headers.get('if-none-match') === `"${version}"`
            return new Response(is304 ? null : String(version), {
              status: is304 ? 304 : 200,
              headers,
            })
          },
          { policy: 'http' },
        )
        for (const one of steps) {
          const asked = seen.length
          if (one.kind === 'pass') {
            clock.pass(one.tens * 10)
            model.now += one.tens * 10
          } else if (one.kind === 'change') {
            const { anew, maxAge, tagged, noStore } = one
            Object.assign(upstream, { maxAge, tagged, noStore })
            if (anew) upstream.version += 1
          } else if (one.kind === 'write') {
            await fetch(`https://api.example/${one.path}`, { user: one.user }, { method: 'PUT' })
            model.write(one.user, one.path)
          } else {
            const { user, path, language, mode } = one
            const init = { headers: { 'accept-language': language } }
            const response = await fetch(`https://api.example/${path}`, { user, mode }, init)
            const real = { version: Number(await response.text()), asked: seen.length > asked }
            expect(real).toEqual(model.get(user, path, language, mode, upstream))
          }
        }
      }),
      { numRuns: 150 },
    )
  })
})
