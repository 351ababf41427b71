import { stat } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../src/errors.ts'
import { guarded } from '../../src/stores/guarded.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import type { Store } from '../../src/stores/store.ts'

const limits = { name: 'token store', deadline: { read: 0.25, write: 2 } }
const value = Buffer.from('value')

/** A store that does what `answer` does at each operation, and counts them. */
function storeThat(answer: () => unknown, reach: Store['reach'] = 'cluster') {
  const operation = vi.fn<() => Promise<never>>(answer as () => Promise<never>)
  const inner: Store = {
    get: operation,
    set: operation,
    delete: operation,
    compareAndSwap: operation,
    compareAndDelete: operation,
    close: operation,
    reach,
    durable: true,
    maxValueBytes: 1000,
  }
  return { operation, inner, store: guarded(inner, limits) }
}

const never = () => new Promise<never>(() => {})
const fail = () => Promise.reject(new Error('connect redis://user:hunter2@host failed'))

/** What became of a call by now. */
function watch(promise: Promise<unknown>) {
  const outcome: { state: string; error?: unknown } = { state: 'pending' }
  promise.then(
    () => (outcome.state = 'resolved'),
    (error: unknown) => Object.assign(outcome, { state: 'rejected', error }),
  )
  return outcome
}

describe('with a clock of its own', () => {
  beforeEach(() => {
    const toFake = ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance']
    vi.useFakeTimers({ toFake: toFake as never })
  })
  afterEach(() => vi.useRealTimers())

  const operations: Record<string, (store: Store) => Promise<unknown>> = {
    get: (store) => store.get('key'),
    set: (store) => store.set('key', value),
    delete: (store) => store.delete('key'),
    compareAndSwap: (store) => store.compareAndSwap('key', undefined, value),
    compareAndDelete: (store) => store.compareAndDelete('key', 'version'),
    close: (store) => store.close(),
  }

  test.each(Object.entries(operations))('%s ends at its deadline', async (name, operate) => {
    const { store } = storeThat(never)
    const seconds = name === 'get' ? 0.25 : 2
    const call = watch(operate(store))
    await vi.advanceTimersByTimeAsync(seconds * 1000 - 10)
    expect(call.state).toBe('pending')
    await vi.advanceTimersByTimeAsync(20)
    expect(call.error).toBeInstanceOf(StoreUnavailableError)
    expect(String(call.error)).toMatch(`within ${seconds} s`)
  })

  test.each(Object.entries(operations))('%s never lets the driver speak', async (_, operate) => {
    const failures: unknown[] = [
      () => fail(),
      () => {
        throw new Error('hunter2')
      },
      // oxlint-disable-next-line prefer-promise-reject-errors -- what a careless driver does
      () => Promise.reject('hunter2'),
      () => Promise.reject(),
      () => Promise.reject(Object.assign(new Error('hunter2'), { code: 'hunter2' })),
      () => Promise.reject(new TypeError('hunter2', { cause: 'hunter2' })),
    ]
    for (const failure of failures) {
      const { store } = storeThat(failure as () => unknown)
      const error = (await operate(store).catch((reason: unknown) => reason)) as Error
      expect(error).toBeInstanceOf(StoreUnavailableError)
      expect(error.cause).toBeUndefined()
      expect(error.stack).not.toContain('hunter2')
    }
  })

  test('the code of a system error is told', async () => {
    const { store } = storeThat(() =>
      Promise.reject(Object.assign(new Error('hunter2'), { code: 'ECONNREFUSED' })),
    )
    await expect(store.get('key')).rejects.toThrow('the token store failed (ECONNREFUSED)')
  })

  test.each([
    new StoreUnavailableError('it says so itself'),
    new RangeError('ttl must be a number'),
    new ConfigError('npm i libsql'),
  ])('%s passes as it is', async (error) => {
    const { store } = storeThat(() => Promise.reject(error))
    await expect(store.get('key')).rejects.toBe(error)
  })

  test.each([
    ['a result', () => undefined],
    ['an error', fail],
  ])('%s that comes too late is dropped', async (_, late) => {
    const unhandled = vi.fn<() => void>()
    process.on('unhandledRejection', unhandled)
    const { store } = storeThat(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1000))
      return late()
    })
    const call = watch(store.get('key'))
    await vi.advanceTimersByTimeAsync(300)
    const { error } = call
    await vi.advanceTimersByTimeAsync(1000)
    vi.useRealTimers()
    await new Promise((resolve) => setTimeout(resolve, 10))
    process.off('unhandledRejection', unhandled)
    expect(call).toEqual({ state: 'rejected', error })
    expect(unhandled).not.toHaveBeenCalled()
  })

  test('an operation that has ended leaves no timer', async () => {
    const { store } = storeThat(async () => undefined)
    await store.get('key')
    expect(vi.getTimerCount()).toBe(0)
    const failing = storeThat(fail)
    await expect(failing.store.get('key')).rejects.toThrow(StoreUnavailableError)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a store of this process gets no timer', () => {
    const { store } = storeThat(never, 'process')
    watch(store.get('key'))
    expect(vi.getTimerCount()).toBe(0)
  })

  async function failTimes(store: Store, times: number): Promise<void> {
    for (let index = 0; index < times; index += 1) await store.get('key').catch(() => {})
  }

  test('after five failures in a row the store is left alone for a second', async () => {
    const { store, operation } = storeThat(fail)
    await failTimes(store, 20)
    expect(operation).toHaveBeenCalledTimes(5)
    await vi.advanceTimersByTimeAsync(990)
    await failTimes(store, 20)
    expect(operation).toHaveBeenCalledTimes(5)
    await expect(store.get('key')).rejects.toMatchObject({ code: 'store_unavailable' })
  })

  test('time-outs count as failures', async () => {
    const { store, operation } = storeThat(never)
    for (let index = 0; index < 8; index += 1) {
      watch(store.get('key'))
      await vi.advanceTimersByTimeAsync(260)
    }
    expect(operation).toHaveBeenCalledTimes(5)
  })

  test('four failures and a success are no reason', async () => {
    let healthy = false
    const { store, operation } = storeThat(async () => (healthy ? undefined : fail()))
    for (let round = 0; round < 5; round += 1) {
      healthy = false
      await failTimes(store, 4)
      healthy = true
      await store.get('key')
    }
    expect(operation).toHaveBeenCalledTimes(25)
  })

  test('bad arguments and bad configuration say nothing about its health', async () => {
    const errors = [new RangeError('bad'), new ConfigError('bad')]
    const { store, operation } = storeThat(() => Promise.reject(errors[0]))
    await failTimes(store, 20)
    errors.shift()
    await failTimes(store, 20)
    expect(operation).toHaveBeenCalledTimes(40)
  })

  test('ST-09 then one probe is made each second, however long it lasts', async () => {
    const { store, operation } = storeThat(fail)
    await failTimes(store, 5)
    for (let second = 1; second < 60; second += 1) {
      operation.mockClear()
      await vi.advanceTimersByTimeAsync(990)
      await failTimes(store, 3)
      expect(operation).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(20)
      await Promise.allSettled(Array.from({ length: 10 }, () => store.get('key')))
      expect(operation).toHaveBeenCalledTimes(1)
    }
  })

  test('while the probe is under way nothing else is called', async () => {
    const { store, operation } = storeThat(fail)
    await failTimes(store, 5)
    await vi.advanceTimersByTimeAsync(1000)
    operation.mockClear()
    operation.mockImplementation(never)
    watch(store.get('key'))
    await vi.advanceTimersByTimeAsync(200)
    await failTimes(store, 10)
    expect(operation).toHaveBeenCalledTimes(1)
  })

  test('a probe that succeeds ends it, and the next time begins with a second again', async () => {
    const { store, operation } = storeThat(fail)
    await failTimes(store, 5)
    await vi.advanceTimersByTimeAsync(1000)
    await failTimes(store, 1)
    await vi.advanceTimersByTimeAsync(2000)
    operation.mockImplementation(async () => undefined as never)
    await store.get('key')
    await Promise.all(Array.from({ length: 20 }, () => store.get('key')))

    operation.mockImplementation(fail)
    await failTimes(store, 5)
    operation.mockImplementation(async () => undefined as never)
    await vi.advanceTimersByTimeAsync(1000)
    await expect(store.get('key')).resolves.toBeUndefined()
  })

  test.each([
    ['success', async () => undefined],
    ['failure', fail],
  ])('the %s of a call that began before it opened changes nothing', async (_, end) => {
    const { store, operation } = storeThat(async () => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      return end()
    })
    const early = watch(store.get('key'))
    operation.mockImplementation(fail)
    await failTimes(store, 5)
    await vi.advanceTimersByTimeAsync(210)
    expect(early.state).not.toBe('pending')
    operation.mockClear()
    await failTimes(store, 5)
    expect(operation).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(800)
    await failTimes(store, 5)
    expect(operation).toHaveBeenCalledTimes(1)
  })

  test('two uses of one store have a breaker each', async () => {
    const { inner, store, operation } = storeThat(fail)
    await failTimes(store, 5)
    operation.mockImplementation(async () => undefined as never)
    await expect(guarded(inner, limits).get('key')).resolves.toBeUndefined()
    await expect(store.get('key')).rejects.toThrow('left alone')
  })

  test('closing is tried even while the store is left alone', async () => {
    const { store, operation } = storeThat(fail)
    await failTimes(store, 5)
    operation.mockImplementation(async () => undefined as never)
    await expect(store.close()).resolves.toBeUndefined()
  })

  test('of 10,000 calls to a store that hangs 1,000 wait, and all end at the deadline', async () => {
    const { store, operation } = storeThat(never)
    const calls = Array.from({ length: 10_000 }, () => watch(store.get('key')))
    await vi.advanceTimersByTimeAsync(0)
    expect(operation).toHaveBeenCalledTimes(1_000)
    expect(calls.filter(({ state }) => state === 'pending').length).toBe(1_000)
    await vi.advanceTimersByTimeAsync(260)
    expect(calls.every(({ error }) => error instanceof StoreUnavailableError)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)

    operation.mockImplementation(async () => undefined as never)
    await vi.advanceTimersByTimeAsync(1_000)
    await expect(store.get('key')).resolves.toBeUndefined()
    await Promise.all(Array.from({ length: 1_000 }, () => store.get('key')))
  })
})

test('what a busy process has not even sent yet is not taken for late', async () => {
  const later = () => new Promise<void>((resolve) => setImmediate(resolve))
  const store = memoryStore()
  const remote: Store = Object.assign(Object.create(store) as Store, {
    reach: 'cluster',
    // As drivers do that send what one turn asks for at its end.
    get: async () => later().then(later).then(later),
  })
  const guard = guarded(remote, { name: 'token store', deadline: { read: 0.1, write: 1 } })
  const found = guard.get('key')
  const stalledUntil = performance.now() + 300
  while (performance.now() < stalledUntil);
  expect(await found).toBeUndefined()
})

test('a reply that arrives while the event loop stalls is not taken for a late one', async () => {
  const { inner } = storeThat(() => new Promise((resolve) => stat('.', () => resolve(undefined))))
  const store = guarded(inner, { name: 'store', deadline: { read: 0.05, write: 0.05 } })
  const call = store.get('key')
  const stalledUntil = performance.now() + 150
  while (performance.now() < stalledUntil);
  await expect(call).resolves.toBeUndefined()
})

test('what the store says about itself is passed on, also when it learns it later', () => {
  const inner = { ...storeThat(never).inner }
  const store = guarded(inner, limits)
  expect([store.reach, store.durable, store.maxValueBytes]).toEqual(['cluster', true, 1000])
  Object.assign(inner, { durable: false })
  expect(store.durable).toBe(false)
})

test('a memory store behind it works as before', async () => {
  const store = guarded(memoryStore(), limits)
  const version = await store.compareAndSwap('key', undefined, value)
  expect((await store.get('key'))?.version).toBe(version)
})
