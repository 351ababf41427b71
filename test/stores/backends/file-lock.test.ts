import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MessageChannel, Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { StoreUnavailableError } from '../../../src/errors.ts'
import { fileStore } from '../../../src/stores/file.ts'
import { FileLocks } from '../../../src/stores/file/lock.ts'
import { isDead, newOwner, ownerText } from '../../../src/stores/file/owner.ts'
import type { LockOwner } from '../../../src/stores/file/owner.ts'
import type { Store } from '../../../src/stores/store.ts'

let folder: string
let path: string
let children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'behalf-file-lock-'))
  path = join(folder, 'some.lock')
})

afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
  rmSync(folder, { recursive: true, force: true })
})

describe('the lock of a process that has ended', () => {
  test('is taken over at once', async () => {
    const holder = await holdElsewhere()
    await end(holder)
    expect(readlinkSync(path)).toContain(`${holder.pid}:`)
    const startedAt = performance.now()
    expect(await locks().hold(path, async () => 'held')).toBe('held')
    expect(performance.now() - startedAt).toBeLessThan(500)
    expect(readdirSync(folder)).toEqual([])
  })

  test('that ended while it took over another, and so on, is taken over too', async () => {
    const owners = Array.from({ length: 4 }, () => ended())
    symlinkSync(ownerText(owners[0]!), path)
    for (const [index, { token }] of owners.slice(0, -1).entries()) {
      symlinkSync(ownerText(owners[index + 1]!), join(folder, `${token}.lock`))
    }
    expect(await locks().hold(path, async () => 'held')).toBe('held')
    expect(readdirSync(folder)).toEqual([])
  })

  test('is left to the one who is taking it over', async () => {
    const owner = ended()
    const second = join(folder, `${owner.token}.lock`)
    symlinkSync(ownerText(owner), path)
    symlinkSync(ownerText(newOwner()), second)
    await expect(locks(100).hold(path, async () => 'held')).rejects.toThrow(StoreUnavailableError)
    const waiting = locks(400).hold(path, async () => 'held')
    await sleep(50)
    // What the other does: the lock becomes its own, and then it lets go of the second one.
    unlinkSync(path)
    symlinkSync(ownerText(newOwner()), path)
    unlinkSync(second)
    await expect(waiting).rejects.toThrow(StoreUnavailableError)
    expect(readdirSync(folder)).toEqual(['some.lock'])
  })

  test('is taken over by one process only, however many want it, again and again', async () => {
    const store = join(folder, 'store')
    const program = fileURLToPath(new URL('../increment-child.ts', import.meta.url))
    const args = ['--import', 'tsx', program, 'file', store, '30']
    const workers = Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, args))
    let planted = 0
    const planting = setInterval(() => {
      for (const key of ['counter', 'incremented']) planted += plantEnded(store, key)
    }, 15)
    await Promise.all(workers).finally(() => clearInterval(planting))
    const counted = fileStore(store)
    for (const key of ['counter', 'incremented']) {
      expect(Buffer.from((await counted.get(key))!.value).toString()).toBe('120')
    }
    await counted.close()
    expect(planted).toBeGreaterThan(20)
  }, 60_000)
})

describe('the lock of a process that lives', () => {
  test('is never taken over, not even while that is stopped', async () => {
    const holder = await holdElsewhere()
    holder.kill('SIGSTOP')
    const startedAt = performance.now()
    const waiting = locks(300).hold(path, async () => 'held')
    await expect(waiting).rejects.toThrow(StoreUnavailableError)
    await expect(waiting).rejects.toThrow(path)
    expect(performance.now() - startedAt).toBeGreaterThan(290)
    expect(readlinkSync(path)).toContain(`${holder.pid}:`)
    const next = locks().hold(path, async () => 'held')
    await end(holder)
    expect(await next).toBe('held')
  })

  test('makes a write store_unavailable after lockTimeout, reads go on, and close ends the wait', async () => {
    const store = fileStore(join(folder, 'store'), { lockTimeout: 0.2, fsync: false })
    await store.set('key', Buffer.from('value'))
    symlinkSync(ownerText(newOwner()), lockOf(join(folder, 'store'), 'key'))
    await expect(store.set('key', Buffer.from('new'))).rejects.toThrow(/holds the lock/)
    await expect(store.delete('key')).rejects.toThrow(StoreUnavailableError)
    expect(Buffer.from((await store.get('key'))!.value).toString()).toBe('value')
    const patient = fileStore(join(folder, 'store'))
    const waiting = patient.increment!('key', 1).catch((error: unknown) => error)
    await sleep(50)
    await patient.close()
    expect(await waiting).toMatchObject({ code: 'store_unavailable' })
    await store.close()
  })
})

describe.runIf(process.platform === 'linux')('who has ended', () => {
  test.each<[who: string, owner: () => Partial<LockOwner>, ownHost: boolean, dead: boolean]>([
    ['this process lives', () => ({}), true, false],
    ['a pid that is there no more', () => ({ pid: ended().pid }), true, true],
    ['a pid that another process has now', () => ({ startedAt: '1' }), true, true],
    ['another boot of this host', () => ({ bootId: '00000000' }), true, true],
    ['another boot, or another host', () => ({ bootId: '00000000' }), false, false],
    ['no boot is known', () => ({ bootId: '' }), true, false],
    ['another container', () => ({ pid: ended().pid, namespaces: '1' }), true, false],
    ['no start is known', () => ({ startedAt: '' }), true, false],
    ['the first process of all', () => ({ pid: 1, startedAt: '' }), true, false],
  ])('%s', (_, owner, ownHost, dead) => {
    expect(isDead({ ...newOwner(), ...owner() }, ownHost)).toBe(dead)
  })

  test('a worker that was terminated has, though its process lives', async () => {
    const { port1, port2 } = new MessageChannel()
    const worker = new Worker(
      `const { workerData } = require('node:worker_threads')
       const { readFileSync, readlinkSync } = require('node:fs')
       const thread = readlinkSync('/proc/thread-self').split('/').pop()
       const stat = readFileSync('/proc/' + thread + '/stat', 'latin1')
       workerData.postMessage({
         pid: Number(thread),
         startedAt: stat.slice(stat.lastIndexOf(')')).split(' ')[20],
       })
       setInterval(() => {}, 1000)`,
      { eval: true, workerData: port2, transferList: [port2] },
    )
    const [thread] = (await once(port1, 'message')) as [{ pid: number; startedAt: string }]
    expect(isDead({ ...newOwner(), ...thread }, true)).toBe(false)
    await worker.terminate()
    port1.close()
    expect(isDead({ ...newOwner(), ...thread }, true)).toBe(true)
  })

  test('a zombie has, of which nobody has asked the end', async () => {
    const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 60'])
    children.push(parent)
    const [output] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(output)
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const startedAt = stat.slice(stat.lastIndexOf(')')).split(' ')[20]!
    const zombie = { ...newOwner(), pid, startedAt }
    expect(isDead(zombie, true)).toBe(false)
    await sleep(300)
    expect(process.kill(pid, 0)).toBe(true)
    expect(isDead(zombie, true)).toBe(true)
  })
})

test('no set slips in between the comparison and the write of a compareAndSwap', async () => {
  const [one, other] = [0, 1].map(() => fileStore({ path: folder, fsync: false })) as [Store, Store]
  for (let round = 0; round < 100; round += 1) {
    await one.set('key', Buffer.from('old'))
    const version = (await one.get('key'))?.version
    const [swapped] = await Promise.all([
      one.compareAndSwap('key', version, Buffer.from('swapped')),
      other.set('key', Buffer.from('set')),
    ])
    // Either it came first and has been overwritten, or the version was another and it did nothing.
    const after = Buffer.from((await one.get('key'))!.value).toString()
    expect({ swapped, after }).toEqual({ swapped, after: 'set' })
  }
  await Promise.all([one.close(), other.close()])
})

test('what is no lock of ours is waited for and not deleted', async () => {
  symlinkSync('somebody@host.123', path)
  await expect(locks(50).hold(path, async () => 'held')).rejects.toThrow(path)
  expect(readlinkSync(path)).toBe('somebody@host.123')
})

test('the text of an owner is short enough to lie in the inode', () => {
  const longest = {
    ...newOwner(),
    pid: 4_194_304,
    startedAt: '9'.repeat(10),
    namespaces: '4026531836',
  }
  expect(ownerText(longest).length).toBeLessThan(60)
})

function locks(timeoutMs = 5_000): FileLocks {
  return new FileLocks({ timeoutMs, ownHost: true, isClosed: () => false })
}

async function holdElsewhere(): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('../../support/lock-holder.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', program, path])
  children.push(child)
  await once(child.stdout, 'data')
  return child
}

async function end(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** As if a process had ended with the lock of a key in its hands. */
function plantEnded(store: string, key: string): number {
  try {
    symlinkSync(ownerText(ended()), lockOf(store, key))
    return 1
  } catch {
    return 0
  }
}

function lockOf(store: string, key: string): string {
  const hash = createHash('sha256').update(key).digest('hex')
  return join(store, hash.slice(0, 2), `${hash}.lock`)
}

/** No pid is as large as this (PID_MAX_LIMIT). */
function ended(): LockOwner {
  return { ...newOwner(), pid: 2 ** 22 + 1 }
}
