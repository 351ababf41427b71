import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { Cluster, Redis } from 'ioredis'
import { Keyv } from 'keyv'
import { MongoClient } from 'mongodb'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import type { StoreSource } from '../../src/stores/create-store.ts'
import { backends, createStore } from '../../src/stores/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'
import { hostileRows } from '../hostile.ts'

const folder = mkdtempSync(join(tmpdir(), 'behalf-create-'))
afterAll(() => rmSync(folder, { recursive: true }))
const value = Buffer.from('value')

test('memory: and memory:name give one store for each name', async () => {
  await createStore('memory:').set('key', value)
  await createStore('memory:app').set('app key', value)
  expect(await createStore('memory:').get('key')).toBeDefined()
  expect(await createStore(new URL('memory:app')).get('app key')).toBeDefined()
  expect(await createStore('memory:app').get('key')).toBeUndefined()
  expect(createStore('memory:small?maxBytes=1000').maxValueBytes).toBe(1000)
})

test('sqlite: takes an absolute and a relative path, as text and as a URL', async () => {
  await inFolder(async () => {
    for (const source of ['sqlite:relative 1.db', 'sqlite:./a%20b.db', `sqlite:${folder}/abs.db`]) {
      await use(source)
    }
    await use(`sqlite://${folder}/slashes.db`)
    await use(new URL('sqlite:url%20é.db'))
    await use(new URL(pathToFileURL(join(folder, 'parsed.db')).href.replace('file:', 'sqlite:')))
    await use({ backend: 'sqlite', path: 'options.db', table: 'other' })
    await use('sqlite:query.db?table=other&fast=true&busyTimeout=1')
  })
  const made = ['relative 1.db', 'a%20b.db', 'abs.db', 'slashes.db', 'url é.db', 'parsed.db']
  made.push('options.db', 'query.db')
  const databases = readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name))
  expect(databases.toSorted()).toEqual(made.toSorted())
})

test('sqlite::memory: keeps no file', async () => {
  const store = createStore('sqlite::memory:')
  await store.set('key', value)
  expect(store.reach).toBe('process')
  expect(existsSync(':memory:')).toBe(false)
  await store.close()
})

test('nothing is opened before the first use', async () => {
  const path = join(folder, 'lazy.sqlite')
  const store = createStore(`sqlite:${path}`)
  expect(existsSync(path)).toBe(false)
  await store.get('key')
  expect(existsSync(path)).toBe(true)
  await store.close()
})

describe('what a store can be made of', () => {
  const urls: Record<string, [reach: string, durable: boolean]> = {
    'memory:': ['process', true],
    'file:some/folder': ['host', true],
    'sqlite:some.db': ['host', true],
    'redis://user:hunter2@127.0.0.1:6379/1?namespace=app&layout=hash': ['cluster', true],
    'rediss://127.0.0.1?durable=false': ['cluster', false],
    'redis://127.0.0.1:7000,127.0.0.1:7001?cluster=true': ['cluster', true],
    'redis://127.0.0.1:26379,127.0.0.2:26379/0?sentinel=mymaster': ['cluster', true],
    'redis+unix:///run/redis.sock': ['cluster', true],
    'postgres://user:hunter2@127.0.0.1:5432/app?table=kept': ['cluster', true],
    'postgresql://127.0.0.1/app': ['cluster', true],
    'memcached://127.0.0.1:11211,127.0.0.2?namespace=app': ['cluster', false],
    'mongodb://user:hunter2@127.0.0.1:27017,127.0.0.2/app?collection=kept': ['cluster', true],
    'mongodb+srv://user:hunter2@db.example/app': ['cluster', true],
    'gridfs://127.0.0.1/app': ['cluster', true],
    'dynamodb://eu-west-1/table?namespace=app': ['cluster', true],
  }
  test.each(Object.entries(urls))('%s', async (url, [reach, durable]) => {
    const store = createStore(url)
    expect([store.reach, store.durable]).toEqual([reach, durable])
    await store.close()
  })

  const options: StoreSource[] = [
    { backend: 'memory', maxBytes: 1000 },
    { backend: 'file', path: 'some/folder' },
    { backend: 'redis', host: '127.0.0.1', port: 6379, db: 1, password: 'hunter2' },
    { backend: 'postgres', host: '127.0.0.1', database: 'app', poolSize: 5 },
    { backend: 'memcached', servers: ['127.0.0.1:11211'] },
    { backend: 'mongodb', url: 'mongodb://127.0.0.1/app' },
    { backend: 'gridfs', url: 'mongodb://127.0.0.1/app' },
    { backend: 'dynamodb', region: 'eu-west-1', table: 'kept' },
  ]
  test.each(options)('options: $backend', async (source) => {
    const store = createStore(source)
    expect(store.maxValueBytes).toBeGreaterThan(999)
    await store.close()
  })

  const redis = new Redis({ lazyConnect: true })
  const cluster = new Cluster([{ port: 7000 }], { lazyConnect: true })
  const mongo = new MongoClient('mongodb://127.0.0.1/app')
  const clients: Record<string, StoreSource> = {
    ioredis: redis,
    'ioredis Cluster': cluster,
    'node-redis': createClient(),
    pg: new Pool(),
    'any query(text, values)': { query: async () => ({ rows: [], rowCount: 0 }) },
    MongoClient: mongo,
    'a database of mongodb': mongo.db('app'),
    DynamoDBClient: new DynamoDBClient({ region: 'eu-west-1' }),
    Keyv: new Keyv(),
  }
  test.each(Object.entries(clients))('a client: %s', async (_name, client) => {
    const store = createStore(client)
    expect(store.reach).toBe(client === clients['Keyv'] ? 'process' : 'cluster')
    await store.close()
  })
  afterAll(() => {
    redis.disconnect()
    cluster.disconnect()
  })

  test("an app's own store is given back as it is, and made of its class", () => {
    const store = memoryStore()
    expect(createStore(store)).toBe(store)
    expect(createStore(OwnStore)).toBeInstanceOf(OwnStore)
  })
})

const refused: unknown[] = [
  'mysql://user:hunter2@db.example/0',
  'redis://user:hunter2@db.example/0?passwrod=hunter2',
  'redis://user:hunter2@db.example/zero',
  'redis://user:hunter2@:%zz/0',
  'redis://user:hunter2@db.example:99999',
  'postgres://user:hunter2@db.example/app?table=a-b',
  'postgres://user:hunter2@db.example/app?hunter2=hunter2',
  'memcached://user:hunter2@db.example/?hunter2',
  'mongodb://user:hunter2@db.example/app?collection=hunter2"--',
  'dynamodb://eu-west-1/table?hunter2=hunter2',
  'file:folder?password=hunter2',
  'memory:name?hunter2=1',
  'memory://user:hunter2@name',
  'sqlite://user:hunter2@host/file.db',
  'sqlite:file.db?password=hunter2',
  'sqlite:file.db#hunter2',
  'sqlite:',
  'constructor:hunter2',
  '__proto__:hunter2',
  'hunter2',
  './hunter2.sqlite',
  '',
  new URL('mysql://user:hunter2@db.example/0'),
  new URL('sqlite:%zz-hunter2'),
  { get() {}, set() {}, hunter2: 1 },
  { backend: 'hunter2' },
  { backend: 'constructor' },
  { backend: 'redis', port: 'hunter2' },
  () => {},
  undefined,
  null,
  42,
]

test.each(refused)('ST-12 %s is refused without being repeated', (source) => {
  const error = thrownBy(() => createStore(source as string))
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).message.replace("'hunter2' is no store", '')).not.toContain(
    'hunter2',
  )
})

test('backends maps every name to its maker', async () => {
  expect(Object.keys(backends).toSorted()).toEqual([
    'dynamodb',
    'file',
    'gridfs',
    'keyv',
    'memcached',
    'memory',
    'mongodb',
    'postgres',
    'redis',
    'sqlite',
  ])
  const store = backends.memory({ maxBytes: 10 })
  expect(store.maxValueBytes).toBe(10)
})

const named: Record<string, (name: string) => unknown> = {
  'the table of sqlite': (table) => backends.sqlite(':memory:', { table }),
  'the table of postgres': (table) => backends.postgres('postgres://127.0.0.1/app', { table }),
  'the namespace of redis': (namespace) => backends.redis('redis://127.0.0.1', { namespace }),
  'the namespace of memcached': (namespace) =>
    backends.memcached('memcached://127.0.0.1', { namespace }),
  'the collection of mongodb': (collection) =>
    backends.mongodb('mongodb://127.0.0.1/app', { collection }),
  'the collection of gridfs': (collection) =>
    backends.gridfs('gridfs://127.0.0.1/app', { collection }),
  'the namespace of dynamodb': (namespace) =>
    backends.dynamodb('dynamodb://eu-west-1/table', { namespace }),
}
const names = hostileRows('storeConfig').map(({ id, input }) => ({
  id,
  name: input.tableOrNamespace as string,
}))
const configurations = Object.entries(named).flatMap(([what, make]) =>
  names.map((row) => ({ ...row, what, make })),
)
test.each(configurations)('ST-04 $id $what is refused at construction', ({ make, name }) => {
  expect(() => make(name)).toThrow(ConfigError)
})

class OwnStore implements Store {
  readonly reach = 'process'
  readonly durable = true
  readonly maxValueBytes = 1
  async get() {
    return undefined
  }
  async set() {}
  async delete() {
    return false
  }
  async compareAndSwap() {
    return undefined
  }
  async compareAndDelete() {
    return false
  }
  async close() {}
}

async function use(source: StoreSource): Promise<void> {
  const store = createStore(source)
  await store.set('key', value)
  expect(await store.get('key')).toBeDefined()
  await store.close()
}

async function inFolder(work: () => Promise<void>): Promise<void> {
  const cwd = process.cwd()
  process.chdir(folder)
  try {
    await work()
  } finally {
    process.chdir(cwd)
  }
}

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}
