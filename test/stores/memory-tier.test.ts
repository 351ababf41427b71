import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { ConfigError, StoreUnavailableError } from '../../src/errors.ts'
import { memoryStore } from '../../src/stores/memory.ts'
import { memoryTier } from '../../src/stores/memory-tier.ts'
import { redisStore } from '../../src/stores/redis.ts'
import { sqliteStore } from '../../src/stores/sqlite.ts'
import type { NoticeListener, Store } from '../../src/stores/store.ts'
import { component } from '../components.ts'
import { CachePeer } from '../support/cache-peer.ts'
import { type RunningRedis, startRedis, until } from '../support/redis-servers.ts'
import { describeContract } from './describe-store.ts'

const bytes = (text: string) => Buffer.from(text)
const textIn = async (store: Store, key: string) => {
  const found = await store.get(key)
  return found && Buffer.from(found.value).toString()
}

/** A memory store that passes for one that others use too, and tells what it was asked for. */
function distant() {
  const inner = memoryStore()
  const asked: string[] = []
  const listeners: NoticeListener[] = []
  const heard: string[] = []
  const state = { sending: true, stopped: 0 }
  const notices: Required<Store>['notices'] = () => ({
    async send(notice) {
      if (!state.sending) throw new StoreUnavailableError('it is away')
      heard.push(notice)
      for (const listener of listeners) listener.onNotice(notice)
    },
    listen(listener) {
      listeners.push(listener)
      return () => void (state.stopped += 1)
    },
  })
  const store = (hasNotices: boolean) =>
    new Proxy(inner, {
      get(target, name: keyof Store) {
        if (name === 'reach') return 'cluster'
        if (name === 'notices') return hasNotices ? notices : undefined
        const member = target[name]
        if (typeof member !== 'function') return member
        return (...args: unknown[]) => {
          asked.push(name)
          return Reflect.apply(member, target, args) as unknown
        }
      },
    })
  const reads = () => asked.filter((name) => name.startsWith('get')).length
  return { inner, asked, reads, listeners, heard, state, notices, store }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('a memory in front of a store', () => {
  test('asks the store once for what is there, and for what is not', async () => {
    const { store, inner, reads } = distant()
    const tier = memoryTier(store(true))
    await inner.set('a', bytes('value'))
    const version = (await inner.get('a'))?.version
    for (let time = 0; time < 3; time += 1) {
      expect(await tier.get('a')).toEqual({ value: new Uint8Array(bytes('value')), version })
      expect(await tier.get('absent')).toBeUndefined()
    }
    expect(reads()).toBe(2)
  })

  test('has at hand what was read, until it is written, dropped or too old', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const { store, inner, listeners, notices } = distant()
    const tier = memoryTier(store(true), { ttl: 60 })
    await inner.set('a', bytes('old'))
    expect(tier.atHand?.(['a'])).toBeUndefined()
    await tier.get('a')
    listeners[0]!.onOpen()
    const keys = ['a', 'absent']
    for (const gone of [
      () => tier.set('a', bytes('new')),
      () => tier.delete('absent'),
      () => notices('dropped').send('{"keys":["a"]}'),
      async () => void vi.advanceTimersByTime(61_000),
    ]) {
      await tier.getMany?.(keys)
      expect(tier.atHand?.(keys)?.[0]?.version).toBe((await inner.get('a'))?.version)
      expect(tier.atHand?.(keys)?.[1]).toBeUndefined()
      await gone()
      expect(tier.atHand?.(keys)).toBeUndefined()
    }
  })

  test('asks for many that it does not have in one operation', async () => {
    const { store, asked } = distant()
    const tier = memoryTier(store(true))
    await tier.setMany?.([
      ['a', bytes('a')],
      ['b', bytes('b')],
    ])
    await tier.get('a')
    asked.length = 0
    const texts = async () =>
      (await tier.getMany?.(['b', 'a', 'absent', 'b']))?.map(
        (one) => one && Buffer.from(one.value).toString(),
      )
    expect(await texts()).toEqual(['b', 'a', undefined, 'b'])
    expect(await texts()).toEqual(['b', 'a', undefined, 'b'])
    expect(asked).toEqual(['getMany'])
  })

  test.each<[string, (tier: Store) => Promise<unknown>]>([
    ['set', (tier) => tier.set('key:a', bytes('new'))],
    ['setMany', async (tier) => tier.setMany?.([['key:a', bytes('new')]])],
    ['delete', (tier) => tier.delete('key:a')],
    ['deleteMany', async (tier) => tier.deleteMany?.(['key:a'])],
    ['clear', async (tier) => tier.clear?.('key:')],
    ['expire', async (tier) => tier.expire?.('key:a', 0)],
    [
      'compareAndSwap',
      async (tier) =>
        tier.compareAndSwap('key:a', (await tier.get('key:a'))?.version, bytes('new')),
    ],
    [
      'compareAndDelete',
      async (tier) => tier.compareAndDelete('key:a', (await tier.get('key:a'))!.version),
    ],
    ['increment', async (tier) => tier.increment?.('count:a', 1)],
  ])('sees its own %s at once, and another process as soon as it ends', async (_, write) => {
    const { store, inner } = distant()
    const [tier, other] = [memoryTier(store(true)), memoryTier(store(true))]
    await inner.set('key:a', bytes('old'))
    await inner.set('count:a', bytes('41'))
    const seen = async (one: Store) => [await textIn(one, 'key:a'), await textIn(one, 'count:a')]
    for (const one of [tier, other]) expect(await seen(one)).toEqual(['old', '41'])
    await write(tier)
    const expected = await seen(inner)
    expect(expected).not.toEqual(['old', '41'])
    for (const one of [tier, other]) expect(await seen(one)).toEqual(expected)
  })

  test('keeps nothing that was replaced while it was being read', async () => {
    const { store, inner } = distant()
    await inner.set('a', bytes('old'))
    for (const replace of ['by itself', 'by another process']) {
      const slow = store(true)
      let release = () => {}
      const released = new Promise<void>((resolve) => (release = resolve))
      const tier = memoryTier(
        new Proxy(slow, {
          get(target, name: keyof Store) {
            if (name !== 'get') return target[name]
            return async (key: string) => {
              const found = await target.get(key)
              await released
              return found
            }
          },
        }),
      )
      const reading = tier.get('a')
      await sleep(1)
      const writer = replace === 'by itself' ? tier : memoryTier(slow)
      await writer.set('a', bytes(replace))
      release()
      expect(Buffer.from((await reading)?.value ?? []).toString()).not.toBe(replace)
      expect(await textIn(tier, 'a')).toBe(replace)
    }
  })

  test('is for ttl seconds, and for 5 at most where no notices are heard', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    for (const [hasNotices, opens, ttl, lasts] of [
      [true, true, 30, 30],
      [true, true, 2, 2],
      [true, false, 30, 5],
      [false, false, 30, 5],
      [false, false, 2, 2],
      [true, true, 0, 0],
    ] as const) {
      const { store, inner, listeners, reads } = distant()
      const tier = memoryTier(store(hasNotices), { ttl })
      await inner.set('a', bytes('value'))
      await tier.get('a')
      if (opens) for (const { onOpen } of listeners) onOpen()
      await tier.get('a')
      const before = reads()
      vi.advanceTimersByTime(Math.max(0, lasts * 1000 - 10))
      await tier.get('a')
      expect(reads()).toBe(before + (lasts === 0 ? 1 : 0))
      vi.advanceTimersByTime(20)
      await tier.get('a')
      expect(reads()).toBe(before + (lasts === 0 ? 2 : 1))
    }
  })

  test('drops everything when notices may have been missed, and when they are heard again', async () => {
    const { store, inner, listeners } = distant()
    const tier = memoryTier(store(true))
    await inner.set('a', bytes('1'))
    await tier.get('a')
    for (const [happens, text] of [
      [() => listeners[0]!.onOpen(), '2'],
      [() => listeners[0]!.onGap(), '3'],
      [() => listeners[0]!.onOpen(), '4'],
    ] as const) {
      await inner.set('a', bytes(text))
      expect(await textIn(tier, 'a')).not.toBe(text)
      happens()
      expect(await textIn(tier, 'a')).toBe(text)
    }
  })

  test('tells later what it could not tell, and once too much has waited, to drop everything', async () => {
    const { store, inner, state, heard, listeners } = distant()
    const [tier, other] = [memoryTier(store(true)), memoryTier(store(true))]
    await tier.get('a')
    for (const many of [1, 2_000]) {
      const keys = Array.from({ length: many }, (_, index) => `${many}:${index}`)
      await inner.set('other', bytes('other'))
      await other.get('other')
      state.sending = false
      for (const key of keys) {
        await inner.set(key, bytes('old'))
        await other.get(key)
        await tier.set(key, bytes('new'))
      }
      expect(await textIn(other, `${many}:0`)).toBe('old')
      state.sending = true
      heard.length = 0
      listeners[0]!.onOpen()
      await vi.waitFor(async () => expect(await textIn(other, `${many}:0`)).toBe('new'))
      expect(heard).toHaveLength(1)
      expect(heard[0]!.length).toBeLessThan(1_000)
      expect(heard[0]!.includes(`${many}:0`)).toBe(many === 1)
    }
  })

  test.each([
    'no JSON',
    '5',
    'null',
    '{}',
    '{"keys":"a"}',
    '{"keys":[5]}',
    '{"prefix":"\\u0000"}',
    'x'.repeat(70_000),
  ])('takes a notice that it cannot read (%.20s) for one about everything', async (notice) => {
    const { store, inner, notices } = distant()
    const tier = memoryTier(store(true))
    await inner.set('a', bytes('old'))
    await tier.get('a')
    await inner.set('a', bytes('new'))
    await notices('dropped').send(notice)
    expect(await textIn(tier, 'a')).toBe('new')
  })

  test('drops what a notice names and keeps the rest', async () => {
    const { store, inner, notices, reads } = distant()
    const tier = memoryTier(store(true))
    for (const key of ['a:1', 'a:2', 'b:1']) await inner.set(key, bytes(key))
    await tier.getMany?.(['a:1', 'a:2', 'b:1'])
    const before = reads()
    await notices('dropped').send('{"from":"x","keys":["a:1","\\u0000"]}')
    for (const key of ['a:2', 'b:1']) await tier.get(key)
    expect(reads()).toBe(before)
    await tier.get('a:1')
    expect(reads()).toBe(before + 1)
    await notices('dropped').send('{"from":"x","prefix":"a:"}')
    await tier.get('b:1')
    expect(reads()).toBe(before + 1)
    await tier.get('a:2')
    expect(reads()).toBe(before + 2)
  })

  test('has dropped what it wrote itself, and does not drop what it has read since', async () => {
    const { store, notices, heard, reads } = distant()
    const tier = memoryTier(store(true))
    await tier.set('a', bytes('value'))
    await tier.get('a')
    const before = reads()
    await notices('dropped').send(heard[0]!)
    await tier.get('a')
    expect(reads()).toBe(before)
  })

  test('CA-12 CVE-2026-7768 holds so many bytes at most, and of one partition its share', async () => {
    const { store, inner, reads } = distant()
    const tier = memoryTier(store(true), { maxBytes: 10_000, partitionShare: 0.5 })
    const keys = Array.from({ length: 100 }, (_, index) => `ada:${index}`)
    await inner.set('grace:1', bytes('g'.repeat(1_000)))
    await tier.get('grace:1')
    for (const key of keys) {
      await inner.set(key, bytes('a'.repeat(1_000)))
      await tier.get(key)
    }
    const before = reads()
    await tier.get('grace:1')
    expect(reads()).toBe(before)
    for (const key of keys.toReversed()) await tier.get(key)
    expect(reads() - before).toBeGreaterThan(85)
    await inner.set('large', bytes('l'.repeat(20_000)))
    expect((await tier.get('large'))?.value.byteLength).toBe(20_000)
    expect((await tier.get('large'))?.value.byteLength).toBe(20_000)
  })

  test('what a caller does to the bytes it got is its own business', async () => {
    const { store, inner } = distant()
    const tier = memoryTier(store(true))
    await inner.set('a', bytes('value'))
    for (let time = 0; time < 3; time += 1) {
      const found = await tier.get('a')
      expect(Buffer.from(found?.value ?? []).toString()).toBe('value')
      found?.value.fill(0)
    }
  })

  test('a failed write counts as one: what it has done is not known', async () => {
    const { store, inner } = distant()
    const failing = new Proxy(store(true), {
      get: (target, name: keyof Store) =>
        name === 'set'
          ? async (...args: Parameters<Store['set']>) => {
              await target.set(...args)
              throw new StoreUnavailableError('no answer')
            }
          : target[name],
    })
    const tier = memoryTier(failing)
    await inner.set('a', bytes('old'))
    await tier.get('a')
    await expect(tier.set('a', bytes('new'))).rejects.toThrow(StoreUnavailableError)
    expect(await textIn(tier, 'a')).toBe('new')
  })

  test('stops listening when it is closed, and is not there for a store in this process', async () => {
    const { store, inner, state } = distant()
    const tier = memoryTier(store(true))
    await tier.get('a')
    await tier.close()
    expect(state.stopped).toBe(1)
    expect(memoryTier(inner)).toBe(inner)
    for (const options of [{ ttl: -1 }, { maxBytes: 0 }, { partitionShare: 2 }]) {
      expect(() => memoryTier(store(true), options)).toThrow(ConfigError)
    }
  })
})

const folder = mkdtempSync(join(tmpdir(), 'behalf-tier-'))
afterAll(() => rmSync(folder, { recursive: true }))
let stores = 0
describeContract('a memory in front of SQLite keeps the store contract', () =>
  memoryTier(sqliteStore({ path: `${folder}/${(stores += 1)}.sqlite` })),
)

const redis = component('redis-server')

describe.skipIf(!redis.present)('a memory in front of Redis', async () => {
  if (!redis.present) return
  const server = await startRedis()
  const opened: Store[] = []
  const open = (driver: 'ioredis' | 'redis', at: RunningRedis = server) => {
    const store = memoryTier(redisStore(at.url, { driver }))
    opened.push(store)
    return store
  }

  afterAll(async () => {
    await Promise.all(opened.map((store) => store.close()))
    await server.close()
  })

  describeContract('keeps the store contract', () => memoryTier(redisStore(server.url)))

  /** Waits until the memory outlives 5 s: then it hears notices. */
  async function hearing(at: RunningRedis, count: number): Promise<void> {
    await until(async () =>
      (await at.cli('pubsub', 'numsub', 'behalf:dropped')).endsWith(`${count}\n`),
    )
  }

  test.each(['ioredis', 'redis'] as const)(
    'misses no write of another process, also when its connection is cut (%s)',
    async (driver) => {
      const own = await startRedis()
      const [reader, writer] = [open(driver, own), open('ioredis', own)]
      await Promise.all([reader.get('a'), writer.get('a')])
      await hearing(own, 2)
      for (let round = 0; round < 20; round += 1) {
        await writer.set('a', bytes(String(round)))
        await expect.poll(() => textIn(reader, 'a'), { timeout: 2000 }).toBe(String(round))
      }
      await own.cli('client', 'kill', 'type', 'pubsub')
      await writer.set('a', bytes('unheard'))
      await expect.poll(() => textIn(reader, 'a'), { timeout: 2000 }).toBe('unheard')
      await hearing(own, 2)
      await writer.set('a', bytes('heard again'))
      await expect.poll(() => textIn(reader, 'a'), { timeout: 2000 }).toBe('heard again')
      await Promise.all([reader.close(), writer.close()])
      await own.close()
    },
    30_000,
  )

  test.each(['ioredis', 'redis'] as const)(
    'does not trust a server that no longer answers (%s)',
    async (driver) => {
      const own = await startRedis()
      const reader = open(driver, own)
      await reader.set('a', bytes('value'))
      await reader.get('a')
      await hearing(own, 1)
      await reader.get('a')
      own.server.freeze()
      try {
        expect(await textIn(reader, 'a')).toBe('value')
        await until(async () => {
          await expect(reader.get('a')).rejects.toThrow(StoreUnavailableError)
          return true
        }, 12)
      } finally {
        own.server.thaw()
      }
      await expect.poll(() => textIn(reader, 'a'), { timeout: 12000 }).toBe('value')
      await reader.close()
      await own.close()
    },
    40_000,
  )

  test('two processes see each other’s writes, also after Redis was killed and started again', async () => {
    const own = await startRedis()
    const [first, second] = await Promise.all([CachePeer.start(own.url), CachePeer.start(own.url)])
    const read = (peer: CachePeer) => peer.ask<string | undefined>({ ask: 'read', key: 'a' })
    const write = (peer: CachePeer, text: string) => peer.ask({ ask: 'write', key: 'a', text })
    const agree = async (text: string | undefined) => {
      for (const peer of [first, second]) {
        await expect.poll(() => read(peer).catch(() => 'failed'), { timeout: 3_000 }).toBe(text)
      }
    }
    try {
      await agree(undefined)
      await hearing(own, 2)
      await write(first, 'of the first')
      await agree('of the first')
      await write(second, 'of the second')
      await agree('of the second')
      await own.server.kill()
      await sleep(50)
      await own.server.start()
      // It keeps nothing on disk.
      await agree(undefined)
      await hearing(own, 2)
      await write(first, 'after the restart')
      await agree('after the restart')
      await write(second, 'again')
      await agree('again')
    } finally {
      await Promise.all([first.kill(), second.kill()])
      await own.close()
    }
  }, 40_000)
})
