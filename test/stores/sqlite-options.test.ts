import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { sqliteOptions, sqliteStore } from '../../src/stores/sqlite.ts'
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

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true, force: true })
})

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

test.each([
  ['sqlite:name.db', { path: 'name.db' }],
  ['sqlite:./a%20b c.db', { path: './a%20b c.db' }],
  [
    'sqlite:///var/a.db?table=t&busyTimeout=0.5',
    { path: '/var/a.db', table: 't', busyTimeout: 0.5 },
  ],
  ['sqlite::memory:', { path: ':memory:' }],
  [new URL('sqlite:a%20%C3%A9%3F.db'), { path: 'a \u00e9?.db' }],
  ['sqlite:a.db?location=cache&fast=true', { path: 'a.db', location: 'cache', fast: true }],
  [new URL('sqlite:a.db?driver=libsql'), { path: 'a.db', driver: 'libsql' }],
])('the URL %s is read', (url, options) => {
  expect(sqliteOptions(url)).toEqual(options)
})

test.each([
  'sqlite:',
  'sqlite:?fast=true',
  'sqlite://user:hunter2@host/file.db',
  'sqlite://hunter2/file.db',
  'sqlite:file.db?password=hunter2',
  'sqlite:file.db?fast=hunter2',
  'sqlite:file.db?fast=true&fast=hunter2',
  'sqlite:file.db#hunter2',
  new URL('sqlite:%zz-hunter2'),
])('the URL %s is refused without being repeated', (url) => {
  const read = () => sqliteOptions(url)
  expect(read).toThrow(ConfigError)
  expect(read).not.toThrow(/hunter2/)
})

test('a URL and options with a path are taken as a source, and the second argument wins', async () => {
  const sources = [
    `sqlite:${path}?table=t`,
    new URL(pathToFileURL(path).href.replace(/^file/, 'sqlite')),
  ]
  for (const source of [...sources, { path, table: 't' }]) {
    const store = sqliteStore(source, { driver: 'libsql', table: 'wins' })
    await store.set('key', value)
    await store.close()
  }
  const database = new Database(path)
  const names = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
  expect(database.prepare(names).all()).toMatchObject([{ name: 'wins' }, { name: 'wins.bodies' }])
  database.close()
})

describe('a location', () => {
  const stat = (name: string) => statSync(join(folder, name)).mode & 0o777

  test('of the cache has folders for the owner only, whatever the umask is', async () => {
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
    const before = process.umask(0o777)
    try {
      await use(sqliteStore({ location: 'cache', driver: 'libsql' }))
    } finally {
      process.umask(before)
    }
    expect(stat('cache')).toBe(0o700)
    expect(stat('cache/behalf')).toBe(0o700)
    expect(stat('cache/behalf/store.sqlite')).toBe(0o600)
  })

  test('takes a name of its own', async () => {
    vi.stubEnv('XDG_CACHE_HOME', folder)
    await use(sqliteStore('sqlite:a/b/c.db?location=cache', { driver: 'libsql' }))
    expect(existsSync(join(folder, 'a/b/c.db'))).toBe(true)
  })

  test.runIf(process.platform === 'linux')(
    'without XDG_CACHE_HOME, or with a relative one, is ~/.cache',
    async () => {
      vi.stubEnv('HOME', folder)
      vi.stubEnv('XDG_CACHE_HOME', 'relative')
      await use(sqliteStore({ location: 'cache', driver: 'libsql' }))
      expect(existsSync(join(folder, '.cache/behalf/store.sqlite'))).toBe(true)
    },
  )

  test("that every user can write into takes only a folder that is this user's alone", async () => {
    vi.stubEnv('TMPDIR', folder)
    chmodSync(folder, 0o1777)
    await use(sqliteStore({ location: 'temp', driver: 'libsql' }))
    expect(stat('behalf')).toBe(0o700)
    mkdirSync(join(folder, 'open'))
    chmodSync(join(folder, 'open'), 0o770)
    for (const name of ['open/store.db', 'store.db']) {
      const store = sqliteStore({ path: name, location: 'temp', driver: 'libsql' })
      await expect(store.get('key')).rejects.toThrow(ConfigError)
    }
    expect(readdirSync(join(folder, 'open'))).toEqual([])
  })

  test.each(['../a', 'a/../../b', '/a', 'a/..', '..', '.', '', 'a\\..\\b', '\\a', 'a\0b'])(
    'is not left by the name %j',
    (name) => {
      expect(() => sqliteStore({ path: name, location: 'cache' })).toThrow(ConfigError)
    },
  )

  test('of another name is refused', () => {
    expect(() => sqliteStore({ location: 'home' as never })).toThrow(ConfigError)
  })
})

test('fast, and a location that may be emptied, are not durable', () => {
  expect(open().durable).toBe(true)
  expect(open({ fast: true }).durable).toBe(false)
  expect(sqliteStore({ location: 'cache' }).durable).toBe(false)
})

test('fast never waits for the disk, and nothing else does without it', async () => {
  const exec = vi.spyOn(Database.prototype, 'exec')
  await use(open({ fast: true }))
  expect(exec).toHaveBeenCalledWith('PRAGMA synchronous = OFF')
  exec.mockClear()
  await use(open())
  expect(exec).toHaveBeenCalledWith('PRAGMA synchronous = NORMAL')
  exec.mockRestore()
  expect(() => open({ fast: 'yes' as never })).toThrow(ConfigError)
})

test.each([
  { path: 'x' },
  { location: 'temp' as const },
  { fast: true },
  { driver: 'libsql' as const },
])('%j for a database that is handed in is refused', (options) => {
  const client = new Database(':memory:')
  expect(() => sqliteStore(client, options)).toThrow(ConfigError)
  client.close()
})

async function use(store: Store): Promise<void> {
  await store.set('key', value)
  expect(await text(store, 'key')).toBe('value')
  await store.close()
}

async function text(store: Store, key: string): Promise<string | undefined> {
  const found = await store.get(key)
  return found && Buffer.from(found.value).toString()
}
