import { randomBytes } from 'node:crypto'
import { MongoClient } from 'mongodb'
import type { Document } from 'mongodb'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { gridfsStore, isGridfsClient } from '../../../src/stores/gridfs.ts'
import { startMongo } from '../../support/mongo-stand-in-process.ts'
import { describeStore } from '../describe-store.ts'

// One busy machine runs the tests, the driver and the stand-in.
vi.setConfig({ testTimeout: 60_000 })
const patient = { connectTimeout: 30, commandTimeout: 30, poolSize: 20 }

const { url, close } = await startMongo()
const client = new MongoClient(url)
const small = Buffer.from('small')
const large = randomBytes(600_000)

afterAll(async () => {
  await client.close()
  await close()
})

describeStore('GridFS', () => gridfsStore(url, patient))

describe('bodies', () => {
  const heads = client.db().collection<{ _id: string } & Document>('bodies')
  const files = client.db().collection<{ _id: string } & Document>('bodies.files')
  const chunks = client.db().collection('bodies.chunks')
  const store = gridfsStore(client, { collection: 'bodies' })
  beforeEach(async () => {
    for (const collection of [heads, files, chunks]) await collection.deleteMany({})
  })
  afterAll(() => store.close())

  async function counts(): Promise<[files: number, chunks: number]> {
    const all = await Promise.all([files.find({}).toArray(), chunks.find({}).toArray()])
    return [all[0].length, all[1].length]
  }

  test('a small value is in its document, a large one is a file that others can read', async () => {
    await store.set('small', small)
    expect(await counts()).toEqual([0, 0])
    await store.set('large', large)
    expect(await counts()).toEqual([1, 3])
    const file = await files.findOne({ filename: 'large' })
    expect(file).toMatchObject({ chunkSize: 261_120, uploadDate: expect.any(Date) })
    expect(Number(file?.['length'])).toBe(large.byteLength)
    const version = (await store.get('large'))?.version
    expect(file?._id).toBe(version)
    const parts = await chunks.find({ files_id: version }).sort({ n: 1 }).toArray()
    const bytes = parts.map(({ data }) => (data as { buffer: Uint8Array }).buffer)
    expect(Buffer.concat(bytes).equals(large)).toBe(true)
  })

  test('20 MB are read back', async () => {
    const value = randomBytes(20 * 2 ** 20)
    const version = await store.compareAndSwap('key', undefined, value)
    const found = await store.get('key')
    expect(found?.version).toBe(version)
    expect(value.equals(found!.value)).toBe(true)
  })

  test('a file goes when its value is replaced or deleted, in whichever way', async () => {
    await store.set('key', large)
    await store.set('key', large)
    expect(await counts()).toEqual([1, 3])
    const version = (await store.get('key'))?.version
    await store.compareAndSwap('key', version, large)
    expect(await counts()).toEqual([1, 3])
    await store.set('key', small)
    expect(await counts()).toEqual([0, 0])
    for (const remove of [
      () => store.delete('key'),
      () => store.deleteMany!(['key']),
      () => store.clear!('ke'),
      () => store.set('key', large, { ttl: 0 }),
      () => store.expire!('key', 0),
      () => store.setMany!([['key', small]]),
    ]) {
      await store.set('key', large)
      await remove()
      expect(await counts()).toEqual([0, 0])
    }
  })

  test('a comparison that fails leaves no file', async () => {
    await store.set('key', large)
    expect(await store.compareAndSwap('key', 'another', large)).toBeUndefined()
    expect(await store.compareAndSwap('key', undefined, large)).toBeUndefined()
    expect(await counts()).toEqual([1, 3])
  })

  test('of many creations of a large value one wins, and one file is left', async () => {
    const tries = Array.from({ length: 10 }, () => store.compareAndSwap('key', undefined, large))
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1)
    expect(await counts()).toEqual([1, 3])
  })

  test('a value that is replaced again and again is never absent to a reader', async () => {
    await store.set('key', large)
    const written = new AbortController()
    const writer = (async () => {
      for (let round = 0; round < 15; round += 1) await store.set('key', large)
      written.abort()
    })()
    let reads = 0
    while (!written.signal.aborted) {
      const found = await store.get('key')
      expect(found?.value.byteLength).toBe(large.byteLength)
      expect((await store.getMany!(['key']))[0]).toBeDefined()
      reads += 1
    }
    await writer
    expect(reads).toBeGreaterThan(0)
  })

  /** Makes a chunk one of the file that is there. */
  async function adopt(): Promise<void> {
    const file = await files.findOne({})
    await chunks.updateOne({ files_id: 'x' }, { $set: { files_id: file!._id } })
  }

  const damages: Array<[string, () => Promise<unknown>]> = [
    ['one chunk missing', () => chunks.deleteOne({ n: 1 })],
    ['the last chunk missing', () => chunks.deleteOne({ n: 2 })],
    ['all chunks missing', () => chunks.deleteMany({})],
    ['a short chunk', () => chunks.updateOne({ n: 0 }, { $set: { data: Buffer.alloc(5) } })],
    ['a last chunk that is too long', () => chunks.updateOne({ n: 2 }, { $set: { data: large } })],
    ['a chunk too many', () => chunks.insertOne({ files_id: 'x', n: 3, data: small }).then(adopt)],
    ['a chunk that is text', () => chunks.updateOne({ n: 2 }, { $set: { data: 'text' } })],
    ['too large a length', () => heads.updateOne({}, { $set: { value: { length: 2 ** 40 } } })],
    ['a negative length', () => heads.updateOne({}, { $set: { value: { length: -1 } } })],
    ['a length that is text', () => heads.updateOne({}, { $set: { value: { length: 'x' } } })],
  ]
  test.each(damages)(
    'a value with %s is a miss, and can be written over',
    async (_name, damage) => {
      await store.set('key', large)
      await damage()
      expect(await store.get('key')).toBeUndefined()
      expect(await store.getMany?.(['key'])).toEqual([undefined])
      const version = await store.compareAndSwap('key', undefined, large)
      expect(version).toBeDefined()
      expect(large.equals((await store.get('key'))!.value)).toBe(true)
    },
  )

  test('an expired value can be created again, large or small', async () => {
    for (const value of [large, small]) {
      await store.set('key', large, { ttl: 0.01 })
      await expect.poll(() => store.get('key')).toBeUndefined()
      expect(await store.compareAndSwap('key', undefined, value)).toBeDefined()
      expect((await store.get('key'))?.value.byteLength).toBe(value.byteLength)
      await store.delete('key')
    }
  })

  test('files that nothing refers to go once they are an hour old, all others stay', async () => {
    await store.set('kept', large)
    const old = new Date(Date.now() - 3_700_000)
    await files.updateMany({}, { $set: { uploadDate: old } })
    const young = new Date(Date.now() - 3_500_000)
    await files.insertMany([
      { _id: 'orphan', filename: 'gone', uploadDate: old, length: 5 },
      { _id: 'replaced', filename: 'kept', uploadDate: old, length: 5 },
      { _id: 'young', filename: 'gone', uploadDate: young, length: 5 },
    ])
    await chunks.insertOne({ files_id: 'orphan', n: 0, data: small })
    const other = gridfsStore(client, { collection: 'bodies' })
    await other.set('new', large)
    const left = (await files.find({}).toArray()).map(({ filename }) => filename as string)
    expect(left.toSorted()).toEqual(['gone', 'kept', 'new'])
    expect(await chunks.findOne({ files_id: 'orphan' })).toBeNull()
    expect(await store.get('kept')).toBeDefined()
    await other.close()
  })

  test('counters and many values work beside files', async () => {
    await store.setMany?.([
      ['a', large],
      ['b', Buffer.from('41')],
    ])
    expect(await store.increment?.('b', 1)).toBe(42)
    await expect(store.increment?.('a', 1)).rejects.toThrow(RangeError)
    const found = await store.getMany?.(['b', 'a', 'c'])
    expect(found?.map((entry) => entry?.value.byteLength)).toEqual([2, large.byteLength, undefined])
  })

  test('clients are told from what is none', () => {
    expect([client, client.db()].every(isGridfsClient)).toBe(true)
    expect([client.db().collection('c'), {}, null].some(isGridfsClient)).toBe(false)
  })
})
