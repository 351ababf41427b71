import { createHash } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../../src/errors.ts'
import { fileOptions, fileStore } from '../../../src/stores/file.ts'
import type { FileStoreOptions } from '../../../src/stores/file.ts'
import { newOwner, ownerText } from '../../../src/stores/file/owner.ts'
import type { Store } from '../../../src/stores/store.ts'

const value = Buffer.from('value')
let folder: string
let root: string
let opened: Store[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-file-folder-'))
  root = join(folder, 'root')
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await Promise.all(opened.map((store) => store.close()))
  opened = []
  rmSync(folder, { recursive: true, force: true })
})

function open(options: FileStoreOptions = {}): Store {
  const store = fileStore({ path: root, fsync: false }, options)
  opened.push(store)
  return store
}

describe('what is stored', () => {
  test('ST-03 lies under the hash of its key, and no key becomes part of a path', async () => {
    const store = open()
    for (const key of [
      '../../etc/passwd',
      '/abs',
      'C:\\x',
      'a/b',
      'CON',
      'é',
      'e\u0301',
      'K',
      'k',
    ]) {
      await store.set(key, value)
      expect(existsSync(fileOf(key))).toBe(true)
    }
    expect(readdirSync(folder)).toEqual(['root'])
    expect(filesIn(root).every((name) => /^([0-9a-f]{2})\/\1[0-9a-f]{62}$/.test(name))).toBe(true)
    expect(filesIn(root)).toHaveLength(9)
  })

  test.each([0o000, 0o077, 0o777])(
    'TK-13 CVE-2025-27154 is for its owner only under umask %o',
    async (mask) => {
      root = join(folder, 'a/b')
      const before = process.umask(mask)
      try {
        await open().set('key', value)
      } finally {
        process.umask(before)
      }
      for (const path of [join(folder, 'a'), root, dirname(fileOf('key'))]) {
        expect(statSync(path).mode & 0o777).toBe(0o700)
      }
      expect(statSync(fileOf('key')).mode & 0o777).toBe(0o600)
    },
  )

  test('nothing is made before the first use', async () => {
    const store = open()
    expect(existsSync(root)).toBe(false)
    expect(await store.get('key')).toBeUndefined()
    expect(statSync(root).mode & 0o777).toBe(0o700)
  })

  test('a folder that is a symbolic link is used', async () => {
    mkdirSync(join(folder, 'elsewhere'))
    symlinkSync(join(folder, 'elsewhere'), root)
    await open().set('key', value)
    expect(filesIn(join(folder, 'elsewhere'))).toHaveLength(1)
  })

  test('is read by another store, under the same version', async () => {
    const version = await open().compareAndSwap('key', undefined, value)
    expect((await open().get('key'))?.version).toBe(version)
  })

  test('a folder that is deleted meanwhile is made anew by the next write', async () => {
    const store = open()
    await store.set('key', value)
    rmSync(root, { recursive: true })
    expect(await store.get('key')).toBeUndefined()
    await store.set('key', value)
    expect(await store.get('key')).toBeDefined()
    rmSync(dirname(fileOf('key')), { recursive: true })
    expect(await store.increment!('key', 1)).toBe(1)
  })

  test('a large value of 64 MiB is read back', async () => {
    const large = Buffer.alloc(64 * 2 ** 20, 7)
    const store = open()
    await store.set('key', large)
    expect(Buffer.from((await store.get('key'))!.value).equals(large)).toBe(true)
  })

  test('a very long ttl is for ever, or nearly', async () => {
    const store = open()
    await store.set('long', value, { ttl: 1e15 })
    await store.set('ever', value, { ttl: Infinity })
    expect(await store.ttl!('long')).toBeGreaterThan(9e14)
    expect(await store.ttl!('ever')).toBe(Infinity)
  })
})

describe('what is left behind', () => {
  test('an expired file goes when it is read', async () => {
    const store = open()
    await store.set('key', value, { ttl: 0.01 })
    await sleep(20)
    expect(await store.get('key')).toBeUndefined()
    await vi.waitFor(() => expect(filesIn(root)).toEqual([]))
  })

  test('expired files go by and by as others are written', async () => {
    const store = open()
    for (let index = 0; index < 200; index += 1) await store.set(`${index}`, value, { ttl: 0.01 })
    await sleep(20)
    for (let index = 0; index < 200; index += 1) await store.set('key', value)
    await vi.waitFor(() => expect(filesIn(root)).toHaveLength(1))
  })

  test('temporary files and locks of ended processes go after a minute, and no others', async () => {
    await open().set('key', value)
    const [file, ended] = [fileOf('key'), { ...newOwner(), pid: 2 ** 22 + 1 }]
    const [minuteAgo, now] = [Date.now() / 1000 - 61, Date.now() / 1000 - 50]
    for (const [name, time] of [
      ['old', minuteAgo],
      ['new', now],
    ] as const) {
      writeFileSync(`${file}.${name}.tmp`, '')
      utimesSync(`${file}.${name}.tmp`, time, time)
      symlinkSync(ownerText(ended), `${file}.${name}.lock`)
      lutimesSync(`${file}.${name}.lock`, time, time)
    }
    symlinkSync(ownerText(newOwner()), `${file}.live.lock`)
    lutimesSync(`${file}.live.lock`, minuteAgo, minuteAgo)
    await open().get('key')
    const left = ['', '.live.lock', '.new.lock', '.new.tmp']
    const names = left.map((suffix) => relative(root, file + suffix))
    await vi.waitFor(() => expect(filesIn(root)).toEqual(names))
  })
})

describe('a folder within one that every user can write into', () => {
  beforeEach(() => chmodSync(folder, 0o1777))

  test('is made for its owner only', async () => {
    await open().set('key', value)
    expect(statSync(root).mode & 0o777).toBe(0o700)
  })

  test.each([0o777, 0o770, 0o720, 0o702])('is refused with mode %o', async (mode) => {
    mkdirSync(root)
    chmodSync(root, mode)
    await expect(open().get('key')).rejects.toThrow(ConfigError)
    await expect(open().set('key', value)).rejects.toThrow(/chmod go-w/)
    expect(readdirSync(root)).toEqual([])
  })

  test.runIf(process.getuid?.() === 0)(
    "is refused where it, or one above it, is another user's",
    async () => {
      mkdirSync(root, { mode: 0o700 })
      chownSync(root, 65534, 65534)
      await expect(open().get('key')).rejects.toThrow(ConfigError)
      await expect(open({ path: join(root, 'within') }).get('key')).rejects.toThrow(ConfigError)
      chownSync(root, 0, 0)
      expect(await open().get('key')).toBeUndefined()
    },
  )

  test.runIf(process.getuid?.() === 0)(
    "is refused where a link of another user's leads there",
    async () => {
      const elsewhere = mkdtempSync(join(homedir(), '.behalf-file-'))
      try {
        symlinkSync(elsewhere, root)
        lchownSync(root, 65534, 65534)
        await expect(open().get('key')).rejects.toThrow(/link that another user made/)
        expect(readdirSync(elsewhere)).toEqual([])
        lchownSync(root, 0, 0)
        expect(await open().get('key')).toBeUndefined()
      } finally {
        rmSync(elsewhere, { recursive: true })
      }
    },
  )

  test('is what location: temp takes', async () => {
    vi.stubEnv('TMPDIR', folder)
    const store = fileStore({ location: 'temp', fsync: false })
    await store.set('key', value)
    expect(statSync(join(folder, 'behalf')).mode & 0o777).toBe(0o700)
    expect(filesIn(join(folder, 'behalf'))).toHaveLength(1)
    await store.close()
  })
})

test('a folder that every user can write into is refused, wherever it is', async () => {
  const elsewhere = mkdtempSync(join(homedir(), '.behalf-file-'))
  try {
    chmodSync(elsewhere, 0o777)
    await expect(open({ path: elsewhere }).get('key')).rejects.toThrow(/every user can write/)
    chmodSync(elsewhere, 0o775)
    expect(await open({ path: elsewhere }).get('key')).toBeUndefined()
  } finally {
    rmSync(elsewhere, { recursive: true })
  }
})

describe('options', () => {
  test.each([
    ['file:relative/dir', { path: 'relative/dir' }],
    ['file:./a%20b c', { path: './a%20b c' }],
    ['file:/abs', { path: '/abs' }],
    ['file:///abs', { path: '/abs' }],
    ['file:name?location=cache&fsync=false', { path: 'name', location: 'cache', fsync: false }],
    [new URL('file:///a%20%C3%A9?lockTimeout=0.5'), { path: '/a é', lockTimeout: 0.5 }],
  ])('of the URL %s are read', (url, options) => {
    expect(fileOptions(url)).toEqual(options)
  })

  test.each([
    'file:',
    'file:?location=cache',
    'file://hunter2/abs',
    'file:x?password=hunter2',
    'file:x?fsync=hunter2',
    'file:x#hunter2',
    new URL('file:///%zz-hunter2'),
  ])('of the URL %s are refused without being repeated', (url) => {
    expect(() => fileStore(url)).toThrow(ConfigError)
    expect(() => fileStore(url)).not.toThrow(/hunter2/)
  })

  test('of a path, a URL and an object lead to the same place, and the second argument wins', async () => {
    const sources = [root, pathToFileURL(root), `file:${root}?fsync=true`, { path: root }]
    for (const [index, source] of sources.entries()) {
      const store = fileStore(source, { fsync: false })
      expect(store.durable).toBe(false)
      expect(await store.increment!('key', 1)).toBe(index + 1)
      await store.close()
    }
  })

  test('tell how much can be relied on', () => {
    expect(fileStore(root)).toMatchObject({ durable: true, reach: 'host' })
    expect(fileStore({ location: 'cache' })).toMatchObject({ durable: false, reach: 'host' })
  })

  test("location: cache is the user's folder for caches", async () => {
    vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'))
    const store = fileStore('file:app/api?location=cache&fsync=false')
    await store.set('key', value)
    expect(filesIn(join(folder, 'cache/app/api'))).toHaveLength(1)
    await store.close()
  })

  test.each<unknown>([
    undefined,
    null,
    42,
    '',
    'a\0b',
    {},
    { path: 5 },
    { path: 'x', fsync: 'no' },
    { path: 'x', lockTimeout: -1 },
    { path: 'x', lockTimeout: Number.NaN },
    { location: 'home' },
    { location: 'cache', path: '/abs' },
    { location: 'cache', path: '../up' },
    { location: 'temp', path: 'a/../../up' },
  ])('%j are refused', (source) => {
    expect(() => fileStore(source as string)).toThrow(ConfigError)
  })
})

test('after close everything is store_unavailable, and nothing is left of what was under way', async () => {
  const store = open()
  const writing = Array.from({ length: 20 }, (_, index) => store.set(`${index}`, value))
  await store.close()
  await Promise.allSettled(writing)
  expect(filesIn(root).filter((name) => /\.(?:tmp|lock)$/.test(name))).toEqual([])
  for (const call of [
    () => store.get('key'),
    () => store.set('key', value),
    () => store.clear!(''),
    async () => store.keys!('')[Symbol.asyncIterator]().next(),
  ]) {
    await expect(call()).rejects.toThrow(StoreUnavailableError)
  }
})

function fileOf(key: string): string {
  const hash = createHash('sha256').update(key).digest('hex')
  return join(root, hash.slice(0, 2), hash)
}

function filesIn(path: string): string[] {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory())
  return files.map((entry) => relative(path, join(entry.parentPath, entry.name))).toSorted()
}
