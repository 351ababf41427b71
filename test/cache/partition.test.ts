import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  grantPartition,
  namedPartition,
  type Partition,
  responseKey,
  sharedPartition,
  subjectPartition,
} from '../../src/cache/stored/partition.ts'

const [key, otherKey] = [Buffer.alloc(32, 'a'), Buffer.alloc(32, 'b')]
const authority = { name: 'spotify', issuer: 'https://accounts.example' }
const elsewhere = { name: 'spotify', issuer: 'https://accounts.other' }
const me = { method: 'GET', url: 'https://api.example/v1/me' }

/** Every partition that could be mistaken for another, by whose it is. */
const makePartitions = (): Record<string, Partition> => ({
  'a grant': grantPartition('spotify', 'ada', key),
  'another grant': grantPartition('spotify', 'bob', key),
  'a grant at another provider': grantPartition('github', 'ada', key),
  'a grant with another key': grantPartition('spotify', 'ada', otherKey),
  'a subject': subjectPartition(authority, 'ada', ['a', 'b'], key),
  'another subject': subjectPartition(authority, 'bob', ['a', 'b'], key),
  'a subject with another scope': subjectPartition(authority, 'ada', ['a'], key),
  'a subject with the scopes as one': subjectPartition(authority, 'ada', ['a,b'], key),
  'an equal subject of another issuer': subjectPartition(elsewhere, 'ada', ['a', 'b'], key),
  'an equal subject of another app': subjectPartition(authority, 'ada', ['a', 'b'], otherKey),
  'an equal subject of another provider': subjectPartition(
    { ...authority, name: 'github' },
    'ada',
    ['a', 'b'],
    key,
  ),
  'what users share': sharedPartition(authority, key),
  'what users of another issuer share': sharedPartition(elsewhere, key),
  'what users of another provider share': sharedPartition({ ...authority, name: 'github' }, key),
  everybody: namedPartition(undefined, key),
  'a name': namedPartition('ada', key),
  'another name': namedPartition('everybody', key),
})
let partitions: Record<string, Partition>
beforeEach(() => {
  partitions = makePartitions()
})

describe("a response's key", () => {
  test('CA-01 is another one in each partition: whose a reply is can never be mistaken', () => {
    const keys = Object.values(partitions).map((partition) => responseKey('behalf', partition, me))
    expect(new Set(keys).size).toBe(keys.length)
    expect(new Set(Object.values(partitions).map(({ id }) => id)).size).toBe(keys.length)
    expect(new Set(Object.values(partitions).map(({ name }) => name)).size).toBe(keys.length)
  })

  test('OC-27 equal subjects of two issuers share nothing, also under one name of the app', () => {
    const of = (issuer: string) => subjectPartition({ name: 'main', issuer }, '1', ['a'], key).id
    expect(of('https://a.example')).not.toBe(of('https://b.example'))
    expect(of('https://a.example/tenant/1')).not.toBe(of('https://a.example/tenant/2'))
    expect(of('https://a.example')).toBe(of('https://a.example'))
  })

  test('is the same for a subject in whichever order the scopes were granted', () => {
    const scope = ['b', 'a']
    expect(subjectPartition(authority, 'ada', scope, key)).toEqual(partitions['a subject'])
    expect(scope).toEqual(['b', 'a'])
  })

  test('CA-01 GHSA-rp9m-7r4c-75qg is injective in namespace, partition, method and URL', () => {
    const text = fc.string({ unit: fc.constantFrom(...'a:/?&",[]\\'.split('')), maxLength: 4 })
    const call = fc.record({
      namespace: fc.constantFrom('a', 'b'),
      whose: fc.record({ name: text, issuer: text, subject: text, scope: fc.array(text) }),
      method: fc.constantFrom('GET', 'POST'),
      url: text.map((path) => `https://a.example/${path}`),
    })
    type Call = typeof call extends fc.Arbitrary<infer T> ? T : never
    const named = ({ namespace, whose, method, url }: Call) =>
      responseKey(
        namespace,
        subjectPartition(whose, whose.subject, [...new Set(whose.scope)], key),
        { method, url },
      )
    const told = ({ namespace, whose, method, url }: Call) =>
      JSON.stringify([
        [namespace, whose.name, whose.issuer, whose.subject],
        [...new Set(whose.scope)].toSorted(),
        [method, url],
      ])
    fc.assert(
      fc.property(call, call, (one, other) => {
        expect(named(one) === named(other)).toBe(told(one) === told(other))
        expect(named(one)).toBe(named(structuredClone(one)))
      }),
      { numRuns: 1_000 },
    )
  })

  test('is the same for HEAD and GET, and whatever comes after #', () => {
    const keyOf = (method: string, url: string) =>
      responseKey('behalf', partitions['a grant']!, { method, url })
    expect(keyOf('HEAD', me.url)).toBe(keyOf('GET', me.url))
    expect(keyOf('POST', me.url)).not.toBe(keyOf('GET', me.url))
    expect(keyOf('GET', `${me.url}#a`)).toBe(keyOf('GET', me.url))
    expect(keyOf('GET', `${me.url}#a#b`)).toBe(keyOf('GET', me.url))
    expect(keyOf('GET', '#a')).toBe(keyOf('GET', '#b'))
    expect(keyOf('GET', `${me.url}x`)).not.toBe(keyOf('GET', me.url))
  })

  test('is one that every store takes, and tells nothing of whose it is', () => {
    for (const partition of Object.values(partitions)) {
      const name = responseKey('behalf', partition, me)
      expect(name).toMatch(/^behalf:response:[0-9a-f]{12}:[0-9a-f]{64}$/)
      expect(name.startsWith(`behalf:response:${partition.name}:`)).toBe(true)
      expect(partition.id).toMatch(/^[\w-]{43}$/)
    }
  })

  test('is found again by the next version: what was stored under it stays', () => {
    const { 'a grant': grant, everybody } = partitions
    expect(responseKey('behalf', grant!, me)).toBe(
      'behalf:response:892b1b3cdbdd:403ef7d8c49428c7862af7e86e8741fb16fe474dec1488932dffbe9ea79f3a32',
    )
    expect(responseKey('behalf', everybody!, me)).toBe(
      'behalf:response:349823183796:1abbbf8faf3af25dc47a2663868991777acd2254133bc977ef9370545323d1c2',
    )
  })
})

test('CA-08 what leaves the process is sealed with the partition’s key, unless it is nobody’s', () => {
  for (const [whose, partition] of Object.entries(partitions)) {
    expect(partition.sealed, whose).toBe(true)
    expect(partition.key, whose).toEqual(/another (key|app)/.test(whose) ? otherKey : key)
  }
  for (const open of [namedPartition(undefined, undefined), namedPartition('a', undefined)]) {
    expect(open).toMatchObject({ sealed: false, key: new Uint8Array(32) })
  }
})
