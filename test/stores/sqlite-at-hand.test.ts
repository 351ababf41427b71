import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store, StoredValue } from '../../src/stores/store.ts'

let path: string
let folder: string
let opened: Store[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-at-hand-'))
  path = join(folder, 'store.sqlite')
})

afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  opened = []
  rmSync(folder, { recursive: true, force: true })
})

/** A connection of its own, opened by its first read. */
async function connected(): Promise<Store> {
  const store = sqliteStore(path, { driver: 'libsql' })
  opened.push(store)
  await store.get('a')
  return store
}

const keys = ['a', 'b', 'c']
const plain = (found: ReadonlyArray<StoredValue | undefined> | undefined) =>
  found?.map((one) => one && [one.version, Buffer.from(one.value).toString()])

type Write = (store: Store, key: string, text: string) => Promise<unknown>
const writes: Readonly<Record<string, Write>> = {
  set: (store, key, text) => store.set(key, Buffer.from(text)),
  long: (store, key) => store.set(key, Buffer.alloc(300_000, 'x')),
  setMany: (store, key, text) => store.setMany!([[key, Buffer.from(text)]]),
  swap: async (store, key, text) =>
    store.compareAndSwap(key, (await store.get(key))?.version, Buffer.from(text)),
  compareAndDelete: async (store, key) =>
    store.compareAndDelete(key, (await store.get(key))?.version ?? 'none'),
  delete: (store, key) => store.delete(key),
  clear: (store, key) => store.clear!(key),
  expire: (store, key) => store.expire!(key, 0),
}

test('whoever writes what, each connection has at hand what is in the database now', async () => {
  const [one, other] = [await connected(), await connected()]
  const step = fc.record({
    by: fc.constantFrom(one, other),
    write: fc.constantFrom(...Object.keys(writes)),
    key: fc.constantFrom(...keys),
    text: fc.string(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
      for (const { by, write, key, text } of steps) {
        await writes[write]!(by, key, text)
        const now = plain(await one.getMany!(keys))
        expect(plain(one.atHand!(keys))).toEqual(now)
        expect(plain(other.atHand!(keys))).toEqual(now)
      }
    }),
    { numRuns: 60 },
  )
})

test('what was at hand has gone with its time, and with its file', async () => {
  const store = await connected()
  await store.set('a', Buffer.from('short'), { ttl: 0.05 })
  expect(plain(store.atHand!(['a']))?.[0]?.[1]).toBe('short')
  await new Promise((resolve) => setTimeout(resolve, 80))
  expect(store.atHand!(['a'])).toEqual([undefined])
  await store.set('a', Buffer.from('there'))
  expect(plain(store.atHand!(['a']))?.[0]?.[1]).toBe('there')
  rmSync(path)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(store.atHand!(['a'])).toBeUndefined()
})

test('nothing is at hand before the database is open, nor of one whose owner may write as well', async () => {
  expect(sqliteStore(path, { driver: 'libsql' }).atHand!(['a'])).toBeUndefined()
  const database = new Database(path)
  const handedIn = sqliteStore(database)
  await handedIn.set('a', Buffer.from('written'))
  expect(handedIn.atHand!(['a'])).toBeUndefined()
  database.close()
})
