import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { StoreUnavailableError } from '../../src/errors.ts'
import { createStore } from '../../src/stores/create-store.ts'
import { guarded } from '../../src/stores/guarded.ts'
import type { Store } from '../../src/stores/store.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

/** A server that may be broken in every way, and the URL of a store on it, through any port. */
export interface FaultTarget {
  server: {
    /** As a crash. */
    kill(): Promise<void>
    start(): Promise<void>
    /** It keeps its connections and answers nothing. */
    freeze(): void
    thaw(): void
  }
  port: number
  url(port: number): string
  close(): Promise<void>
}

/** Whether what was there is there again when the server has been killed and started. */
interface Expectations {
  survivesKill: boolean
}

/** Milliseconds in which a store must be normal again once its server is. */
const recovery = 2_000
/** Milliseconds that a busy machine may add to a deadline. */
const slack = 1_500

/**
 * What a store with a server must show when that server, or the way to it, breaks. Mostly it waits: the
 * servers break side by side, each in its own order.
 */
export function describeFaults(
  name: string,
  start: () => Promise<FaultTarget>,
  { survivesKill }: Expectations,
): void {
  // oxlint-disable-next-line vitest/valid-title -- the caller's
  describe.concurrent(name, () => {
    let target: FaultTarget
    let proxy: TcpProxy
    let store: Store
    beforeAll(async () => {
      target = await start()
      proxy = await TcpProxy.start(target.port)
      store = createStore(target.url(proxy.port))
    })
    afterAll(async () => {
      await store.close()
      await proxy.close()
      await target.close()
    })

    test.sequential('connections that are reset in the middle of calls cost those calls, and nothing else', async () => {
      await fill(store)
      for (const bytes of [0, 1, 7, 30, 64, 200, 1_000, 5_000]) {
        proxy.cutAfter(bytes)
        const calls = Array.from({ length: 100 }, (_, index) => readOrFail(store, index % 20))
        await Promise.all(calls)
        await isNormalWithin(store, recovery)
      }
      expect(await readAll(store)).toBe(20)
    })

    test.sequential('while the server is dead every call is a typed error, soon; it works again once it is back', async () => {
      await fill(store)
      await target.server.kill()
      for (let call = 0; call < 5; call += 1) {
        const startedAt = performance.now()
        await expect(store.get('fault:1')).rejects.toThrow(StoreUnavailableError)
        await expect(store.set('fault:1', value(1))).rejects.toThrow(StoreUnavailableError)
        expect(performance.now() - startedAt).toBeLessThan(2 * (2_000 + slack))
      }
      await target.server.start()
      await isNormalWithin(store, recovery)
      expect(await readAll(store)).toBeGreaterThanOrEqual(survivesKill ? 20 : 0)
    })

    test.sequential('a server that stops for 10 s costs 10 s: no wrong value, no call that hangs', async () => {
      await fill(store)
      target.server.freeze()
      const until = performance.now() + 10_000
      while (performance.now() < until) {
        const startedAt = performance.now()
        await Promise.all(Array.from({ length: 20 }, (_, index) => readOrFail(store, index)))
        expect(performance.now() - startedAt).toBeLessThan(2_000 + slack)
        await sleep(200)
      }
      target.server.thaw()
      await isNormalWithin(store, recovery)
      expect(await readAll(store)).toBe(20)
    }, 30_000)

    test.sequential('ST-08 with the server stopped, 10,000 guarded calls end at their deadline and leave no heap', async () => {
      const limited = guarded(store, { name: 'token store', deadline: { read: 0.25, write: 2 } })
      await limited.get('fault:1')
      target.server.freeze()
      const before = heap()
      let failed = 0
      let longest = 0
      for (let round = 0; round < 100; round += 1) {
        await Promise.all(
          Array.from({ length: 100 }, async () => {
            const startedAt = performance.now()
            if (await limited.get('fault:1').catch(isUnavailable)) failed += 1
            longest = Math.max(longest, performance.now() - startedAt)
          }),
        )
      }
      const added = heap() - before
      target.server.thaw()
      expect(failed).toBe(10_000)
      expect(longest).toBeLessThan(250 + slack)
      expect(added).toBeLessThan(20 * 2 ** 20)
      await isNormalWithin(limited, recovery)
    }, 30_000)
  })
}

function isUnavailable(error: unknown): boolean {
  return error instanceof StoreUnavailableError
}

async function fill(store: Store): Promise<void> {
  for (let index = 0; index < 20; index += 1) {
    await store.set(`fault:${index}`, value(index), { ttl: 600 })
  }
}

/** Its own value, nothing, or a typed error: never another key's. */
async function readOrFail(store: Store, index: number): Promise<boolean> {
  try {
    const found = await store.get(`fault:${index}`)
    if (found) expect(Buffer.from(found.value).equals(value(index))).toBe(true)
    return found !== undefined
  } catch (error) {
    expect(error).toBeInstanceOf(StoreUnavailableError)
    return false
  }
}

async function readAll(store: Store): Promise<number> {
  let found = 0
  for (let index = 0; index < 20; index += 1) {
    if (await readOrFail(store, index)) found += 1
  }
  return found
}

function value(index: number): Buffer {
  return Buffer.from(`value of ${index} `.repeat(20))
}

/** Ten calls in a row succeed, the first of them within so many milliseconds. */
async function isNormalWithin(store: Store, milliseconds: number): Promise<void> {
  const startedAt = performance.now()
  for (;;) {
    try {
      await store.set('fault:normal', value(0), { ttl: 60 })
      break
    } catch (error) {
      expect(error).toBeInstanceOf(StoreUnavailableError)
      await sleep(20)
    }
    expect(performance.now() - startedAt).toBeLessThan(milliseconds + slack)
  }
  for (let call = 0; call < 10; call += 1) await store.get('fault:normal')
}

function heap(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return process.memoryUsage().heapUsed
}
