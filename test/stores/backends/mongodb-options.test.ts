import { MongoClient } from 'mongodb'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../../src/errors.ts'
import { gridfsStore } from '../../../src/stores/gridfs.ts'
import { mongodbStore } from '../../../src/stores/mongodb.ts'
import type { MongodbStoreOptions } from '../../../src/stores/mongodb.ts'
import { readFound } from '../../../src/stores/mongodb/document.ts'
import type { Store } from '../../../src/stores/store.ts'
import { startMongoStandIn } from '../../support/mongo-stand-in.ts'
import { hostileRows } from '../../hostile.ts'

const standIn = await startMongoStandIn()
const { url } = standIn
const client = new MongoClient(url)
const value = Buffer.from('value')
const secret = 's3cret-p4ssword'

afterAll(async () => {
  await client.close()
  await standIn.close()
})

async function collectionsWith(key: string, ...names: string[]): Promise<string[]> {
  const found: string[] = []
  for (const name of names) {
    const collection = client.db().collection<{ _id: string }>(name)
    if (await collection.findOne({ _id: key })) found.push(name)
  }
  return found
}

async function used(store: Store, key: string): Promise<void> {
  await store.set(key, value)
  await store.close()
}

describe('options', () => {
  test('everything can be in the URL, beside what is the driver’s', async () => {
    const query =
      'collection=in_url&poolSize=2&retryWrites=false&connectTimeout=1.5&commandTimeout=1'
    await used(mongodbStore(`${url}?${query}`), 'url')
    await used(mongodbStore(new URL(`${url}?collection=from_object`)), 'url-object')
    expect(await collectionsWith('url', 'in_url', 'behalf')).toEqual(['in_url'])
    expect(await collectionsWith('url-object', 'from_object')).toEqual(['from_object'])
  })

  test('options are taken with a url among them, and win over those in the URL', async () => {
    await used(mongodbStore({ url: `${url}?collection=in_url`, collection: 'won' }), 'one')
    await used(mongodbStore(`${url}?collection=in_url`, { collection: 'won' }), 'two')
    await used(mongodbStore({ url }), 'three')
    expect(await collectionsWith('one', 'won', 'in_url')).toEqual(['won'])
    expect(await collectionsWith('two', 'won', 'in_url')).toEqual(['won'])
    expect(await collectionsWith('three', 'behalf')).toEqual(['behalf'])
  })

  test('the database can be another one than in the URL', async () => {
    await used(mongodbStore(url, { database: 'elsewhere' }), 'key')
    const found = client
      .db('elsewhere')
      .collection<{ _id: string }>('behalf')
      .findOne({ _id: 'key' })
    expect(await found).not.toBeNull()
  })

  const wrong: Array<[string, MongodbStoreOptions]> = [
    ['collection', { collection: 'a.b' }],
    ['collection', { collection: '' }],
    ['database', { database: 'a/b' }],
    ['connectTimeout', { connectTimeout: -1 }],
    ['commandTimeout', { commandTimeout: Number.NaN }],
    ['commandTimeout', { commandTimeout: '2' as never }],
    ['poolSize', { poolSize: 0 }],
  ]
  test.each(wrong)('a wrong %s is refused when the store is made: %j', (name, options) => {
    expect(() => mongodbStore(url, options)).toThrow(ConfigError)
    expect(() => mongodbStore(url, options)).toThrow(name)
    expect(() => mongodbStore(client, options)).toThrow(ConfigError)
  })

  test.each(hostileRows('storeConfig'))('ST-04 the collection of $id is refused', ({ input }) => {
    const { tableOrNamespace: collection } = input as { tableOrNamespace: string }
    expect(() => mongodbStore(url, { collection })).toThrow(ConfigError)
  })

  test.each([
    `http://user:${secret}@host/`,
    `mongodb//user:${secret}@host`,
    `mongodb://user:${secret}%@host/db?collection=a.b`,
    `mongodb://user:${secret}@host/db?poolSize=many`,
    `mongodb://user:${secret}@host/db?poolSize=1&poolSize=2`,
  ])('ST-12 a wrong URL is refused and never repeated: %#', (wrongUrl) => {
    expect(() => mongodbStore(wrongUrl)).toThrow(ConfigError)
    expect(() => mongodbStore(wrongUrl)).not.toThrow(secret)
  })

  test('ST-12 what only the driver refuses is said at the first use, without its text', async () => {
    for (const query of ['maxPoolSize=many', 'nonsense=1', 'tls=perhaps']) {
      const store = mongodbStore(`mongodb://user:${secret}@127.0.0.1:1/db?${query}`)
      const failure = await store.get('key').catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(ConfigError)
      expect(String((failure as Error).stack)).not.toContain(secret)
    }
  })

  test.each([undefined, null, 5, {}, { url: 5 }, new Map()])('%j is no source', (source) => {
    expect(() => mongodbStore(source as never)).toThrow(ConfigError)
    expect(() => gridfsStore(source as never)).toThrow(ConfigError)
  })

  test('gridfsStore takes both schemes, and no single collection', async () => {
    await used(gridfsStore(url.replace('mongodb:', 'gridfs:'), { collection: 'grid' }), 'key')
    await used(gridfsStore(url, { collection: 'grid' }), 'other')
    expect(await collectionsWith('key', 'grid')).toEqual(['grid'])
    expect(() => gridfsStore(client.db().collection('c') as never)).toThrow(ConfigError)
    expect(() => mongodbStore(url.replace('mongodb:', 'gridfs:'))).toThrow(ConfigError)
  })
})

test('a document of another key, as a collection with a collation may find it, is a miss', () => {
  const document = { _id: 'KEY', version: 'v', value }
  expect(readFound(document, 'KEY')).toEqual({ version: 'v', value })
  expect(readFound(document, 'key')).toBeUndefined()
})

describe('commands', () => {
  test('get and set are one command each, and the index is asked for once', async () => {
    const store = mongodbStore(url, { collection: 'commands' })
    standIn.seen.length = 0
    await Promise.all(Array.from({ length: 20 }, (_, index) => store.get(`${index}`)))
    expect(standIn.seen.filter((name) => name === 'createIndexes')).toHaveLength(1)
    standIn.seen.length = 0
    await store.set('key', value, { ttl: 60 })
    await store.get('key')
    await store.getMany?.(['key', 'other'])
    await store.increment?.('count', 1)
    await store.compareAndSwap('new', undefined, value)
    await store.delete('key')
    const commands = ['update', 'find', 'find', 'findAndModify', 'findAndModify', 'delete']
    expect(standIn.seen).toEqual(commands)
    await store.close()
  })

  test.each(['update', 'findAndModify'])(
    'a race in which the server refuses a %s as a duplicate is settled by another try',
    async (command) => {
      const store = mongodbStore(url, { collection: 'races' })
      await store.get('connected')
      await failNext(command, 3, 11_000)
      await store.set('key', value)
      await store.setMany?.([['key', value]])
      expect(await store.increment?.(`count-${command}`, 1)).toBe(1)
      expect(await store.compareAndSwap(`new-${command}`, undefined, value)).toBeDefined()
      await store.close()
    },
  )

  test('one that goes on for ever ends in an error', async () => {
    const store = mongodbStore(url, { collection: 'races' })
    await store.get('connected')
    await failNext('update', 1_000, 11_000)
    await expect(store.set('key', value)).rejects.toThrow(StoreUnavailableError)
    await failNext('update', 0, 11_000)
    await store.close()
  })

  test('ST-12 an error of the server is told by its name alone', async () => {
    const store = mongodbStore(url, { collection: 'errors' })
    await store.get('connected')
    await failNext('find', 1, 13)
    await expect(store.get('key')).rejects.toThrow(
      'The store cannot be used right now: the MongoDB store failed (FailPoint). No session is lost; try again.',
    )
    expect(await store.get('key')).toBeUndefined()
    await store.close()
  })
})

async function failNext(command: string, times: number, errorCode: number): Promise<void> {
  const data = { failCommands: [command], errorCode }
  await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times }, data })
}

test('every command compares keys by their bytes, whatever the collection\u2019s collation is', async () => {
  const watched = new MongoClient(url, { monitorCommands: true })
  const bare: string[] = []
  watched.on('commandStarted', ({ commandName, command }) => {
    const parts = command['updates'] ?? command['deletes'] ?? [command]
    const isBare = parts.some((part: { collation?: { locale: string } }) => {
      return part.collation?.locale !== 'simple'
    })
    if (isBare) bare.push(commandName)
  })
  const store = mongodbStore(watched, { collection: 'collated' }) as Required<Store>
  await store.set('key', value)
  const version = await store.compareAndSwap('new', undefined, value)
  await store.compareAndSwap('new', version, value)
  await store.compareAndDelete('new', version!)
  await store.setMany([['a', value]])
  await store.getMany(['a', 'key'])
  await store.increment('n', 1)
  await store.expire('n', 60)
  await store.ttl('n')
  await store.delete('n')
  await store.deleteMany(['a'])
  for await (const key of store.keys('')) expect(key).toBe(key)
  await store.clear('')
  expect(new Set(bare)).toEqual(new Set(['createIndexes']))
  await store.close()
  await watched.close()
})
