import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StoreUnavailableError } from '../../../src/errors.ts'
import { fileStore } from '../../../src/stores/file.ts'
import type { Store } from '../../../src/stores/store.ts'

const value = Buffer.from('the value')
let folder: string
let store: Store

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-file-damage-'))
  store = fileStore({ path: folder, fsync: false })
  await store.set('key', value, { ttl: 3_600 })
})

afterEach(async () => {
  await store.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('an entry is a miss, and no more,', () => {
  test('truncated to any length, or with bytes behind it', async () => {
    const whole = readFileSync(fileOf('key'))
    for (let length = 0; length < whole.byteLength; length += 1) {
      writeFileSync(fileOf('key'), whole.subarray(0, length))
      expect(await store.get('key'), `${length} bytes`).toBeUndefined()
    }
    writeFileSync(fileOf('key'), Buffer.concat([whole, Buffer.from([0])]))
    expect(await store.get('key')).toBeUndefined()
    writeFileSync(fileOf('key'), whole)
    expect(await store.get('key')).toBeDefined()
  })

  test('with any byte changed, by one bit or all', async () => {
    const whole = readFileSync(fileOf('key'))
    for (let at = 0; at < whole.byteLength; at += 1) {
      for (const change of [1, 0x80, 0xff]) {
        const changed = Buffer.from(whole)
        changed[at]! ^= change
        writeFileSync(fileOf('key'), changed)
        expect(await store.get('key'), `byte ${at}`).toBeUndefined()
      }
    }
  })

  test('where a large one is truncated or changed', async () => {
    await store.set('key', Buffer.alloc(200_000, 3))
    const whole = readFileSync(fileOf('key'))
    for (const length of [65_535, 65_536, 65_537, 199_999]) {
      writeFileSync(fileOf('key'), whole.subarray(0, length))
      expect(await store.get('key')).toBeUndefined()
    }
    for (const at of [20, 70_000, whole.byteLength - 1]) {
      const changed = Buffer.from(whole)
      changed[at]! ^= 1
      writeFileSync(fileOf('key'), changed)
      expect(await store.get('key')).toBeUndefined()
    }
  })

  test('where it is that of another key', async () => {
    await store.set('other', Buffer.from('of another'))
    copyFileSync(fileOf('other'), fileOf('key'))
    expect(await store.get('key')).toBeUndefined()
    await expectAbsentUntilMade()
  })

  test.each<[what: string, make: () => unknown]>([
    ['a text', () => writeFileSync(fileOf('key'), 'password: hunter2')],
    ['zeros', () => writeFileSync(fileOf('key'), Buffer.alloc(100_000))],
    ['10 GB of nothing', () => truncateSync(fileOf('key'), 10 * 2 ** 30)],
    ['a whole head, and the 4 GiB of nothing it announces', endless],
    ['a symbolic link', () => moveAway((moved) => symlinkSync(moved, fileOf('key')))],
    ['a pipe', () => moveAway(() => execFileSync('mkfifo', [fileOf('key')]))],
    ['a socket', () => moveAway(() => createServer().listen(fileOf('key')).unref())],
  ])('where there is %s', async (_, make) => {
    make()
    const before = process.memoryUsage().arrayBuffers
    await expectAbsentUntilMade()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20)
  })
})

test('a folder in the place of an entry is a miss, and store_unavailable for writes', async () => {
  rmSync(fileOf('key'))
  mkdirSync(fileOf('key'))
  expect(await store.get('key')).toBeUndefined()
  expect(await listed()).toEqual([])
  await expect(store.set('key', value)).rejects.toThrow(/EISDIR/)
  await expect(store.set('key', value)).rejects.toThrow(StoreUnavailableError)
})

test.each(['link', 'file'])('a %s in the place of a folder is store_unavailable', async (kind) => {
  await store.close()
  const [shard, moved] = [dirname(fileOf('key')), join(folder, 'moved')]
  renameSync(shard, moved)
  if (kind === 'link') symlinkSync(moved, shard)
  else writeFileSync(shard, '')
  store = fileStore({ path: folder, fsync: false })
  await expect(store.get('key')).rejects.toThrow(/must be a folder/)
  await expect(store.set('key', value)).rejects.toThrow(StoreUnavailableError)
})

test("what lies beside the entries is nobody's key, and stays", async () => {
  writeFileSync(join(folder, 'README'), 'mine')
  mkdirSync(join(folder, 'zz'))
  writeFileSync(join(dirname(fileOf('key')), 'notes'), 'mine')
  expect(await listed()).toEqual(['key'])
  await store.clear!('')
  expect(readFileSync(join(folder, 'README'), 'utf8')).toBe('mine')
  expect(readFileSync(join(dirname(fileOf('key')), 'notes'), 'utf8')).toBe('mine')
})

async function expectAbsentUntilMade(): Promise<void> {
  expect(await store.get('key')).toBeUndefined()
  expect(await store.ttl!('key')).toBeUndefined()
  expect(await store.expire!('key', 60)).toBe(false)
  expect(await store.compareAndDelete('key', 'version')).toBe(false)
  expect(await listed()).not.toContain('key')
  const made = await store.compareAndSwap('key', undefined, value)
  expect(await store.get('key')).toEqual({ value: new Uint8Array(value), version: made })
}

function fileOf(key: string): string {
  const hash = createHash('sha256').update(key).digest('hex')
  return join(folder, hash.slice(0, 2), hash)
}

/** Announces a value of 4 GiB, and is as large as it says. */
function endless(): void {
  const file = readFileSync(fileOf('key'))
  file.writeUInt32LE(0xffff_ffff, 24)
  const valueAt = file.byteLength - value.byteLength
  file.writeUInt32LE(crc32(file.subarray(12, valueAt)), 8)
  writeFileSync(fileOf('key'), file)
  truncateSync(fileOf('key'), valueAt + 0xffff_ffff)
}

function moveAway(then: (moved: string) => unknown): void {
  renameSync(fileOf('key'), join(folder, 'moved'))
  then(join(folder, 'moved'))
}

async function listed(): Promise<string[]> {
  const keys: string[] = []
  for await (const key of store.keys!('')) keys.push(key)
  return keys
}
