import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { crc32 } from 'node:zlib'

/**
 * Who holds a lock, as it says itself. Where there is no /proc, all but pid and token are empty.
 * As text it has at most 59 bytes: a longer link takes a block of its own on ext4, and ten times as
 * long to make.
 */
export interface LockOwner {
  /** Of the thread, which on Linux has a pid of its own: a worker can end while its process lives. */
  pid: number
  /** In clock ticks after the boot: a pid is used again, a pid with its start is not. */
  startedAt: string
  /** The first 32 bits of it. */
  bootId: string
  /** Pids and start times of other namespaces (another container) mean nothing here. */
  namespaces: string
  /** Another one for each lock that is taken. */
  token: string
}

type Process = Omit<LockOwner, 'token'>

let known: Process | undefined

/** This process as the owner of its next lock. */
export function newOwner(): LockOwner {
  return { ...ourselves(), token: randomUUID().replaceAll('-', '').slice(0, 20) }
}

function ourselves(): Process {
  const pid = threadId()
  known ??= {
    pid: pid ?? process.pid,
    startedAt: (pid !== undefined && statusOf(pid)?.startedAt) || '',
    bootId: textOf('/proc/sys/kernel/random/boot_id').slice(0, 8),
    namespaces: namespaces(),
  }
  return known
}

/** `undefined` without a /proc, or with one of another namespace: it has others under these pids. */
function threadId(): number | undefined {
  const [, pid, thread] = /^(\d+)\/task\/(\d+)$/.exec(linkOf('/proc/thread-self')) ?? []
  return pid === String(process.pid) ? Number(thread) : undefined
}

function namespaces(): string {
  const [pids, times] = [linkOf('/proc/self/ns/pid'), linkOf('/proc/self/ns/time')]
  return pids === '' ? '' : String(crc32(`${pids} ${times}`))
}

/** An owner as text, to be read by {@link parseOwner}. */
export function ownerText({
  pid,
  startedAt,
  bootId,
  namespaces: spaces,
  token,
}: LockOwner): string {
  return [pid, startedAt, bootId, spaces, token].join(':')
}

/** `undefined` for what no owner wrote. */
export function parseOwner(text: string): LockOwner | undefined {
  const parts = /^([1-9]\d*):(\d*):([\da-f]*):(\d*):([\da-f]{20})$/.exec(text)
  if (!parts) return undefined
  const [, pid = '', startedAt = '', bootId = '', spaces = '', token = ''] = parts
  return { pid: Number(pid), startedAt, bootId, namespaces: spaces, token }
}

/**
 * Tells whether an owner has ended: `true` only where that is certain, and nothing that it had
 * begun can still happen. `ownHost` tells that nobody but this host can have written the lock;
 * otherwise another boot id may be another host, which is alive.
 */
export function isDead(owner: LockOwner, ownHost: boolean): boolean {
  const { bootId, namespaces: spaces, startedAt } = ourselves()
  if (owner.bootId !== bootId) return ownHost && owner.bootId !== '' && bootId !== ''
  // Hosts that tell no boot id cannot be told apart.
  if (bootId === '' && !ownHost) return false
  if (owner.namespaces !== spaces) return false
  const status = startedAt !== '' && owner.startedAt !== '' && statusOf(owner.pid)
  // That of another user may not be shown.
  return status ? status.startedAt !== owner.startedAt || status.ended : !exists(owner.pid)
}

/** Signal 0 is not sent; a process of another user is there all the same (EPERM). */
function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** What /proc/<pid>/stat says (proc(5)); the name in parentheses may hold anything. */
function statusOf(pid: number): { startedAt: string; ended: boolean } | undefined {
  const text = textOf(`/proc/${pid}/stat`)
  const [state = '', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [threads, startedAt] = [fields[16], fields[18]]
  if (startedAt === undefined) return undefined
  // A zombie whose threads are in the middle of a system call can still finish that.
  return { startedAt, ended: /^[ZX]$/.test(state) && Number(threads) <= 1 }
}

/** Files of /proc are in memory; reading them waits for nothing. */
function textOf(path: string): string {
  return orNothing(() => readFileSync(path, 'latin1'))
}

function linkOf(path: string): string {
  return orNothing(() => readlinkSync(path))
}

function orNothing(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}
