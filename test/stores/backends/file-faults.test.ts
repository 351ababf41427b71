import { execFile, execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { StoreUnavailableError } from '../../../src/errors.ts'
import { fileStore } from '../../../src/stores/file.ts'
import { expectWhole, killRounds, killWriters } from '../../support/killed-writers.ts'
import { stormKeys } from '../../support/write-storm.ts'

const folder = mkdtempSync(join(tmpdir(), 'behalf-file-faults-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const value = Buffer.from('value')

test(
  `after kill -9 of two busy writers, ${killRounds} times, every entry is whole and what was acknowledged is there`,
  async () => {
    const path = join(folder, 'killed')
    for (let round = 0; round < killRounds; round += 1) {
      const done = await killWriters('file', path)
      const store = fileStore(path)
      await expectWhole(store, done)
      for (const file of filesIn(path, /^[0-9a-f]{64}/)) {
        expect(statSync(file, { throwIfNoEntry: false })?.mode ?? 0o600).toSatisfy(isPrivate)
      }
      const startedAt = performance.now()
      await Promise.all([0, 1].flatMap(stormKeys).map((key) => store.set(key, value)))
      expect(performance.now() - startedAt).toBeLessThan(2_000)
      await store.close()
      await expectSwept(path)
    }
  },
  10_000 + killRounds * 5_000,
)

test('without file handles a call is store_unavailable, and works again when there are some', async () => {
  const source = fileURLToPath(new URL('../../../src/stores/file.ts', import.meta.url))
  const script = `
    import { closeSync, openSync } from 'node:fs'
    import { fileStore } from ${JSON.stringify(source)}
    const store = fileStore(${JSON.stringify(join(folder, 'handles'))})
    await store.set('key', Buffer.from('value'))
    const handles = []
    try { for (;;) handles.push(openSync('/dev/null')) } catch {}
    const failed = (error) => error.code + ' ' + /EMFILE/.test(error.message)
    console.log(await store.get('key').catch(failed))
    console.log(await store.set('key', Buffer.from('new')).catch(failed))
    for (const handle of handles) closeSync(handle)
    console.log(Buffer.from((await store.get('key')).value).toString())
    await store.set('key', Buffer.from('new'))`
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
  const command = `ulimit -n 64; exec "$0" "$@"`
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath, ...args])
  const unavailable = 'store_unavailable true'
  expect(stdout.trim().split('\n')).toEqual([unavailable, unavailable, 'value'])
})

test.runIf(process.getuid?.() === 0)('without permission a call is store_unavailable', async () => {
  const closed = join(folder, 'closed')
  mkdirSync(closed, { mode: 0o700 })
  const store = fileStore(join(closed, 'root'))
  process.seteuid!(65_534)
  try {
    await expect(store.get('key')).rejects.toThrow(/EACCES/)
    await expect(store.set('key', value)).rejects.toThrow(StoreUnavailableError)
  } finally {
    process.seteuid!(0)
  }
  expect(await store.get('key')).toBeUndefined()
  await store.close()
})

describe.skipIf(!canMount())('on a disk of 1 MB', () => {
  const disk = join(folder, 'disk')
  beforeEach(() => {
    mkdirSync(disk, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'behalf-test', disk])
  })
  afterEach(() => {
    execFileSync('umount', [disk])
  })

  test('that is full a write is store_unavailable, and the old value stays whole', async () => {
    const store = fileStore(join(disk, 'root'))
    const some = Buffer.alloc(200_000, 1)
    await store.set('old', some)
    const version = (await store.get('old'))?.version
    const failure = await fill(store)
    expect(failure).toBeInstanceOf(StoreUnavailableError)
    expect(String(failure)).toContain('ENOSPC')
    await expect(store.set('old', Buffer.alloc(900_000))).rejects.toThrow(/ENOSPC/)
    const swapping = store.compareAndSwap('old', version, Buffer.alloc(900_000))
    await expect(swapping).rejects.toThrow(/ENOSPC/)
    expect(await store.get('old')).toEqual({ value: new Uint8Array(some), version })
    expect(filesIn(disk, /\.(?:tmp|lock)$/)).toEqual([])
    await store.clear!('more')
    await store.set('old', Buffer.alloc(300_000))
    await store.close()
  })

  test('that is read-only a value is read, and a write is store_unavailable', async () => {
    const store = fileStore(join(disk, 'root'))
    await store.set('key', value)
    await store.set('expired', value, { ttl: 0.001 })
    execFileSync('mount', ['-o', 'remount,ro', disk])
    const other = fileStore(join(disk, 'root'))
    expect(await other.get('key')).toBeDefined()
    expect(await other.get('expired')).toBeUndefined()
    await expect(other.set('key', value)).rejects.toThrow(/EROFS/)
    await expect(store.delete('key')).rejects.toThrow(StoreUnavailableError)
    await Promise.all([store.close(), other.close()])
  })
})

async function fill(store: ReturnType<typeof fileStore>): Promise<unknown> {
  try {
    for (let index = 0; ; index += 1) await store.set(`more ${index}`, Buffer.alloc(150_000))
  } catch (error) {
    return error
  }
}

/** Whatever a killed writer has left is there for a minute; here it is made older. */
async function expectSwept(path: string): Promise<void> {
  const hourAgo = Date.now() / 1000 - 3_600
  for (const file of filesIn(path, /\.tmp$/)) utimesSync(file, hourAgo, hourAgo)
  const store = fileStore(path)
  await store.get('key')
  await vi.waitFor(() => expect(filesIn(path, /\.tmp$/)).toEqual([]))
  await store.close()
}

function isPrivate(mode: number): boolean {
  return (mode & 0o777) === 0o600
}

function filesIn(path: string, name: RegExp): string[] {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
}

function canMount(): boolean {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(statusText())?.[1] ?? '0'
  if ((BigInt(`0x${capabilities}`) >> 21n) & 1n) return true
  process.stderr.write('\n  SKIPPED TESTS: a full disk needs root on Linux, to mount one.\n\n')
  return false
}

function statusText(): string {
  return process.platform === 'linux' ? readFileSync('/proc/self/status', 'latin1') : ''
}
