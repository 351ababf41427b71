import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  grantPartition,
  namedPartition,
  type Partition,
  responseKey,
  sharedPartition,
  subjectPartition,
} from '../../src/cache/stored/partition.ts'
import { cacheBefore, Clock } from './cache-caller.ts'
import { ReferenceCache, type ReferenceReply } from './reference-cache.ts'

let clock: Clock
beforeEach(() => {
  clock = new Clock()
})
afterEach(() => clock.restore())

const url = fc.constantFrom('https://api.example/v1/a', 'https://api.example/v1/b')
const user = fc.constantFrom('ada', 'grace')
const reply: fc.Arbitrary<ReferenceReply> = fc.record({
  status: fc.constantFrom(200, 200, 200, 200, 404, 503, 'unreachable' as const),
  lifetime: fc.constantFrom(undefined, 0, 10, 30),
  age: fc.constantFrom(0, 0, 5, 20),
  staleWhileRevalidate: fc.constantFrom(0, 0, 20),
  staleIfError: fc.constantFrom(0, 0, 40),
  says: fc.constantFrom('nothing', 'nothing', 'no-store', 'must-revalidate', 'no-cache'),
  shares: fc.boolean(),
})
const asks = fc.constantFrom(
  '',
  '',
  '',
  'no-cache',
  'max-age=7',
  'min-fresh=8',
  'max-stale=12',
  'max-stale',
  'only-if-cached',
)
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('get' as const), user, url, asks }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('says' as const), reply }) },
  {
    weight: 3,
    // Back, too: a clock that was set back makes nothing younger than it was when it came.
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      seconds: fc.constantFrom(1, 4, 9, 16, 35, -6),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('write' as const), user, url }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const) }) },
)

describe.each([
  ['one user each', false],
  ['users who share what permits it', true],
] as const)('the cache beside a slow one in the words of the RFCs, for %s', (_who, isShared) => {
  test('CA-02 CA-10 gives the same replies, whatever upstream says and the clock does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 30 }), async (steps) => {
        const reference = new ReferenceCache(isShared)
        let said: ReferenceReply = {
          status: 200,
          lifetime: 10,
          age: 0,
          staleWhileRevalidate: 0,
          staleIfError: 0,
          says: 'nothing',
          shares: false,
        }
        let number = 0
        const { fetch, seen, cache } = cacheBefore(
          () => {
            number += 1
            if (said.status === 'unreachable') throw new TypeError('fetch failed')
            const headers = { 'cache-control': controlOf(said), age: String(said.age) }
            return new Response(String(number), { status: said.status, headers })
          },
          { policy: 'http', rules: [{ match: '/v1/*', shared: isShared, tags: ['all'] }] },
        )
        for (const one of steps) {
          const before = seen.length
          if (one.kind === 'says') said = one.reply
          else if (one.kind === 'pass') {
            clock.pass(one.seconds)
            reference.now += one.seconds
          } else if (one.kind === 'forget') {
            await cache.delete({ tags: ['all'] })
            reference.forgetAll()
          } else if (one.kind === 'write') {
            const answering = said
            said = { ...answering, status: 200 }
            await fetch(one.url, { user: one.user }, { method: 'PUT' })
            said = answering
            reference.write(one.user, one.url)
          } else {
            const headers: Record<string, string> = one.asks ? { 'cache-control': one.asks } : {}
            const got = await fetch(one.url, { user: one.user }, { headers }).catch(() => undefined)
            const text = got === undefined ? 'an error' : await got.text()
            await cache.close()
            // A refresh in the background keeps its name for one more turn.
            await nextTurn()
            await nextTurn()
            const next = () => String(number)
            const expected = reference.get(one.user, one.url, one.asks, said, next)
            expect([text, seen.length > before]).toEqual([expected.text, expected.asked])
          }
        }
      }),
      { numRuns: Number(process.env['REFERENCE_RUNS'] ?? 100) },
    )
  })
})

function controlOf({
  lifetime,
  staleWhileRevalidate,
  staleIfError,
  says,
  shares,
}: ReferenceReply): string {
  return [
    ...(lifetime === undefined ? [] : [`max-age=${lifetime}`]),
    `stale-while-revalidate=${staleWhileRevalidate}`,
    `stale-if-error=${staleIfError}`,
    ...(says === 'nothing' ? [] : [says]),
    ...(shares ? ['public'] : []),
  ].join(', ')
}

test('CA-01 no two places have one key: by namespace, kind of partition, provider, user, scope, URL', () => {
  const text = fc.string({ unit: fc.constantFrom(...'ab:"\\,[] '.split('')), maxLength: 4 })
  const secret = Buffer.alloc(32, 'app')
  const partition: fc.Arbitrary<[Partition, unknown]> = fc.oneof(
    fc
      .tuple(text, text)
      .map(([p, id]): [Partition, unknown] => [grantPartition(p, id, secret), ['grant', p, id]]),
    fc
      .tuple(text, text, fc.uniqueArray(text, { maxLength: 2 }))
      .map(([p, id, scope]): [Partition, unknown] => [
        subjectPartition({ name: p, issuer: `as ${p}` }, id, scope, secret),
        ['subject', p, id, scope.toSorted()],
      ]),
    text.map((p): [Partition, unknown] => [
      sharedPartition({ name: p, issuer: `as ${p}` }, secret),
      ['shared', p],
    ]),
    fc
      .option(text, { nil: undefined })
      .map((name): [Partition, unknown] => [namedPartition(name, secret), ['named', name ?? null]]),
  )
  const place = fc.record({
    namespace: fc.constantFrom('a', 'a-b', 'b'),
    partition,
    method: fc.constantFrom('GET', 'repository'),
    path: text,
  })
  fc.assert(
    fc.property(place, place, (one, other) => {
      const key = ({ namespace, partition: [is], method, path }: typeof one) =>
        responseKey(namespace, is, { method, url: `https://a.example/${encodeURIComponent(path)}` })
      const name = ({ namespace, partition: [, is], method, path }: typeof one) =>
        JSON.stringify([namespace, is, method, path])
      expect(key(one) === key(other)).toBe(name(one) === name(other))
    }),
    { numRuns: 2_000 },
  )
})
