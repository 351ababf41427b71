import { execFile } from 'node:child_process'
import { readdirSync, readlinkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { renameSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Database from 'libsql'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../src/errors.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { SqliteStoreOptions } from '../../src/stores/sqlite.ts'
import type { Store } from '../../src/stores/store.ts'
import { hostileRows } from '../hostile.ts'

const value = Buffer.from('value')
let folder: string
let path: string
let opened: Store[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-sqlite-'))
  path = join(folder, 'store.sqlite')
})

afterEach(async () => {
  await Promise.all(opened.map((store) => store.close()))
  opened = []
  rmSync(folder, { recursive: true, force: true })
})

function open(options: SqliteStoreOptions = {}): Store {
  const store = sqliteStore(path, { driver: 'libsql', ...options })
  opened.push(store)
  return store
}

describe('several connections', () => {
  test('four processes increment counters and lose nothing', async () => {
    const child = fileURLToPath(new URL('increment-child.ts', import.meta.url))
    const run = promisify(execFile)
    const args = ['--import', 'tsx', child, 'sqlite', path, '250']
    await Promise.all(Array.from({ length: 4 }, () => run('node', args)))
    expect(await text(open(), 'counter')).toBe('1000')
    expect(await text(open(), 'incremented')).toBe('1000')
  }, 60_000)

  test('what one connection wrote another reads, and compares with', async () => {
    const [one, other] = [open(), open()]
    const version = await one.compareAndSwap('key', undefined, value)
    expect((await other.get('key'))?.version).toBe(version)
    const next = await other.compareAndSwap('key', version, value)
    expect(await one.compareAndSwap('key', version, value)).toBeUndefined()
    expect(await one.compareAndDelete('key', next!)).toBe(true)
    expect(await other.get('key')).toBeUndefined()
  })

  test('a lock that another connection holds is waited for, and the event loop goes on', async () => {
    const store = open()
    await store.set('key', Buffer.from('old'))
    const unlock = lock()
    const loop = watchEventLoop()
    setTimeout(unlock, 1000)
    await store.set('key', value)
    const { ticks, longestMs } = loop.stop()
    expect(unlock.done).toBe(true)
    expect(await text(store, 'key')).toBe('value')
    expect(ticks).toBeGreaterThan(20)
    expect(longestMs).toBeLessThan(500)
  })

  test('reading goes on while another connection writes', async () => {
    const store = open({ busyTimeout: 0 })
    await store.set('key', value)
    const unlock = lock()
    expect(await text(store, 'key')).toBe('value')
    unlock()
  })

  test('a lock held for longer than busyTimeout is store_unavailable', async () => {
    const store = open({ busyTimeout: 0.2 })
    await store.set('key', value)
    const unlock = lock()
    const startedAt = performance.now()
    await expect(store.set('key', value)).rejects.toThrow(/locked by another connection/)
    const waitedMs = performance.now() - startedAt
    unlock()
    expect(waitedMs).toBeGreaterThan(190)
    expect(waitedMs).toBeLessThan(3000)
    await store.set('key', value)
  })

  test('a lock that is there at the first use is waited for', async () => {
    writeFileSync(path, '')
    const unlock = lock()
    setTimeout(unlock, 300)
    const store = open()
    await store.set('key', value)
    expect(unlock.done).toBe(true)
  })

  test('a write that was given up does not keep later reads and writes in the past', async () => {
    const [store, other] = [open({ busyTimeout: 0 }), open()]
    await store.set('key', value)
    const unlock = lock()
    await expect(store.delete('key')).rejects.toThrow(/locked/)
    await store.get('key')
    unlock()
    await other.set('key', Buffer.from('newer'))
    expect(await text(store, 'key')).toBe('newer')
    await store.set('key', Buffer.from('newest'))
    expect(await text(other, 'key')).toBe('newest')
  })

  test('closing ends the waiting', async () => {
    const store = open()
    await store.set('key', value)
    const unlock = lock()
    const waiting = store.set('key', value).catch((error: unknown) => error)
    await sleep(20)
    await store.close()
    expect(await waiting).toBeInstanceOf(StoreUnavailableError)
    unlock()
  })
})

describe('the file', () => {
  test.each([0o000, 0o077, 0o777])('is for its owner only under umask %o', async (mask) => {
    const before = process.umask(mask)
    try {
      await open().set('key', value)
    } finally {
      process.umask(before)
    }
    for (const suffix of ['', '-wal', '-shm']) {
      expect([suffix, statSync(path + suffix).mode & 0o777]).toEqual([suffix, 0o600])
    }
  })

  test('keeps its mode when it was there before', async () => {
    writeFileSync(path, '', { mode: 0o640 })
    await open().set('key', value)
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  test('keeps what was written for the next connection', async () => {
    const store = open()
    await store.set('key', value)
    const { version } = (await store.get('key'))!
    await store.close()
    expect((await open().get('key'))?.version).toBe(version)
  })

  test.runIf(process.platform === 'linux')(
    'is opened once, however many operations come first',
    async () => {
      const store = open()
      await Promise.all(Array.from({ length: 50 }, (_, index) => store.set(`k${index}`, value)))
      expect(openHandles(path)).toBe(1)
    },
  )

  test('in a folder that is not there is a config_invalid, until the folder is made', async () => {
    const missing = join(folder, 'missing')
    path = join(missing, 'store.sqlite')
    const store = open()
    await expect(store.get('key')).rejects.toThrow(ConfigError)
    await expect(store.get('key')).rejects.toThrow(missing)
    mkdirSync(missing)
    await store.set('key', value)
    expect(await text(store, 'key')).toBe('value')
  })

  test('that is a folder is store_unavailable', async () => {
    mkdirSync(path)
    await expect(open().get('key')).rejects.toThrow(/its file cannot be opened/)
  })

  test('that holds something else is store_unavailable, and nothing of it is told', async () => {
    writeFileSync(path, 'password: hunter2 '.repeat(500))
    const error = (await open()
      .get('key')
      .catch((reason: unknown) => reason)) as Error
    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect(error.message).toMatch(/damaged or not a SQLite database/)
    expect(error.cause).toBeUndefined()
    expect(error.message).not.toMatch(/hunter2|SELECT|PRAGMA|store\.sqlite/)
  })

  test('that is deleted is noticed within 10 ms, and made anew at the next use', async () => {
    const store = open()
    await store.set('key', value)
    for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix)
    await sleep(11)
    await expect(store.set('key', value)).rejects.toThrow(/deleted or replaced/)
    await store.set('other', value)
    expect(await store.get('key')).toBeUndefined()
    expect(await text(open(), 'other')).toBe('value')
  })

  test('that is replaced is noticed within 10 ms, and the new one is used', async () => {
    const [old, store] = [path, open()]
    await store.set('key', Buffer.from('old'))
    path = join(folder, 'new.sqlite')
    const replacement = open()
    await replacement.set('key', Buffer.from('new'))
    await replacement.close()
    for (const suffix of ['', '-wal', '-shm']) renameSync(path + suffix, old + suffix)
    await sleep(11)
    await expect(store.get('key')).rejects.toThrow(/deleted or replaced/)
    expect(await text(store, 'key')).toBe('new')
  })

  test('that is damaged while it is open is store_unavailable', async () => {
    const store = open()
    await store.set('key', Buffer.alloc(100_000, 1))
    const other = new Database(path)
    other.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    other.close()
    writeFileSync(path, Buffer.alloc(statSync(path).size, 7))
    const reading = async () => {
      await store.get('key')
      await store.close()
      return open().get('key')
    }
    await expect(reading()).rejects.toThrow(/damaged|failed/)
  })

  test('loses its expired rows to later writes', async () => {
    const store = open()
    const write = async (ttl: number, count: number) => {
      for (let index = 0; index < count; index += 1) {
        await store.set(`${ttl}:${index}`, value, { ttl })
      }
    }
    await write(0.001, 300)
    await write(60, 300)
    const { count } = rows('SELECT count(*) AS count FROM behalf') as { count: number }
    expect(count).toBe(300)
  })
})

describe('a database that was handed in', () => {
  test('is used and not closed', async () => {
    const client = new Database(path)
    const store = sqliteStore(client)
    await store.set('key', value)
    expect(await text(store, 'key')).toBe('value')
    await store.close()
    expect(client.prepare('SELECT 1 AS one').all()).toEqual([{ one: 1 }])
    await expect(store.get('key')).rejects.toThrow(StoreUnavailableError)
    client.close()
  })

  test('keeps its busy timeout, in which it does not block the event loop', async () => {
    const client = new Database(path, { timeout: 5000 })
    client.exec('PRAGMA journal_mode = WAL')
    const store = sqliteStore(client)
    await store.set('key', value)
    const unlock = lock()
    const loop = watchEventLoop()
    setTimeout(unlock, 500)
    await store.set('key', value)
    expect(loop.stop().longestMs).toBeLessThan(400)
    expect(client.prepare('PRAGMA busy_timeout').all()).toEqual([{ timeout: 5000 }])
    client.close()
  })

  test('is left in no transaction by a write that fails, and its text is not told', async () => {
    const client = new Database(path)
    const store = sqliteStore(client)
    await store.set('key', value)
    client.exec(`CREATE TRIGGER refuse BEFORE DELETE ON behalf
      BEGIN SELECT RAISE(ABORT, 'hunter2'); END`)
    const error: unknown = await store.delete('key').catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect(String(error)).not.toContain('hunter2')
    expect(client.inTransaction).toBe(false)
    client.exec('DROP TRIGGER refuse')
    expect(await store.delete('key')).toBe(true)
    client.close()
  })

  test('in which a transaction is open is store_unavailable and stays as it is', async () => {
    const client = new Database(path)
    const store = sqliteStore(client)
    await store.set('key', value)
    client.exec('BEGIN')
    await expect(store.set('key', Buffer.from('new'))).rejects.toThrow(StoreUnavailableError)
    expect(client.inTransaction).toBe(true)
    client.exec('COMMIT')
    expect(await text(store, 'key')).toBe('value')
    client.close()
  })

  test('that its owner has closed is store_unavailable', async () => {
    const client = new Database(path)
    const store = sqliteStore(client)
    await store.set('key', value)
    client.close()
    await expect(store.get('key')).rejects.toThrow(StoreUnavailableError)
  })
})

test('hostile keys are kept apart or refused with a RangeError', async () => {
  const store = open()
  const kept = new Map<string, string>()
  for (const { id, input } of hostileRows('storeKey')) {
    const key = input as string
    const error: unknown = await store.set(key, Buffer.from(id)).catch((reason: unknown) => reason)
    if (error === undefined) kept.set(key, id)
    expect(error instanceof RangeError).toBe(typeof key !== 'string' || key.includes('\0'))
  }
  expect(kept.size).toBeGreaterThan(35)
  for (const [key, id] of kept) expect(await text(store, key)).toBe(id)
  const { count } = rows('SELECT count(*) AS count FROM behalf') as { count: number }
  expect(count).toBe(kept.size)
})

async function text(store: Store, key: string): Promise<string | undefined> {
  const found = await store.get(key)
  return found && Buffer.from(found.value).toString()
}

/** Takes the write lock of the file as another process would, until it is called. */
function lock(): (() => void) & { done: boolean } {
  const other = new Database(path)
  other.exec('BEGIN EXCLUSIVE')
  const unlock = () => {
    other.exec('COMMIT')
    other.close()
    unlock.done = true
  }
  unlock.done = false
  return unlock
}

function rows(sql: string): unknown {
  const other = new Database(path)
  const [row] = other.prepare(sql).all()
  other.close()
  return row
}

function watchEventLoop() {
  let [ticks, longestMs, last] = [0, 0, performance.now()]
  const timer = setInterval(() => {
    const now = performance.now()
    longestMs = Math.max(longestMs, now - last)
    last = now
    ticks += 1
  }, 10)
  return {
    stop() {
      clearInterval(timer)
      return { ticks, longestMs: Math.max(longestMs, performance.now() - last) }
    },
  }
}

function openHandles(file: string): number {
  const handles = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return undefined
    }
  })
  return handles.filter((name) => name === file).length
}
