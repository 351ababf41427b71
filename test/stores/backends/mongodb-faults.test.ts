import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { StoreUnavailableError } from '../../../src/errors.ts'
import { gridfsStore } from '../../../src/stores/gridfs.ts'
import { mongodbStore } from '../../../src/stores/mongodb.ts'
import type { Store } from '../../../src/stores/store.ts'
import { startMongoStandInProcess } from '../../support/mongo-stand-in-process.ts'

const { url, process: server } = await startMongoStandInProcess()
const value = Buffer.from('value')
const secret = 's3cret-p4ssword'
let opened: Store[] = []

function open(options = {}): Store {
  const store = mongodbStore(url, { commandTimeout: 1, connectTimeout: 1, ...options })
  opened.push(store)
  return store
}

afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  opened = []
})
afterAll(() => server.kill())

/** How long it took to fail, and that it failed as it should. */
async function failsWithin(seconds: number, call: () => Promise<unknown>): Promise<void> {
  const startedAt = performance.now()
  const failure = await call().then(
    () => 'it did not fail',
    (error: unknown) => error,
  )
  expect(failure).toBeInstanceOf(StoreUnavailableError)
  expect(performance.now() - startedAt).toBeLessThan(seconds * 1000)
}

async function worksAgain(store: Store, withinSeconds: number): Promise<void> {
  const giveUpAt = performance.now() + withinSeconds * 1000
  for (;;) {
    const works = await store.set('key', value).then(
      () => true,
      () => false,
    )
    if (works) return
    if (performance.now() > giveUpAt) throw new Error('It does not work again.')
    await sleep(20)
  }
}

describe('a server that goes away', () => {
  test('calls fail within their time while it is down, and work again 2 s after it is back', async () => {
    const store = open()
    await store.set('key', value)
    await server.kill()
    await failsWithin(2.5, () => store.get('key'))
    await failsWithin(2.5, () => store.increment!('count', 1))
    await Promise.all(
      Array.from({ length: 50 }, () => failsWithin(3, () => store.set('key', value))),
    )
    await server.start()
    await worksAgain(store, 2)
    expect(await store.get('key')).toMatchObject({ value })
  })

  test('one that does not answer fails calls in time, and is used again when it does', async () => {
    const store = open()
    await store.set('key', value)
    server.freeze()
    try {
      await failsWithin(2.5, () => store.get('key'))
      await failsWithin(2.5, () => store.compareAndSwap('key', undefined, value))
    } finally {
      server.thaw()
    }
    await worksAgain(store, 2)
    expect(await store.get('key')).toMatchObject({ value })
  })

  test('a store that could not connect at its first use does so at a later one', async () => {
    await server.kill()
    const store = open()
    await failsWithin(2.5, () => store.get('key'))
    await server.start()
    await worksAgain(store, 2)
    expect(await store.get('key')).toMatchObject({ value })
  })

  test('closing in the middle ends what is under way with an error, and all that comes after', async () => {
    const store = open()
    await store.set('key', value)
    server.freeze()
    try {
      const underWay = Array.from({ length: 20 }, () => failsWithin(3, () => store.get('key')))
      await sleep(50)
      await store.close()
      await Promise.all(underWay)
    } finally {
      server.thaw()
    }
    await expect(store.set('key', value)).rejects.toThrow('it has been closed')
    await store.close()
  })

  test.each([true, false])(
    'closing waits for what has begun, also while it connects for the first time (%s)',
    async (cold) => {
      for (const make of [mongodbStore, gridfsStore]) {
        const store = make(url, { collection: `closed_${make.name}_${cold}`, poolSize: 2 })
        if (!cold) await store.get('key')
        const calls = Array.from({ length: 30 }, (_, index) => store.set(`key ${index}`, value))
        const closed = Promise.all([store.close(), store.close()])
        await expect(store.set('late', value)).rejects.toThrow('it has been closed')
        await expect(Promise.all(calls)).resolves.toHaveLength(30)
        await closed
      }
    },
  )

  test('ST-12 a host that is not there is told without the URL', async () => {
    const gone = `mongodb://user:${secret}@127.0.0.1:1/db?connectTimeout=0.3`
    for (const store of [mongodbStore(gone), gridfsStore(gone)]) {
      const failure = (await store.get('key').catch((error: unknown) => error)) as Error
      expect(failure).toBeInstanceOf(StoreUnavailableError)
      expect(failure.message).toContain('MongoServerSelectionError')
      expect(`${failure.stack}${JSON.stringify(failure)}`).not.toMatch(/s3cret|127\.0\.0\.1/)
      expect(failure.cause).toBeUndefined()
      await store.close()
    }
  })
})
