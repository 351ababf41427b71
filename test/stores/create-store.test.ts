import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { ConfigError } from '../../src/errors.ts'
import { backends, createStore } from '../../src/stores/index.ts'
import { memoryStore } from '../../src/stores/memory.ts'

const folder = mkdtempSync(join(tmpdir(), 'behalf-create-'))
afterAll(() => rmSync(folder, { recursive: true }))
const value = Buffer.from('value')

test('memory: and memory:name give one store for each name', async () => {
  await createStore('memory:').set('key', value)
  await createStore('memory:app').set('app key', value)
  expect(await createStore('memory:').get('key')).toBeDefined()
  expect(await createStore(new URL('memory:app')).get('app key')).toBeDefined()
  expect(await createStore('memory:app').get('key')).toBeUndefined()
})

test('sqlite: takes an absolute and a relative path, as text and as a URL', async () => {
  const cwd = process.cwd()
  process.chdir(folder)
  try {
    for (const source of ['sqlite:relative 1.db', 'sqlite:./a%20b.db', `sqlite:${folder}/abs.db`]) {
      await use(source)
    }
    await use(`sqlite://${folder}/slashes.db`)
    await use(new URL('sqlite:url%20é.db'))
    await use(new URL(pathToFileURL(join(folder, 'parsed.db')).href.replace('file:', 'sqlite:')))
  } finally {
    process.chdir(cwd)
  }
  const made = ['relative 1.db', 'a%20b.db', 'abs.db', 'slashes.db', 'url é.db', 'parsed.db']
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

test("an app's own store is given back as it is", () => {
  const store = memoryStore()
  expect(createStore(store)).toBe(store)
})

const refused: unknown[] = [
  'redis://user:hunter2@db.example/0',
  'postgres://user:hunter2@db.example/app',
  'sqlite://user:hunter2@host/file.db',
  'sqlite:file.db?password=hunter2',
  'sqlite:file.db#hunter2',
  'sqlite:',
  'constructor:hunter2',
  '__proto__:hunter2',
  'hunter2',
  './hunter2.sqlite',
  '',
  new URL('redis://user:hunter2@db.example/0'),
  new URL('sqlite:%zz-hunter2'),
  { get() {}, set() {}, hunter2: 1 },
  undefined,
  null,
  42,
]

test.each(refused)('%s is refused without being repeated', (source) => {
  const error = thrownBy(() => createStore(source as string))
  expect(error).toBeInstanceOf(ConfigError)
  expect((error as ConfigError).message).not.toContain('hunter2')
  expect((error as ConfigError).message).toMatch(/sqlite:/)
})

test('backends maps every scheme to its maker', async () => {
  expect(Object.keys(backends).toSorted()).toEqual(['memory', 'sqlite'])
  await backends.memory('memory:made').set('key', value)
  expect(await createStore('memory:made').get('key')).toBeDefined()
})

async function use(source: string | URL): Promise<void> {
  const store = createStore(source)
  await store.set('key', value)
  expect(await store.get('key')).toBeDefined()
  await store.close()
}

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}
