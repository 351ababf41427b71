import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { createStore, type StoreSource } from '../../src/stores/index.ts'
import type { Store } from '../../src/stores/store.ts'

// More of the kind `storeConfig` of hostile.json than a file can have.

const folder = mkdtempSync(join(tmpdir(), 'behalf-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** What each backend can be made of as it is, and the names of all its options. */
const backends: Record<string, { base: object; options: string[] }> = {
  memory: { base: {}, options: ['maxBytes', 'maxEntries', 'partitionShare'] },
  file: {
    base: { path: join(folder, 'files') },
    options: ['path', 'location', 'fsync', 'lockTimeout'],
  },
  sqlite: {
    base: { path: join(folder, 'a.sqlite') },
    options: ['path', 'location', 'table', 'busyTimeout', 'driver', 'fast'],
  },
  redis: {
    base: {},
    options: [
      'namespace',
      'layout',
      'durable',
      'url',
      'host',
      'port',
      'path',
      'db',
      'username',
      'password',
      'tls',
      'cluster',
      'sentinels',
      'sentinelName',
      'sentinelUsername',
      'sentinelPassword',
      'connectTimeout',
      'commandTimeout',
      'driver',
    ],
  },
  postgres: {
    base: {},
    options: [
      'url',
      'host',
      'port',
      'database',
      'user',
      'password',
      'tls',
      'poolSize',
      'connectTimeout',
      'commandTimeout',
      'table',
      'schema',
      'createTable',
    ],
  },
  memcached: {
    base: {},
    options: [
      'url',
      'servers',
      'host',
      'port',
      'namespace',
      'connectTimeout',
      'commandTimeout',
      'maxValueBytes',
    ],
  },
  mongodb: {
    base: { url: 'mongodb://127.0.0.1/app' },
    options: ['url', 'database', 'collection', 'connectTimeout', 'commandTimeout', 'poolSize'],
  },
  gridfs: {
    base: { url: 'gridfs://127.0.0.1/app' },
    options: ['url', 'database', 'collection', 'connectTimeout', 'commandTimeout', 'poolSize'],
  },
  dynamodb: {
    base: { region: 'eu-west-1' },
    options: [
      'region',
      'endpoint',
      'credentials',
      'table',
      'namespace',
      'partitions',
      'createTable',
      'connectTimeout',
      'commandTimeout',
    ],
  },
}

const secret = 'hunter2'
const text = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '../..',
    '/',
    'naïve',
    'a"--',
    'sqlite_x',
    '__proto__',
    '127.0.0.1',
  ),
  fc.constantFrom('true', '0', '-1', '1e3', 'NaN', 'x'.repeat(5_000), `${secret}:${secret}`),
  fc.constantFrom(`redis://:${secret}@127.0.0.1:99999`, `mongodb://a:${secret}@`, '127.0.0.1:0'),
  fc.string({ maxLength: 8 }),
)
const odd = fc.oneof(
  text,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 0.5, 1, 65_536, 2 ** 31, 1e21, 1n),
  fc.constantFrom<unknown>(Number.NaN, Infinity, Symbol('x'), () => 'x', new Date(0)),
  fc.constantFrom<unknown>([], [null], [{}], [{ host: '' }], {}, Object.create(null), [secret]),
  fc.anything({ maxDepth: 2 }),
)

const connect = vi.spyOn(Socket.prototype, 'connect')
let here: string[]
beforeEach(() => {
  connect.mockClear()
  here = readdirSync('.')
})

async function expectNothingOpened(): Promise<void> {
  // What was begun in the background would show by now.
  await sleep(20)
  expect(connect).not.toHaveBeenCalled()
  expect(readdirSync('.')).toEqual(here)
  expect(readdirSync(folder)).toEqual([])
}

/** The store; or the error, which has to be ours and to repeat no secret. */
function madeOf(source: unknown): Store | ConfigError {
  try {
    return createStore(source as StoreSource)
  } catch (error) {
    expect(error, String((error as Error)?.stack)).toBeInstanceOf(ConfigError)
    expect((error as Error).message).not.toContain(secret)
    return error as ConfigError
  }
}

describe.each(Object.entries(backends))('%s', (backend, { base, options }) => {
  test('ST-04 ST-12 whatever one option is, it is taken or the error names it, and nothing is connected to', async () => {
    let refused = 0
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...options), odd, async (option, value) => {
        const made = madeOf({ backend, ...base, [option]: value })
        if (!(made instanceof ConfigError)) return made.close()
        refused += 1
        expect(made.message.toLowerCase()).toContain(option.toLowerCase())
      }),
      { numRuns: 1_000 },
    )
    expect(refused).toBeGreaterThan(100)
    await expectNothingOpened()
  })
})

test('ST-12 whatever a URL says, it makes a store or an error that repeats no password', async () => {
  const names = [...new Set(Object.values(backends).flatMap(({ options }) => options))]
  const scheme = fc.oneof(
    fc.constantFrom(...Object.keys(backends), 'rediss', 'redis+unix', 'mongodb+srv', 'valkey'),
    // A scheme that there is not is repeated, see refuse().
    text.filter((one) => !one.includes(secret)),
  )
  const part = fc.oneof(text, text.map(encodeURIComponent))
  const authority = fc.oneof(
    fc.constantFrom('', '//', '//127.0.0.1', '//[::1]:1,[::2]', '//a,b:70000', '//:%zz', '//a:b:c'),
    fc.constantFrom(`//user:${secret}@127.0.0.1`, `//:${secret}@/`, `//${secret}@h:1`),
    part.map((host) => `//${host}`),
  )
  const query = fc.array(
    fc.tuple(fc.oneof(fc.constantFrom(...names), fc.constant(secret), text), part),
    { maxLength: 3 },
  )
  let made = 0
  await fc.assert(
    fc.asyncProperty(scheme, authority, part, query, async (kind, host, path, pairs) => {
      const asked = pairs.map((pair) => pair.join('=')).join('&')
      const store = madeOf(`${kind}:${host}${path}${asked && '?'}${asked}`)
      if (store instanceof ConfigError) return
      made += 1
      await store.close()
    }),
    { numRuns: 3_000 },
  )
  expect(made).toBeGreaterThan(100)
  await expectNothingOpened()
})
