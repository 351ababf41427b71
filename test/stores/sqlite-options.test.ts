import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { SqliteStoreOptions } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { hostileRows } from '../hostile.ts'

const value = Buffer.from('value')
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-sqlite-options-'))
  path = join(folder, 'store.sqlite')
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

function open(options: SqliteStoreOptions = {}): Store {
  return sqliteStore(path, { driver: 'libsql', ...options })
}

test.each(hostileRows('storeConfig'))('the table of $id is refused', ({ input }) => {
  const { tableOrNamespace: table } = input as { tableOrNamespace: string }
  expect(() => open({ table })).toThrow(ConfigError)
})

test.each(['SQLite_x', '1a', 'a'.repeat(64), 'a b', 'a;b', 'a"b', 'a\n', "a'b", '\u212A'])(
  'the table %j is refused',
  (table) => {
    expect(() => open({ table })).toThrow(ConfigError)
  },
)

test.each(['a', '_', 'a'.repeat(63), 'select', 'Table_1'])(
  'the table %j is taken',
  async (table) => {
    const store = open({ table })
    await store.set('key', value)
    expect(await text(store, 'key')).toBe('value')
  },
)

test('two tables of one file do not see each other', async () => {
  const [one, other] = [open({ table: 'one' }), open({ table: 'one_expires_at' })]
  await one.set('key', value)
  await other.set('other', value)
  expect(await other.get('key')).toBeUndefined()
  expect(await one.get('other')).toBeUndefined()
})

test.each([-1, Number.NaN, Infinity])('a busyTimeout of %s is refused', (busyTimeout) => {
  expect(() => open({ busyTimeout })).toThrow(ConfigError)
})

test('another driver is refused', () => {
  expect(() => open({ driver: 'sqlite3' as never })).toThrow(ConfigError)
})

test.each([undefined, null, {}, 42, '', 'a\0b'])('the source %j is refused', (source) => {
  expect(() => sqliteStore(source as string)).toThrow(ConfigError)
})

test('a text that is a URL elsewhere is a path here', async () => {
  const cwd = process.cwd()
  process.chdir(folder)
  try {
    await sqliteStore('file:name.db?mode=memory', { driver: 'libsql' }).set('key', value)
  } finally {
    process.chdir(cwd)
  }
  expect(readdirSync(folder)).toContain('file:name.db?mode=memory')
  path = join(folder, 'file:name.db?mode=memory')
  expect(await text(open(), 'key')).toBe('value')
})

test('a driver is found without being named', async () => {
  const store = sqliteStore(':memory:')
  await store.set('key', value)
  expect(await text(store, 'key')).toBe('value')
  await store.close()
})

test.runIf(process.getBuiltinModule('node:sqlite') === undefined)(
  'a driver that this Node does not have is a config_invalid that names one that it can have',
  async () => {
    await expect(open({ driver: 'node:sqlite' }).get('key')).rejects.toThrow(/npm i libsql/)
    await expect(open({ driver: 'better-sqlite3' }).get('key')).rejects.toThrow(
      /npm i better-sqlite3/,
    )
  },
)

test('with no driver at all the message says what to install', async () => {
  vi.doMock('libsql', () => ({ default: undefined }))
  vi.resetModules()
  const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
  const fresh = await import('../../src/stores/sqlite.ts')
  const attempt = fresh.sqliteStore(path).get('key')
  await expect(attempt).rejects.toMatchObject({ code: 'config_invalid' })
  await expect(attempt).rejects.toThrow(/npm i libsql/)
  builtin.mockRestore()
  vi.doUnmock('libsql')
  vi.resetModules()
})

async function text(store: Store, key: string): Promise<string | undefined> {
  const found = await store.get(key)
  return found && Buffer.from(found.value).toString()
}
