import { MongoClient } from 'mongodb'
import type { Collection, Document } from 'mongodb'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigError } from '../../../src/errors.ts'
import { isMongodbClient, mongodbStore } from '../../../src/stores/mongodb.ts'
import { startMongo } from '../../support/mongo-stand-in-process.ts'
import { describeStore } from '../describe-store.ts'

// One busy machine runs the tests, the driver and the stand-in.
vi.setConfig({ testTimeout: 60_000 })
const patient = { connectTimeout: 30, commandTimeout: 30, poolSize: 20 }

const { url, process: standIn, close } = await startMongo()
const client = new MongoClient(url)
const value = Buffer.from('value')

afterAll(async () => {
  await client.close()
  await close()
})

describeStore('MongoDB', () => mongodbStore(url, patient))

describe('what is handed in', () => {
  const sources = {
    'a MongoClient': () => client,
    'a Db': () => client.db(),
    'a Collection': () => client.db().collection('handed_in'),
  }
  test.each(Object.entries(sources))('%s is used and stays open', async (_name, source) => {
    const store = mongodbStore(source(), { collection: 'handed_in' })
    await store.set('key', value)
    await store.close()
    const found = await client.db().collection<{ _id: string }>('handed_in').findOne({ _id: 'key' })
    expect(found).not.toBeNull()
    await expect(store.get('key')).rejects.toThrow('it has been closed')
  })

  test('a MongoClient with other ideas about reads, writes and numbers changes nothing', async () => {
    const other = new MongoClient(url, {
      monitorCommands: true,
      readPreference: 'secondaryPreferred',
      w: 0,
      promoteLongs: false,
      promoteValues: false,
      ignoreUndefined: true,
    })
    const commands: Document[] = []
    other.on('commandStarted', ({ command }) => commands.push(command))
    const store = mongodbStore(other, { collection: 'handed_in' })
    await store.set('count', Buffer.from('41'), { ttl: 60 })
    expect(await store.increment?.('count', 1)).toBe(42)
    expect(Buffer.from((await store.get('count'))!.value).toString()).toBe('42')
    await store.delete('count')
    const named = (name: string) => commands.filter((command) => Object.keys(command)[0] === name)
    for (const name of ['update', 'findAndModify', 'delete']) {
      expect(named(name).map(({ writeConcern }) => writeConcern)).toEqual([{ w: 'majority' }])
    }
    expect(named('find').map(({ readConcern }) => readConcern)).toEqual([{ level: 'majority' }])
    await other.close()
  })

  test('clients are told from what is none', () => {
    expect(isMongodbClient(client)).toBe(true)
    expect(isMongodbClient(client.db())).toBe(true)
    expect(isMongodbClient(client.db().collection('c'))).toBe(true)
    for (const other of [undefined, null, {}, new Map(), url, { get() {}, set() {} }]) {
      expect(isMongodbClient(other)).toBe(false)
    }
  })
})

describe('what is stored', () => {
  const collection: Collection<{ _id: string } & Document> = client.db().collection('stored')
  const store = mongodbStore(url, { ...patient, collection: 'stored' })
  beforeEach(() => collection.deleteMany({}))
  afterAll(() => store.close())

  test('one document for each key, with the instant at which the server is to remove it', async () => {
    const before = Date.now()
    await store.set('key', value, { ttl: 60 })
    await store.set('ever', value, { ttl: 1e15 })
    const document = await collection.findOne({ _id: 'key' })
    expect(Object.keys(document!)).toEqual(['_id', 'version', 'value', 'expiresAt'])
    const { expiresAt } = document as unknown as { expiresAt: Date }
    expect(expiresAt.getTime()).toBeGreaterThan(before + 59_000)
    expect(expiresAt.getTime()).toBeLessThan(Date.now() + 61_000)
    const indexes = await collection.indexes()
    expect(indexes).toContainEqual(
      expect.objectContaining({ key: { expiresAt: 1 }, expireAfterSeconds: 0 }),
    )
    expect(await store.ttl?.('ever')).toBeGreaterThan(1e12)
    expect((await store.get('ever'))?.value).toEqual(value)
  })

  test.runIf(standIn)('the server removes by itself what has expired', async () => {
    await store.set('key', value, { ttl: 0.05 })
    await expect
      .poll(
        () =>
          collection
            .find({})
            .toArray()
            .then(({ length }) => length),
        { timeout: 10_000 },
      )
      .toBe(0)
  })

  test('digits are kept as a number only where they can be had back', async () => {
    const texts = ['0', '7', '-7', '9007199254740991', '007', '-0', '+7', '9007199254740993', '7 ']
    for (const text of texts) await store.set(text, Buffer.from(text))
    for (const text of texts) {
      expect(Buffer.from((await store.get(text))!.value).toString()).toBe(text)
    }
    expect(await collection.find({ value: { $type: 'long' } }).toArray()).toHaveLength(4)
  })

  const foreign: Array<[string, Document]> = [
    ['nothing but a key', {}],
    ['no version', { value }],
    ['a version that is no text', { version: 5, value }],
    ['a value that is text', { version: 'v', value: 'text' }],
    ['a value that is a document', { version: 'v', value: { length: 5 } }],
    ['no value', { version: 'v' }],
    ['an end that is text', { version: 'v', value, expiresAt: 'tomorrow' }],
    ['an end in the past', { version: 'v', value, expiresAt: new Date(0) }],
  ]
  test.each(foreign)(
    'a document with %s is a miss, and can be written over',
    async (_name, document) => {
      await collection.insertOne({ _id: 'key', ...document })
      expect(await store.get('key')).toBeUndefined()
      expect(await store.getMany?.(['key'])).toEqual([undefined])
      expect(await store.ttl?.('key')).toBeUndefined()
      expect(await store.delete('key')).toBe(false)
      expect(await store.compareAndSwap('key', 'v', value)).toBeUndefined()
      const version = await store.compareAndSwap('key', undefined, value)
      expect(await store.get('key')).toEqual({ value, version })
      await collection.replaceOne({ _id: 'key' }, document)
      expect(await store.increment?.('key', 3)).toBe(3)
    },
  )

  test('ST-05 what looks like an operator is only text, and an object is no key', async () => {
    const hostile = ['$where', '{"$ne":null}', '$$NOW', '$version', 'a.b', '__proto__', 'a\nb', '"']
    for (const key of hostile) await store.set(key, Buffer.from(key))
    for (const key of hostile) expect((await store.get(key))?.value).toEqual(Buffer.from(key))
    await expect(store.get({ $ne: null } as never)).rejects.toThrow(RangeError)
    await expect(store.deleteMany?.([{ $ne: null }] as never)).rejects.toThrow(RangeError)
    const anyVersion = { $ne: 'x' } as never
    expect(await store.compareAndDelete('$where', anyVersion)).toBe(false)
    expect(await store.compareAndSwap('$where', anyVersion, value)).toBeUndefined()
  })

  test('ST-02 clear leaves documents of others alone, and has no pattern', async () => {
    await client.db().collection('stored').insertOne({ other: true })
    for (const key of ['a.b', 'axb', 'a', '\u{10FFFF}\u{10FFFF}']) await store.set(key, value)
    await store.clear?.('a.')
    expect(await store.get('axb')).toBeDefined()
    await store.clear?.('\u{10FFFF}')
    expect(await store.get('\u{10FFFF}\u{10FFFF}')).toBeUndefined()
    await store.clear?.('')
    expect(await collection.find({}).toArray()).toEqual([expect.objectContaining({ other: true })])
  })

  test('an index on expiresAt with other options is not touched, and said to be the reason', async () => {
    const other = client.db().collection('other_index')
    await other.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 5 })
    const refused = mongodbStore(url, { ...patient, collection: 'other_index' })
    await expect(refused.get('key')).rejects.toThrow(/index on expiresAt/)
    await expect(refused.get('key')).rejects.toBeInstanceOf(ConfigError)
    const [, index] = await other.indexes()
    expect(index?.expireAfterSeconds).toBe(5)
    await refused.close()
  })

  test('a value of the largest size is stored, with the longest key', async () => {
    const large = Buffer.alloc(store.maxValueBytes, 1)
    await store.set('k'.repeat(1024), large, { ttl: 60 })
    expect(large.equals((await store.get('k'.repeat(1024)))!.value)).toBe(true)
  })
})
