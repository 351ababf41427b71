import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import { decodeLease, encodeLease, type LeaseEntry } from '../../src/oauth/lease-entry.ts'
import { standingOf } from '../../src/oauth/lease-standing.ts'
import { Lease } from '../../src/oauth/lease.ts'
import { Leases } from '../../src/oauth/leases.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'

afterEach(() => void vi.restoreAllMocks())

const times = { token: 10, lease: 22 }
const refreshToken = 'refresh-token'
const key = 'behalf:grant:0'

/** As many processes at one store. */
function processes(count: number, store: Store = memoryStore()): Leases[] {
  return Array.from({ length: count }, () => new Leases(store, times))
}

/** The lease, or why it cannot be had. */
async function reach(leases: Leases, token = refreshToken) {
  const seen = await leases.look(key)
  const standing = leases.standing(seen, token)
  if (standing.is !== 'free') return standing
  return (await leases.take(seen, token, standing)) ?? { is: 'too late' as const }
}

async function taken(leases: Leases, token = refreshToken): Promise<Lease> {
  const lease = await reach(leases, token)
  if (lease instanceof Lease) return lease
  throw new Error(`The lease is ${lease.is}.`)
}

/** So many seconds later on the clock that is never set. */
function later(seconds: number): void {
  const now = performance.now() + seconds * 1000
  vi.spyOn(performance, 'now').mockReturnValue(now)
}

/** Looks every second until so many have passed. */
async function watch(seconds: number, leases: Leases): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    await reach(leases)
    later(1)
  }
}

test('TK-03 of many processes that reach for a lease at once one gets it, the next one when it is given back', async () => {
  const all = processes(20)
  const reached = await Promise.all(all.map((leases) => reach(leases)))
  const leases = reached.filter((one) => one instanceof Lease)
  expect(leases).toHaveLength(1)
  expect(await reach(all[7]!)).toEqual({ is: 'held' })
  await leases[0]!.release()
  expect((await taken(all[7]!)).again).toBe(false)
})

test('TK-10 a lease whose holder is gone ends when it has been watched for its length, not by any date', async () => {
  const [gone, watcher] = processes(2)
  await taken(gone!)
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 7_200_000)
  await watch(21, watcher!)
  expect(await reach(watcher!)).toEqual({ is: 'held' })
  later(1.1)
  expect((await taken(watcher!)).again).toBe(true)
})

test('TK-10 a process that has just begun to look waits as long as all others', async () => {
  const [holder, late] = processes(2)
  await taken(holder!)
  later(1_000)
  expect(await reach(late!)).toEqual({ is: 'held' })
})

test('TK-10 who has not looked for a while looks on for two seconds: the holder may have waited for the store', async () => {
  const [holder, watcher] = processes(2)
  await taken(holder!)
  expect(await reach(watcher!)).toEqual({ is: 'held' })
  later(1_000)
  expect(await reach(watcher!)).toEqual({ is: 'held' })
  later(1.9)
  expect(await reach(watcher!)).toEqual({ is: 'held' })
  later(0.2)
  expect(await taken(watcher!)).toBeInstanceOf(Lease)
})

test('TK-10 a store that cannot be asked begins the watch anew', async () => {
  const store = memoryStore()
  const [holder, watcher] = processes(2, store)
  await taken(holder!)
  await watch(20, watcher!)
  const { get } = store
  store.get = () => Promise.reject(new Error('away'))
  await expect(reach(watcher!)).rejects.toThrow('away')
  store.get = get.bind(store)
  await watch(21, watcher!)
  expect(await reach(watcher!)).toEqual({ is: 'held' })
})

test('a lease that changes is watched anew, also when it is about the same token', async () => {
  const [first, second, third] = processes(3)
  await (await taken(first!)).release()
  await taken(first!)
  await watch(22, second!)
  await taken(second!)
  expect(await reach(third!)).toEqual({ is: 'held' })
})

test('a lease for a refresh token that was replaced is nobody’s', async () => {
  const [gone, other] = processes(2)
  await taken(gone!)
  expect((await taken(other!, 'the next one')).again).toBe(false)
})

test('what holders of a lease that was taken over give back is not theirs', async () => {
  const [slow, fast] = processes(2)
  const lost = await taken(slow!)
  await watch(22, fast!)
  await taken(fast!)
  await lost.release()
  await lost.leave({ phase: 'cooling', again: false, pause: 1 })
  expect(await reach(slow!)).toEqual({ is: 'held' })
})

test('TK-07 an attempt that failed closes the lease to every process, until its pause is over', async () => {
  const [one, other] = processes(2)
  await (await taken(one!)).leave({ phase: 'cooling', again: false, pause: 5 })
  for (const leases of [one!, other!]) expect(await reach(leases)).toMatchObject({ is: 'closed' })
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 5_001)
  expect((await taken(other!)).failures).toBe(1)
})

test('a pause that another clock has set far away is not believed', async () => {
  const [one, other] = processes(2)
  const spy = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 7_200_000)
  await (await taken(one!)).leave({ phase: 'cooling', again: false, pause: 5 })
  spy.mockRestore()
  expect(await reach(other!)).toBeInstanceOf(Lease)
})

test('TK-11 an attempt of unknown outcome closes the lease for as long as it lasts', async () => {
  const [one, other] = processes(2)
  await (await taken(one!)).leave({ phase: 'unknown', again: true, pause: 1 })
  vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 2_000)
  expect(await reach(other!)).toMatchObject({ is: 'closed' })
  await watch(22, other!)
  expect((await taken(other!)).again).toBe(true)
})

test('a lease that the store wrote without saying so keeps nobody of its process waiting', async () => {
  const store = memoryStore()
  let answers = false
  const silent = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]) => {
        const result: unknown = await Reflect.apply(value, target, args)
        if (name === 'compareAndSwap' && !answers) throw new Error('No answer.')
        return result
      }
    },
  })
  const leases = new Leases(silent, times)
  await expect(reach(leases)).rejects.toThrow('No answer.')
  answers = true
  expect(await reach(processes(1, store)[0]!)).toEqual({ is: 'held' })
  expect((await taken(leases)).again).toBe(false)
})

test.each(['', 'null', '[]', '{"v":1}', '{"v":2}', '\u0000', '{"v":1,"owner":{},"token":1}'])(
  'what is no lease (%j) is waited out like one',
  async (text) => {
    const store = memoryStore()
    await store.set(`${key}:lease`, Buffer.from(text))
    const [leases] = processes(1, store)
    expect(await reach(leases!)).toEqual({ is: 'held' })
    await watch(22, leases!)
    expect((await taken(leases!)).again).toBe(true)
  },
)

const entries: fc.Arbitrary<LeaseEntry> = fc.record({
  owner: fc.string(),
  token: fc.constantFrom('this', 'another'),
  phase: fc.constantFrom('taken', 'unknown', 'cooling'),
  lease: fc.double({ min: 0, max: 3_600, noNaN: true }),
  failures: fc.nat(),
  again: fc.boolean(),
  notBefore: fc.integer({ min: 0, max: 2_000_000 }),
  pause: fc.double({ min: 0, max: 3_600, noNaN: true }),
})

test('an entry comes back as it was written', () => {
  fc.assert(
    fc.property(entries, (entry) => void expect(decodeLease(encodeLease(entry))).toEqual(entry)),
  )
})

// oxlint-disable-next-line vitest/expect-expect -- the property has them
test('TK-03 whatever a clock says, a token that may be on its way is nobody’s before the lease has been watched to its end', () => {
  const clock = fc.double({ min: -1e12, max: 1e12, noNaN: true })
  const watched = fc.double({ min: 0, max: 7_200, noNaN: true })
  fc.assert(
    fc.property(entries, watched, clock, (entry, seconds, now) => {
      const { is } = standingOf({ entry, watched: seconds }, 'this', 22, now)
      const mayBeOnItsWay = entry.token === 'this' && entry.phase !== 'cooling'
      if (mayBeOnItsWay && seconds < Math.max(22, entry.lease)) expect(is).not.toBe('free')
      if (!mayBeOnItsWay || seconds > Math.max(22, entry.lease)) expect(is).not.toBe('held')
    }),
  )
})
