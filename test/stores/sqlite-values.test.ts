import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'

const [small, large] = [Buffer.alloc(256 * 1024, 1), Buffer.alloc(256 * 1024 + 1, 2)]
let folder: string
let client: Database.Database
let store: Store

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-sqlite-values-'))
  client = new Database(join(folder, 'store.sqlite'))
  store = sqliteStore(client)
})

afterEach(() => {
  client.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('a large value', () => {
  test('of more than 256 KiB lies in a table beside, one up to that in its row', async () => {
    await store.set('small', small)
    expect(bodies()).toBe(0)
    await store.set('large', large)
    expect(bodies()).toBe(1)
    expect(rows('SELECT length(value) AS bytes FROM behalf ORDER BY key DESC')).toEqual([
      { bytes: small.byteLength },
      { bytes: '262145.0'.length },
    ])
    expect((await store.get('small'))?.value).toEqual(new Uint8Array(small))
    expect((await store.get('large'))?.value).toEqual(new Uint8Array(large))
  })

  test.each<[how: string, end: () => Promise<unknown>]>([
    ['deleted', () => store.delete('key')],
    ['deleted with others', () => store.deleteMany!(['key', 'other'])],
    ['cleared', () => store.clear!('k')],
    ['replaced by a small one', () => store.set('key', small)],
    ['written with a ttl of zero', () => store.set('key', large, { ttl: 0 })],
    ['expired at once', () => store.expire!('key', 0)],
    ['deleted by its version', async () => store.compareAndDelete('key', await version())],
    ['swapped', async () => store.compareAndSwap('key', await version(), small)],
    [
      'deleted by somebody else',
      async () => client.prepare("DELETE FROM behalf WHERE key = 'key'").run(),
    ],
    [
      'replaced by somebody else',
      async () => client.prepare("UPDATE behalf SET version = 'v', value = x'00'").run(),
    ],
  ])('that is %s leaves nothing behind', async (_, end) => {
    await store.set('key', large)
    await end()
    expect(bodies()).toBe(0)
  })

  test('that is replaced by another leaves one, and a new lifetime leaves it alone', async () => {
    await store.set('key', Buffer.alloc(300_000))
    await store.set('key', large)
    expect(await store.compareAndSwap('key', await version(), large)).toBeDefined()
    expect(await store.expire!('key', 60)).toBe(true)
    expect(bodies()).toBe(1)
    expect((await store.get('key'))?.value).toEqual(new Uint8Array(large))
  })

  test('that has expired goes with the rows that later writes sweep away', async () => {
    await store.set('key', large, { ttl: 0.01 })
    await sleep(20)
    for (let write = 0; write < 16; write += 1) await store.set('other', small)
    expect(bodies()).toBe(0)
  })

  test('that was written by nobody, because the version was another, is nowhere', async () => {
    await store.set('key', small)
    expect(await store.compareAndSwap('key', 'other', large)).toBeUndefined()
    expect(await store.compareAndSwap('key', undefined, large)).toBeUndefined()
    expect(bodies()).toBe(0)
  })

  test('whose body has been lost is absent, and can be made anew', async () => {
    await store.set('key', large)
    client.exec('DELETE FROM "behalf.bodies"')
    expect(await store.get('key')).toBeUndefined()
    await expectAbsentUntilMade()
  })
})

describe("a row that is not behalf's", () => {
  test.each([
    "version = x'00'",
    "value = 'text'",
    'value = 42',
    'value = 4.2',
    "value = 'text', expires_at = 'never'",
  ])('with %s is absent, and can be made anew', async (assignment) => {
    await store.set('key', small)
    client.exec(`UPDATE behalf SET ${assignment}`)
    expect(await store.get('key')).toBeUndefined()
    await expectAbsentUntilMade()
  })

  test('under a key that is no text ends no listing', async () => {
    await store.set('a', small)
    for (let row = 0; row < 150; row += 1) {
      client.exec("INSERT INTO behalf (key, version, value) VALUES (randomblob(8), 'v', x'00')")
    }
    expect(await listed('')).toEqual(['a'])
    await store.clear!('')
    expect(await listed('')).toEqual([])
  })
})

test('a database of behalf 0.1 is read, written and swept', async () => {
  const old = new Database(join(folder, 'old.sqlite'))
  old.exec(`CREATE TABLE behalf
    (key TEXT PRIMARY KEY NOT NULL, version TEXT NOT NULL, value BLOB NOT NULL, expires_at INTEGER)`)
  old.exec('CREATE INDEX "behalf.expires_at" ON behalf (expires_at) WHERE expires_at IS NOT NULL')
  const insert = old.prepare('INSERT INTO behalf VALUES (?, ?, ?, ?)')
  insert.run('kept', 'v1', large, null)
  insert.run('short', 'v2', small, Date.now() - 1)
  store = sqliteStore(old)
  expect(await store.get('kept')).toEqual({ value: new Uint8Array(large), version: 'v1' })
  expect(await store.get('short')).toBeUndefined()
  expect(await store.compareAndSwap('kept', 'v1', large)).toBeDefined()
  expect((await store.get('kept'))?.value).toEqual(new Uint8Array(large))
  // What 0.1 asks for: it takes nothing but a blob for a value.
  const asked = old.prepare("SELECT value FROM behalf WHERE key = 'kept'").get()
  expect(asked).toMatchObject({ value: large.byteLength })
  old.close()
})

test.each(['UTF-8', 'UTF-16le', 'UTF-16be'])(
  'a prefix means itself in a database of encoding %s',
  async (encoding) => {
    const other = new Database(join(folder, 'encoded.sqlite'))
    other.exec(`PRAGMA encoding = '${encoding}'`)
    store = sqliteStore(other)
    const names = ['a', 'a\u00ff', 'a\u{10ffff}', 'a\u{10ffff}z', 'b', '\u0101', '\u0161', 'aa']
    for (const name of names) await store.set(name, small)
    expect(await listed('a')).toEqual(names.filter((name) => name.startsWith('a')).toSorted())
    expect(await listed('a\u{10ffff}')).toEqual(['a\u{10ffff}', 'a\u{10ffff}z'])
    await store.clear!('a')
    expect(await listed('')).toEqual(['b', '\u0101', '\u0161'].toSorted())
    other.close()
  },
)

test('clear gives others a turn between its transactions', async () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `name ${index}`)
  await store.setMany!(names.map((name) => [name, Buffer.alloc(10)]))
  let turns = 0
  const timer = setInterval(() => (turns += 1), 0)
  await store.clear!('name')
  clearInterval(timer)
  expect(turns).toBeGreaterThan(2)
  expect(await listed('')).toEqual([])
})

async function expectAbsentUntilMade(): Promise<void> {
  expect(await store.ttl!('key')).toBeUndefined()
  expect(await store.expire!('key', 60)).toBe(false)
  expect(await store.delete('key')).toBe(false)
  expect(await listed('')).toEqual([])
  const made = await store.compareAndSwap('key', undefined, large)
  expect(await store.get('key')).toEqual({ value: new Uint8Array(large), version: made })
}

async function version(): Promise<string> {
  return (await store.get('key'))?.version ?? ''
}

async function listed(prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.keys!(prefix)) keys.push(key)
  return keys.toSorted()
}

function bodies(): number {
  const [row] = rows('SELECT count(*) AS count FROM "behalf.bodies"')
  return (row as { count: number }).count
}

function rows(sql: string): unknown[] {
  return client.prepare(sql).all()
}
